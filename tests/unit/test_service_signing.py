"""The key of webhooks: made once, kept private, refused where it is not."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from service.outgoing import MailSettingsError, api_settings
from service.settings import Settings
from service.signing import KeyFileError, signing_key


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path / "home"))
    key = signing_key(settings)
    file = tmp_path / "home" / "webhook.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert signing_key(settings) == key
    assert [path.name for path in file.parent.iterdir()] == ["webhook.key"]


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine"
    settings = Settings(webhook_key_file=str(file))
    signing_key(settings)
    file.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        signing_key(settings)
    file.chmod(0o600)
    for content, words in ((b"no base64!", "not base64"), (b"c2hvcnQ=\n", "holds 5 bytes and not 32")):
        file.write_bytes(content)
        with pytest.raises(KeyFileError, match=words):
            signing_key(settings)
    with pytest.raises(KeyFileError, match="name another one in webhook_key_file"):
        signing_key(Settings(webhook_key_file=str(file / "below")))


def test_half_a_mail_server_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MailSettingsError, match="belong together"):
        api_settings(Settings(home=str(tmp_path), smtp_url="smtp://mail.example"))
