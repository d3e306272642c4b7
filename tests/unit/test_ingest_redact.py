"""Nothing about people survives: not in JSON, not in what was JSON, not packed, not in explanations."""

from __future__ import annotations

import gzip
import re
import string
import zlib
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.redact import KEPT_BYTES, REDACTED, STEMS, WORDS, about_people, mask, redact, redact_detail
from sensors.kind import load_kinds
from sensors.payload import Health, PayloadCodec, Rejected

SECRET = "qzxv"
"""Stands for a value about people; occurs nowhere else."""
ENVELOPE = ("time", "seq", "boot", "sensor", "health", "site", "kind", *Health.__struct_fields__)
SPELT = [re.sub(r"\[(.).*?\]", r"\1", stem) for stem in STEMS]
KEYS = st.sampled_from([*WORDS, *SPELT]).flatmap(
    lambda word: st.sampled_from([word, word.upper(), word.title(), f"the_{word}", f"{word}_1", f"a{word.title()}"])
)
VALUES = st.recursive(
    st.just(SECRET) | st.integers(0, 9).map(lambda n: f"{SECRET} {n}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["first", "count"]), inner, max_size=2),
    max_leaves=4,
)
HARMLESS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(string.digits, max_size=5)
MESSAGES = st.dictionaries(st.sampled_from(["time", "count", "speed_kmh"]), HARMLESS, max_size=3)


def nested(message: dict[str, object], depth: int) -> object:
    return message if depth == 0 else {"deeper": [nested(message, depth - 1)]}


@given(MESSAGES, KEYS, VALUES, st.integers(0, 3), st.integers(0, 200))
def test_no_value_of_a_listed_key_survives_in_json_or_in_what_is_left_of_it(
    message: dict[str, object], key: str, value: object, depth: int, lost: int
) -> None:
    assert about_people(key), key
    payload = msgspec.json.encode(nested({**message, key: value}, depth))
    for sent in (
        payload,
        payload[: len(payload) - lost],
        b"x" + payload,
        gzip.compress(payload),
        zlib.compress(payload),
    ):
        kept = redact(sent)
        assert SECRET.encode() not in kept.payload
        assert not kept.whole or SECRET.encode() not in sent
        with suppress(zlib.error):
            assert SECRET.encode() not in zlib.decompress(kept.payload, 47)


@given(st.binary(max_size=300))
def test_any_bytes_are_kept_within_bounds_and_whole_means_unchanged_meaning(payload: bytes) -> None:
    kept = redact(payload)
    assert len(kept.payload) <= KEPT_BYTES
    assert not (kept.whole and kept.redacted)
    again = redact(kept.payload)
    assert again.payload == kept.payload or not kept.whole


@pytest.mark.parametrize(
    "value",
    [
        *("AB-123-CD", "ab 123 cd", "AB123CD", "1234 AB 13", "1234-BCD", "AB12 CDE", "1-ABC-234", "M-AB 1234"),
        *(
            "00:1a:2B:3c:4d:5e",
            "00-1A-2B-3C-4D-5E",
            "001a.2b3c.4d5e",
            "001a2b3c4d5e",
            "0cc175b9c0f1b6a831c399e269772661",
        ),
        *("jean.dupont@example.org", "+33 6 12 34 56 78", "0612345678", "06.12.34.56.78", "Jean Dupont", "x" * 65),
        *("driver=Dupont", "ring me, please"),
    ],
)
def test_what_looks_like_a_person_or_a_thing_of_theirs_is_masked_under_any_key(value: str) -> None:
    for sent in (
        msgspec.json.encode({"x": value}),
        msgspec.json.encode({value: 1}),
        msgspec.json.encode([value]),
        b'{"x": "%s", "y": ' % value.encode(),
        b'{"x":"%s","x":1}' % value.encode(),
        b'{"x":"' + "".join(f"\\u{ord(c):04x}" for c in value).encode() + b'","x":1}',
        b"\xff\xfe" + value.encode("utf-16-le") if len(value) <= 64 else b"",
    ):
        kept = redact(sent)
        assert value.encode() not in kept.payload.replace(b"\0", b""), sent
        assert b"\\u00" not in kept.payload


@pytest.mark.parametrize(
    "value",
    ["W15-F1", "W17-W15", "in", "MSCU1234566", "v-1", "1.2.3", "2026-03-01T12:00:00.123456+01:00", "12,5", "°C"],
)
def test_what_sensors_say_is_left_alone(value: str) -> None:
    payload = msgspec.json.encode({"time": "2026-03-01T12:00:00Z", "x": value, "seq": 1772438400123})
    assert redact(payload) == (payload, True, False)


def test_no_field_of_a_shipped_kind_is_listed() -> None:
    kinds = load_kinds().values()
    names = {name for kind in kinds for name in (kind.name, *kind.field_names, *kind.text_names)}
    assert [name for name in names | set(ENVELOPE) if about_people(name)] == []


def test_a_name_beside_its_value_is_seen_as_one() -> None:
    kept = redact(b'[{"n":"driver","vs":"Dupont"},{"n":"speed","v":3}]')
    assert msgspec.json.decode(kept.payload) == [{"n": REDACTED, "vs": REDACTED}, {"n": "speed", "v": 3}]


def test_a_long_message_is_cut_and_no_longer_whole() -> None:
    kept = redact(msgspec.json.encode({"x": list(range(5000))}))
    assert len(kept.payload) <= KEPT_BYTES
    assert (kept.whole, kept.redacted) == (False, False)
    assert len(redact(b"[" * 1_000_000).payload) <= KEPT_BYTES


def test_packed_messages_are_kept_only_where_one_can_look_inside() -> None:
    harmless = gzip.compress(b'{"count":1}')
    assert redact(harmless) == (harmless, True, False)
    for hidden in (harmless[:-9] + b"\xff" * 9, b"\x28\xb5\x2f\xfdabc", gzip.compress(gzip.compress(b"{}"))):
        assert not redact(hidden).whole
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(redact(bomb).payload) <= KEPT_BYTES


@pytest.mark.parametrize(
    ("detail", "kept"),
    [
        ("Invalid enum value 'Dupont' - at `$.direction`", f"Invalid enum value '{REDACTED}' - at `$.direction`"),
        ("Object contains unknown field `plate`", "Object contains unknown field `plate`"),
        ("Object contains unknown field `Jean Dupont`", f"Object contains unknown field `{REDACTED}`"),
        ("Object contains unknown field `AB-123-CD`", f"Object contains unknown field `{REDACTED}`"),
        ("the payload says 'W15-F2', the topic 'W15-F1'", "the payload says 'W15-F2', the topic 'W15-F1'"),
        ("2026-03-01T12:30:00+00:00 is 1800 s ahead of its arrival",) * 2,
        ("JSON is malformed: invalid character (byte 1234)",) * 2,
    ],
)
def test_an_explanation_quotes_names_of_fields_and_sensors_only(detail: str, kept: str) -> None:
    assert redact_detail(detail) == kept


@given(MESSAGES, KEYS, VALUES)
def test_no_explanation_of_the_decoder_quotes_a_listed_value(
    message: dict[str, object], key: str, value: object
) -> None:
    for kind in load_kinds().values():
        found = PayloadCodec(kind).decode(msgspec.json.encode({**message, key: value}))
        assert not isinstance(found, Rejected) or SECRET not in redact_detail(found.detail)


def test_masking_is_quick_on_long_hostile_text() -> None:
    assert mask("a@" * 4000)
    assert mask("1-" * 4000)
    assert mask("+33" * 2500)
