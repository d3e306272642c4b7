from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.settings import SECRETS, Settings, SettingsError, load_settings

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"


def test_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "vigie.toml"
    file.write_text('http = "127.0.0.1:1"\nraw_days = 7\n')
    settings = load_settings({"VIGIE_HTTP": "127.0.0.1:2", "VIGIE_CONFIG": str(file)})
    assert (settings.http, settings.raw_days) == ("127.0.0.1:2", 7)


def test_lists_are_written_in_the_environment_as_in_json() -> None:
    settings = load_settings({"VIGIE_INGEST_SLOTS": '[["W01", "W02"], ["E01"]]'})
    assert settings.ingest_slots == (("W01", "W02"), ("E01",))


def test_names_of_the_test_suite_are_not_settings() -> None:
    assert load_settings({"VIGIE_TEST_RECORDING": "x.npz"}) == Settings()


def test_passwords_stay_out_of_the_repr() -> None:
    settings = load_settings({"VIGIE_DATABASE_URL": "postgresql://vigie:sesame@localhost/vigie"})
    assert "sesame" not in repr(settings)


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgresql://vigie:sesame@localhost/vigie\n")
    assert load_settings({"VIGIE_DATABASE_URL_FILE": str(file)}).database_url == file.read_text().strip()


@pytest.mark.parametrize(
    ("content", "environ", "names"),
    [
        ("", {}, ["holds nothing"]),
        ("sesame\nopen\n", {}, ["holds several lines"]),
        ("sesame", {"VIGIE_BROKER_URL": "mqtt://h"}, ["both set"]),
        (None, {}, ["No such file"]),
    ],
)
def test_a_file_of_a_secret_that_cannot_be_used_is_refused_without_what_it_holds(
    tmp_path: Path, content: str | None, environ: dict[str, str], names: list[str]
) -> None:
    file = tmp_path / "url"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError) as refused:
        load_settings({"VIGIE_BROKER_URL_FILE": str(file), **environ})
    message = str(refused.value)
    assert all(name in message for name in ["VIGIE_BROKER_URL_FILE", *names])
    assert "sesame" not in message


def test_what_is_no_secret_is_not_read_from_a_file() -> None:
    with pytest.raises(SettingsError, match="VIGIE_HTTP_FILE"):
        load_settings({"VIGIE_HTTP_FILE": "/etc/hostname"})


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"VIGIE_HTP": "x"}, ["VIGIE_HTP", "did you mean VIGIE_HTTP?"]),
        ({"VIGIE_ZEBRA": "x"}, ["VIGIE_ZEBRA", "the settings are VIGIE_HOME"]),
        ({"VIGIE_RAW_DAYS": "-3"}, ["raw_days '-3'", "> 0", "the environment"]),
        ({"VIGIE_INGEST_WINDOW": "many"}, ["ingest_window 'many'", "int"]),
        ({"VIGIE_LOG_FORMAT": "xml"}, ["log_format 'xml'"]),
        ({"VIGIE_INGEST_SLOTS": '[["W01"], ["W01"]]'}, ["'W01' stands twice"]),
        ({"VIGIE_INGEST_SLOTS": '[["#"], ["W01"]]'}, ["'#' stands beside"]),
        ({"VIGIE_CONFIG": "/nowhere/vigie.toml"}, ["/nowhere/vigie.toml", "No such file"]),
    ],
)
def test_a_bad_setting_is_refused_in_one_line_that_names_it(environ: dict[str, str], names: list[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(environ)
    message = str(refused.value)
    assert "\n" not in message
    assert all(name in message for name in names), message


def test_a_bad_file_is_refused_by_its_name(tmp_path: Path) -> None:
    for content in ("colour = 1\n", "= broken", "raw_days = 'many'\n"):
        file = tmp_path / "vigie.toml"
        file.write_text(content)
        with pytest.raises(SettingsError, match=re.escape(str(file))):
            load_settings({}, file)


def test_every_secret_says_that_it_may_stand_in_a_file() -> None:
    assert set(re.findall(r"`VIGIE_(\w+)_FILE`", DOCS.read_text("utf-8"))) == {name.upper() for name in SECRETS}


def test_every_setting_is_documented_and_every_documented_one_exists() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", DOCS.read_text("utf-8"), flags=re.MULTILINE)
    assert documented == list(Settings.__struct_fields__)
