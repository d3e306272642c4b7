"""What may be kept of a message that could not be used, or is shown as raw: nothing about people, and never much. Pure.

JSON keeps its shape: the value of a key that speaks of people is replaced, and so is every text that looks like a
plate, an address of a device, a mail address, a telephone number, a digest, a container of data or a sentence. Text
that is not JSON ends where such a key begins. Of other bytes only a short head is kept, of packed ones only what can be
unpacked and looked at. Names alone under harmless keys cannot be recognised; docs/privacy.md says so.
"""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import NamedTuple

import msgspec

KEPT_BYTES = 8192
"""Of one message: hundreds of readings fit. Lower and long ones cannot be re-ingested; higher and junk fills the disk
sooner."""
TOPIC_CHARACTERS = 256
REDACTED = "[redacted]"

WORDS = (
    "name",
    "names",
    "nom",
    "noms",
    "mac",
    "hash",
    "hashes",
    "digest",
    "mail",
    "phone",
    "mobile",
    "tel",
    "gsm",
    "imei",
    "imsi",
    "ssid",
    "bssid",
    "ip",
    "owner",
    "user",
    "person",
    "people",
    "badge",
    "note",
    "notes",
    "text",
    "message",
    "photo",
    "image",
    "face",
    "age",
    "sex",
    "gender",
    "vin",
)
"""Keys with one of these words in them speak of people: `driver_name`, `bluetoothMac`, `note`."""
STEMS = (
    "plate",
    "plaque",
    "immat",
    "driver",
    "chauffeur",
    "conducteur",
    "licen[cs]e",
    "permis",
    "passport",
    "address",
    "adresse",
    "email",
    "e-mail",
    "telephone",
    "t[eé]l[eé]phone",
    "surname",
    "firstname",
    "lastname",
    "username",
    "pr[eé]nom",
    "passenger",
    "passager",
    "pedestrian",
    "birth",
    "naissance",
    "bluetooth",
    "fingerprint",
    "signature",
    "biometr",
    "comment",
    "remark",
    "remarque",
    "freetext",
    "free_text",
    "description",
    "password",
    "token",
    "secret",
)
"""Keys that contain one of these, wherever: `plateNumber`, `licence_plate`, `emailAddress`."""

_CAPITALS = "|".join(word.capitalize() for word in WORDS)
_ABOUT_PEOPLE = re.compile(
    rf"(?i:{'|'.join(STEMS)})|(?<![A-Za-z])(?i:{'|'.join(WORDS)})(?![a-z])|(?<=[a-z])(?:{_CAPITALS})(?![a-z])"
)
_KEYLIKE = re.compile(r"[^\W\d](?:[\w-]{0,63})")
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w.-]*")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}")
_STARTS = r"(?<![0-9A-Za-z])(?:"
_LOOKS_PERSONAL = (
    r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![0-9A-Fa-f])",  # MAC
    r"(?=\d*[A-Fa-f])[0-9A-Fa-f]{12}(?![0-9A-Za-z])",
    r"[0-9A-Fa-f]{32,}",  # MD5 and longer: a hashed identity is one
    r"(?:\+|00)[1-9]\d{0,2}(?:[ .-]?\d){8,11}(?!\d)",  # telephone
    r"(?<!\.)0[1-9](?:[ .-]?\d\d){4}(?!\d)",
    # Plates: France and Italy since 1994, France before, Spain, Britain, Belgium, Germany.
    r"[A-Za-z]{2}[ -]?\d{3}[ -]?[A-Za-z]{2}(?![0-9A-Za-z])",
    r"\d{2,4}[ -]?[A-Za-z]{2,3}[ -]?(?:\d{2}|2[ABab]|97\d)(?![0-9A-Za-z])",
    r"\d{4}[ -]?[B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{3}(?![0-9A-Za-z])",
    r"[A-Za-z]{2}\d{2} ?[A-Za-z]{3}(?![0-9A-Za-z])",
    r"[1-9]-[A-Za-z]{3}-\d{3}(?![0-9A-Za-z])",
    r"[A-ZÄÖÜ]{1,3}-[A-ZÄÖÜ]{1,2} \d{1,4}(?![0-9A-Za-z])",
)
_PATTERNS = re.compile(f"{_STARTS}{'|'.join(_LOOKS_PERSONAL)})")
_HARMLESS = re.compile(r"[^\W\d]{1,31}|\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)")
"""Most texts that sensors send: a name of letters, or a time."""
_BLOB = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/=_-]{65,}")
"""Data in base64, perhaps a picture."""
_SENTENCE = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}[\s,;]+[^\W\d_]{2,}")
_QUOTED = re.compile(r"'([^']*)'|`([^`]*)`")
_PLAIN = re.compile(r"[A-Za-z0-9_.:$\[\]…/-]{1,64}|[a-z0-9]+(?: \| [a-z0-9]+)+")
_NAMING = ("n", "k", "key", "field", "label")
"""Keys whose value names what the others are the value of, as in SenML: `{"n": "driver", "vs": "..."}`."""
_MAC_SEPARATORS = 5
_LONGEST_TEXT = 64
_DEEPEST = 32
_TEXT_CHARACTERS = 2048
"""Of text that is no JSON: it cannot be decoded again, and what looking at it costs must be bounded."""
_HEAD_BYTES = 64
_PARSED_BYTES = 1 << 16
"""Longer messages are not parsed, their head is treated as text: what junk costs must be bounded."""
_PACKED = (b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh", b"PK\x03\x04", b"\x1f\x9d")
_DEFLATED = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


class Redacted(NamedTuple):
    """What is kept. `whole` says that the message can be decoded again from it, `redacted` that something is hidden."""

    payload: bytes
    whole: bool
    redacted: bool


def redact(payload: bytes) -> Redacted:
    """What may be kept of a payload."""
    return _redact(payload, packed=True)


@lru_cache(maxsize=4096)
def about_people(key: str) -> bool:
    """Whether a key speaks of people."""
    return _ABOUT_PEOPLE.search(key) is not None


def mask(text: str) -> str:
    """Replace everything in a text that looks as if it named somebody or something of theirs."""
    if "@" in text:
        text = _MAIL.sub(REDACTED, text)
    if text.count(":") >= _MAC_SEPARATORS or text.count("-") >= _MAC_SEPARATORS:
        text = _MAC.sub(REDACTED, text)
    return _PATTERNS.sub(REDACTED, text)


def redact_detail(detail: str) -> str:
    """An explanation without what it quotes of a payload, unless that is a plain name of a field or a sensor."""
    detail = detail.replace("Invalid enum value '", "Invalid enum value ' ")
    return mask(_QUOTED.sub(_unquoted, detail))


def _unquoted(found: re.Match[str]) -> str:
    quote, inside = found.group()[0], found.group(1) or found.group(2) or ""
    return found.group() if not inside or _PLAIN.fullmatch(inside) else f"{quote}{REDACTED}{quote}"


def _redact(payload: bytes, *, packed: bool) -> Redacted:
    try:
        text = payload[:_PARSED_BYTES].decode()
    except UnicodeDecodeError as exc:
        if len(payload) <= _PARSED_BYTES or exc.start < _PARSED_BYTES - 4:
            return _bytes(payload, packed=packed)
        text = payload[: exc.start].decode()
    if "\0" in text:
        return _bytes(payload, packed=packed)
    json = _json(payload, text) if len(payload) <= _PARSED_BYTES else None
    return json or _text(text, complete=len(payload) <= _PARSED_BYTES)


def _json(payload: bytes, text: str) -> Redacted | None:
    """JSON with its shape kept; None for what is no JSON."""
    try:
        value = msgspec.json.decode(payload)
        clean = _value(value, 0)
        redacted = clean != value
        encoded = msgspec.json.encode(clean)
        # Of a key that comes twice the value has only the second: then fewer colons are left, and the value is kept.
        if not redacted and "\\" not in text and encoded.count(b":") == payload.count(b":"):
            return _cut(payload, redacted=False)
        return _cut(encoded, redacted=redacted)
    except (msgspec.MsgspecError, RecursionError, OverflowError, ValueError):
        return None


def _value(value: object, depth: int) -> object:
    if isinstance(value, str):
        return _short(value)
    if depth >= _DEEPEST and isinstance(value, dict | list):
        return REDACTED
    if isinstance(value, dict):
        if any(isinstance(value.get(key), str) and about_people(value[key]) for key in _NAMING):
            return dict.fromkeys(map(_short, value), REDACTED)
        return {_short(k): REDACTED if about_people(k) else _value(v, depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [_value(v, depth + 1) for v in value]
    return value


def _short(text: str) -> str:
    """A text inside JSON: a word, a number, a time; anything more may be about somebody."""
    if _HARMLESS.fullmatch(text):
        return text
    assigns = (":" in text or "=" in text) and about_people(text)
    return REDACTED if len(text) > _LONGEST_TEXT or assigns or _SENTENCE.search(text) else mask(text)


def _text(text: str, *, complete: bool) -> Redacted:
    """Text that is no JSON, up to where people come into it."""
    head = text[:_TEXT_CHARACTERS]
    escaped = (place for place in map(head.find, ("\\u", "\\x")) if place >= 0)
    end = min((*escaped, _listed(head)))
    clean = _clean(head[:end]) + (REDACTED if end < len(head) else "")
    kept = _cut(clean.encode(), redacted=clean != head)
    return kept._replace(whole=kept.whole and complete and len(head) == len(text))


def _listed(text: str) -> int:
    """Where the first word about people begins, else the length."""
    return next((found.start() for found in _KEYLIKE.finditer(text) if about_people(found.group())), len(text))


def _clean(text: str) -> str:
    return _BLOB.sub(REDACTED, _SENTENCE.sub(REDACTED, mask(text)))


def _bytes(payload: bytes, *, packed: bool) -> Redacted:
    """Bytes that are no text: the head, unless there is something in it; unpacked where that is possible."""
    if payload.startswith(_DEFLATED):
        return _unpacked(payload) if packed else Redacted(b"", whole=False, redacted=True)
    head = payload[:_HEAD_BYTES]
    seen = payload[: 4 * _HEAD_BYTES].replace(b"\0", b"").decode("latin-1")
    if payload.startswith(_PACKED) or _listed(seen) < len(seen) or _clean(seen) != seen:
        return Redacted(b"", whole=False, redacted=True)
    return Redacted(head, whole=head == payload, redacted=False)


def _unpacked(payload: bytes) -> Redacted:
    """As it came where what is inside may be kept, else what may be kept of the inside."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    try:
        inside = unpacker.decompress(payload, _PARSED_BYTES)
    except zlib.error:
        return Redacted(b"", whole=False, redacted=True)
    kept = _redact(inside, packed=False)
    harmless = kept.whole and kept.payload == inside and unpacker.eof and not unpacker.unused_data
    if harmless and len(payload) <= KEPT_BYTES:
        return Redacted(payload, whole=True, redacted=False)
    return kept._replace(whole=False)


def _cut(payload: bytes, *, redacted: bool) -> Redacted:
    if len(payload) <= KEPT_BYTES:
        return Redacted(payload, whole=not redacted, redacted=redacted)
    kept = payload[:KEPT_BYTES].decode(errors="ignore").encode()
    return Redacted(kept, whole=False, redacted=redacted)
