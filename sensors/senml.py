"""SenML JSON (RFC 8428): packs of records with base fields, resolved into the readings of one kind.

A record gives one field at one time; records of the same time are one reading. Its name is the field's, alone or behind
the identity that the topic already gives: `speed_kmh`, `W15-F1/speed_kmh`, `W15/W15-F1/speed_kmh` or
`urn:dev:...:W15-F1:speed_kmh`. Units are compared, never converted. `seq` and `boot` are records too. Labels that the
RFC does not define are ignored, and so never stored, but for those ending in `_`, which it says must be understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, NamedTuple

import msgspec

from sensors.kind import Kind
from sensors.payload import UNREADABLE, Reason, Rejected, unreadable

RELATIVE_S = 2.0**28
"""RFC 8428, 4.5.3: a time below this is relative to now, which for us is when the message arrived."""
MAX_RECORDS = 10_000
"""Of one pack: ten times the readings that a message may have, so that each may have ten fields."""

_VERSION = 10
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTERS = frozenset({"seq", "boot"})
_LARGEST_COUNTER = 2.0**53
_NAME = re.compile(r"(?:(?P<prefix>.*)[/:])?(?P<field>[A-Za-z0-9_]+)", re.DOTALL)
SPELLINGS = {"°C": ("Cel",), "1": ("count", "/"), "°": ("deg",)}
"""How the SenML registries (RFC 8428, RFC 8798) spell a unit of ours; the same unit in other letters."""
_LABELS = frozenset({"n", "bn", "v", "vs", "vb", "vd", "bt", "bu", "bv", "bver", "s", "bs"})

_Seconds = Annotated[float, msgspec.Meta(gt=-1e12, lt=1e12)]


class _Base(msgspec.Struct, frozen=True):
    """What a record sets for itself and all after it; None leaves it as it was."""

    bn: str | None = None
    bt: _Seconds | None = None
    bu: str | None = None
    bv: float | None = None
    bver: int | None = None


class _Entry(msgspec.Struct, frozen=True):
    """What a record says of itself."""

    n: str = ""
    u: str | None = None
    t: _Seconds = 0.0
    v: float | None = None
    vs: str | None = None


class Speaker(NamedTuple):
    """Who speaks, as the topic says: names in the pack must not contradict it."""

    site: str
    thing: str
    kind: Kind


class Resolved(NamedTuple):
    """The records of one time: what they say in the envelope of `PayloadCodec.convert`, or why they cannot be used.

    `pack` holds the same records without need of a base or of the time of arrival: a SenML pack of its own.
    """

    said: dict[str, object] | Rejected
    pack: bytes


def is_senml(first: Mapping[str, object]) -> bool:
    """Whether the first object of an array is a SenML record rather than a reading, which always has a time."""
    return "time" not in first and not _LABELS.isdisjoint(first)


def resolve(payload: bytes, speaker: Speaker, received_us: int) -> list[Resolved] | Rejected:
    """The readings of one pack in the order of their first records; a base that cannot be read rejects all of it."""
    try:
        records = msgspec.json.decode(payload, type=list[dict[str, object]])
    except msgspec.ValidationError as exc:
        return Rejected(Reason.NOT_IN_SCHEMA, f"not a SenML pack: {exc}")
    except UNREADABLE as exc:
        return unreadable(exc, payload)
    if len(records) > MAX_RECORDS:
        return Rejected(Reason.OVERSIZED, f"{len(records)} records; at most {MAX_RECORDS} in one pack")
    try:
        instants = _by_time(_records(records), received_us)
    except msgspec.ValidationError as exc:
        return Rejected(Reason.NOT_IN_SCHEMA, f"a base field: {exc}")
    if not instants:
        return Rejected(Reason.EMPTY, "a pack without records")
    return [_resolved(time_us, found, speaker) for time_us, found in instants.items()]


class _Number(msgspec.Struct, frozen=True):
    n: str
    v: float = -1.0


_NUMBERS = msgspec.json.Decoder(list[_Number])


def numbers_in(pack: bytes) -> tuple[int | None, int] | None:
    """Boot and number of the one reading of a resolved pack, whatever else it holds; None where there is none."""
    try:
        records = _NUMBERS.decode(pack)
    except UNREADABLE:
        return None
    fields = [(named["field"], record.v) for record in records if (named := _NAME.fullmatch(record.n))]
    found = {
        field: int(value)
        for field, value in fields
        if field in _COUNTERS and 0 <= value <= _LARGEST_COUNTER and value.is_integer()
    }
    return (found.get("boot"), found["seq"]) if "seq" in found else None


class _Record(NamedTuple):
    """One record with its base applied; `fault` says what is wrong with it, and then `raw` is kept as it came."""

    name: str
    unit: str | None
    seconds: float
    value: float | str | None
    fault: Rejected | None = None
    raw: Mapping[str, object] | None = None


def _records(records: Iterable[Mapping[str, object]]) -> Iterator[_Record]:
    """Apply the base fields; raises `msgspec.ValidationError` for one that cannot be read."""
    name, time, unit, value = "", 0.0, None, None
    for record in records:
        base = msgspec.convert(record, _Base)
        if base.bver not in (None, _VERSION):
            raise msgspec.ValidationError(f"version {base.bver}; expected {_VERSION}")
        name = name if base.bn is None else base.bn
        time = time if base.bt is None else base.bt
        unit = unit if base.bu is None else base.bu
        value = value if base.bv is None else base.bv
        if not record.keys() <= {"bn", "bt", "bu", "bv", "bver"}:
            yield _applied(record, name, time, unit, value)


def _applied(record: Mapping[str, object], name: str, time: float, unit: str | None, base: float | None) -> _Record:
    try:
        entry = msgspec.convert(record, _Entry)
    except msgspec.ValidationError as exc:
        seconds = record.get("t", 0.0)
        at = time + seconds if isinstance(seconds, int | float) and abs(seconds) < RELATIVE_S else time
        fault = Rejected(Reason.NOT_IN_SCHEMA, f"a record: {exc}")
        return _Record(name, unit, at, None, fault, {"bn": name, "bt": time, **record})
    value: float | str | None = entry.vs
    if value is None and (entry.v is not None or base is not None):
        value = (base or 0.0) + (entry.v or 0.0)
    resolved = _Record(name + entry.n, unit if entry.u is None else entry.u, time + entry.t, value)
    if (foreign := _foreign(record)) is not None:
        return resolved._replace(fault=foreign, raw={"bn": name, "bt": time, **record})
    return resolved


def _foreign(record: Mapping[str, object]) -> Rejected | None:
    for label in record:
        if label in {"s", "bs", "vb", "vd"}:
            return Rejected(Reason.NOT_IN_SCHEMA, f"{label!r}: sums, truth values and data are no readings of a kind")
        if label.endswith("_"):
            return Rejected(Reason.NOT_IN_SCHEMA, f"{label!r} must be understood, and is not")
    return None


def _by_time(records: Iterable[_Record], received_us: int) -> dict[int, list[_Record]]:
    instants: dict[int, list[_Record]] = {}
    for record in records:
        at_us = round(record.seconds * 1e6)
        absolute_us = at_us if abs(record.seconds) >= RELATIVE_S else received_us + at_us
        instants.setdefault(absolute_us, []).append(record)
    return instants


def _resolved(time_us: int, records: list[_Record], speaker: Speaker) -> Resolved:
    pack = msgspec.json.encode(list(map(partial(_plain, time_us), records)))
    try:
        said: dict[str, object] = {"time": EPOCH + timedelta(microseconds=time_us)}
    except OverflowError:
        return Resolved(Rejected(Reason.TIME, f"{time_us / 1e6:.0f} s since 1970 is no date"), pack)
    for record in records:
        found = record.fault or _field(record, speaker)
        if isinstance(found, Rejected):
            return Resolved(found, pack)
        field, value = found
        if field in said:
            return Resolved(Rejected(Reason.NOT_IN_SCHEMA, f"{field} is given twice for one time"), pack)
        said[field] = value
    return Resolved(said, pack)


def _plain(time_us: int, record: _Record) -> dict[str, object]:
    """A resolved record (RFC 8428, 4.6), or one that could not be resolved, with what it needs to be understood."""
    if record.raw is not None:
        return dict(record.raw)
    value = {"vs" if isinstance(record.value, str) else "v": record.value}
    said = {"n": record.name, "u": record.unit, "t": time_us / 1e6, **value}
    return {label: what for label, what in said.items() if what is not None}


def _field(record: _Record, speaker: Speaker) -> tuple[str, object] | Rejected:
    """Which field a record gives, and its value."""
    named = _NAME.fullmatch(record.name)
    if named is None:
        return Rejected(Reason.NOT_IN_SCHEMA, f"{record.name!r} names no field")
    if not _is(named["prefix"] or "", speaker):
        return Rejected(Reason.IDENTITY, f"the record says {record.name!r}, the topic {speaker.thing!r}")
    field = named["field"]
    if (wrong := _unit_fault(field, record.unit, speaker.kind)) is not None:
        return wrong
    if field in _COUNTERS:
        return _counter(field, record.value)
    return field, record.value


def _is(prefix: str, speaker: Speaker) -> bool:
    site, thing, _ = speaker
    return prefix in {"", thing, f"{site}/{thing}"} or (prefix.startswith("urn:dev:") and prefix.endswith(f":{thing}"))


def _unit_fault(field: str, unit: str | None, kind: Kind) -> Rejected | None:
    """Why a record cannot have that unit; None where it is ours, or not given."""
    if field not in {*kind.field_names, *kind.text_names, *_COUNTERS}:
        return Rejected(Reason.NOT_IN_SCHEMA, f"{kind.name} has no field {field!r}")
    expected = kind.field(field).unit if field in kind.field_names else "1"
    if unit is None or unit == expected or unit in SPELLINGS.get(expected, ()):
        return None
    return Rejected(Reason.UNIT, f"{field} is in {unit!r}; expected {expected!r}, and nothing is converted")


def _counter(field: str, value: object) -> tuple[str, object] | Rejected:
    if isinstance(value, float) and value.is_integer() and 0 <= value <= _LARGEST_COUNTER:
        return field, int(value)
    return Rejected(Reason.NOT_IN_SCHEMA, f"{field} is {value!r}; expected a whole number from 0")
