from __future__ import annotations

import pytest

from sensors.kind import load_kinds
from simulators.by_hand import SettingError, values_of

GATE, CRANE, TRAFFIC = (load_kinds()[name] for name in ("gate", "crane", "traffic"))


def test_numbers_texts_and_nothing_can_be_set() -> None:
    assert values_of(["queue_trucks=40", "wait_s=90.5", "service_s=null"], GATE) == {
        "queue_trucks": 40,
        "wait_s": 90.5,
        "service_s": None,
    }
    assert values_of(["state=wind_stop"], CRANE) == {"state": "wind_stop"}


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("queue=40", "there is no field 'queue'"),
        ("queue_trucks", "expected FIELD=VALUE"),
        ("queue_trucks=", "expected FIELD=VALUE"),
        ("queue_trucks=many", "expected a number, or null"),
        ("queue_trucks=nan", "expected a number, or null"),
        ("queue_trucks=inf", "expected a number, or null"),
        ("queue_trucks=501", "this cannot be, --force"),
        ("queue_trucks=-1", "this cannot be, --force"),
    ],
)
def test_what_cannot_be_set_is_refused_in_one_line_with_the_fields_and_units(word: str, told: str) -> None:
    with pytest.raises(SettingError) as caught:
        values_of([word], GATE)
    message = str(caught.value)
    assert message.startswith(f"--set {word}: {told}")
    assert "the kind gate has queue_trucks (0 to 500), queue_m (m, 0 to 10000), wait_s (s, 0 to 43200)" in message
    assert "\n" not in message


def test_a_text_names_its_choices() -> None:
    with pytest.raises(SettingError, match=r"state \(working or idle or wind_stop or fault or off\)"):
        values_of(["state=broken"], CRANE)


def test_a_field_without_an_upper_bound_takes_any_number_above_the_lower() -> None:
    assert values_of(["count=1e9"], TRAFFIC) == {"count": 1e9}
    with pytest.raises(SettingError, match=r"count \(from 0\)"):
        values_of(["count=-1"], TRAFFIC)


@pytest.mark.parametrize(("word", "value"), [("queue_trucks=-99", -99), ("queue_trucks=70000", 70000)])
def test_force_sends_what_cannot_be(word: str, value: float) -> None:
    assert values_of([word], GATE, force=True) == {"queue_trucks": value}
    assert values_of(["state=broken"], CRANE, force=True) == {"state": "broken"}


def test_force_invents_no_field() -> None:
    with pytest.raises(SettingError, match="there is no field"):
        values_of(["speed=1"], GATE, force=True)
