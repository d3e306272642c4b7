"""The embedded mosquitto: its configuration, its password, and how to tell that it is up."""

import base64
import hashlib
import secrets
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from deploy.embedded.account import Account, write_private
from deploy.embedded.home import LOOPBACK, Home, Kept

USER = "vigie"
# Both ends must agree: a broker that takes more than its client does acknowledges a message and never
# delivers it. 1 MiB is thousands of times a reading, and little enough to hold for every connection.
MAX_PACKET_BYTES = 1_048_576
# Bounds what waits for one absent session, by payload: counting messages instead would drop silently at
# a number that says nothing about memory. About 1.8 million readings of 150 bytes, five and a half hours
# of 90 sensors at 1/s. Lower drops sooner when ingest is away; higher costs memory, some three times as
# much as is counted here, and every save writes all of it.
MAX_QUEUED_BYTES = 268_435_456
# Loss by a kill of the broker is bounded by this; below 1 is not possible without saving on each change.
AUTOSAVE_S = 1
# What mosquitto_passwd of 2.0 writes. The password is random and long, so no count would make it safer.
_HASH_ROUNDS = 101


def configuration(folder: Path, port: int) -> str:
    """Write the broker's configuration: one listener on loopback, one user, everything kept."""
    return f"""\
listener {port} {LOOPBACK}
allow_anonymous false
password_file {folder}/passwords
persistence true
persistence_location {folder}/
autosave_interval {AUTOSAVE_S}
autosave_on_changes false
# 0 leaves the window to the client's receive maximum; the default of 20 would cap it.
max_inflight_messages 0
max_queued_messages 0
max_queued_bytes {MAX_QUEUED_BYTES}
max_packet_size {MAX_PACKET_BYTES}
set_tcp_nodelay true
log_dest stderr
log_timestamp_format %Y-%m-%dT%H:%M:%S%z
log_type error
log_type warning
log_type notice
connection_messages false
"""


def password_line(user: str, password: str, salt: bytes) -> str:
    """Write a line of mosquitto's password file: PBKDF2 with HMAC-SHA512."""
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _HASH_ROUNDS)
    parts = ["", "7", str(_HASH_ROUNDS), _base64(salt), _base64(digest)]
    return f"{user}:{'$'.join(parts)}\n"


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


class Broker:
    """mosquitto on one home."""

    name = "broker"
    stop_signal = signal.SIGTERM

    def __init__(self, home: Home, kept: Kept, account: Account, mosquitto: Path) -> None:
        self.account = account
        self.log = home.log / "broker.log"
        self._folder = home.broker
        self._kept = kept
        self._mosquitto = mosquitto
        self._config = home.broker / "mosquitto.conf"

    @property
    def url(self) -> str:
        """Give the URL with which clients reach the broker."""
        return f"mqtt://{USER}:{self._kept.broker_password}@{LOOPBACK}:{self._kept.broker_port}"

    def command(self) -> Sequence[str | Path]:
        """Run mosquitto in the foreground."""
        return [self._mosquitto, "-c", self._config]

    def is_ours(self, argv: list[str]) -> bool:
        """Recognise the mosquitto that was given this home's configuration."""
        return str(self._config) in argv and any(Path(word).name == "mosquitto" for word in argv[:6])

    async def prepare(self) -> None:
        """Write the configuration and the password file."""
        line = password_line(USER, self._kept.broker_password, secrets.token_bytes(12))
        await write_private(self._folder / "passwords", line, self.account)
        text = configuration(self._folder, self._kept.broker_port)
        await write_private(self._config, text, self.account)

    def is_ready(self, pid: int) -> bool:
        """Say whether it listens, which mosquitto does after it has read what it had saved."""
        del pid
        with socket.socket() as probe:
            return probe.connect_ex((LOOPBACK, self._kept.broker_port)) == 0
