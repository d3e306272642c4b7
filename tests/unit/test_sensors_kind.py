from pathlib import Path

import pytest

from sensors.kind import Kind, KindError, load_kinds, parse_kind
from sensors.rule import Cooling, Limits, Queue, SpeedRatio, TimeRatio, Work

BIN = """
name = "waste_bin"
period_s = 60
title = { en = "Waste bin", fr = "Poubelle" }
chart = "fill_pct"
level = { rule = "limits", field = "fill_pct", dense = 75, congested = 85, jammed = 95 }
fields = [{ name = "fill_pct", unit = "%", title = { en = "Fill", fr = "Remplissage" }, low = 0, high = 100 }]
texts = [{ name = "lid", title = { en = "Lid", fr = "Couvercle" }, choices = ["open", "shut"] }]
"""

BIN_LEVEL = 'rule = "limits", field = "fill_pct", dense = 75, congested = 85, jammed = 95'
WORK = 'rule = "work", rate = "fill_pct", normal = 2, state = "lamp", idle = ["open"], stopped = ["red"]'
OPEN = WORK.replace("lamp", "lid").replace("red", "shut")


def test_the_shipped_kinds_are_those_of_the_port() -> None:
    kinds = load_kinds()
    letters = {kind.letter: name for name, kind in kinds.items() if kind.letter}
    assert letters == {
        "B": "travel_time",
        "F": "traffic",
        "G": "gate",
        "P": "parking",
        "R": "reefer",
        "S": "crane",
        "W": "wind",
        "Y": "yard",
    }
    assert set(kinds) == {*letters.values(), "passage"}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("traffic", "count flow_veh_h occupancy_pct speed_kmh hgv_share"),
        ("travel_time", "median_s p85_s matches"),
        ("gate", "queue_trucks queue_m wait_s lanes_open service_s arrivals departures"),
        ("parking", "occupied capacity entries exits"),
        ("yard", "teu_used teu_capacity moves_in moves_out"),
        ("reefer", "setpoint_c supply_c return_c ambient_c plugs_used plugs_failed"),
        ("crane", "moves_h cycle_s idle_share"),
        ("passage", "lane duration_s"),
        ("wind", "mean_ms gust_ms direction_deg"),
    ],
)
def test_a_kind_has_the_columns_that_its_readers_expect(kind: str, fields: str) -> None:
    assert load_kinds()[kind].field_names == tuple(fields.split())


def test_levels_follow_the_rules_of_the_port() -> None:
    rules = {name: kind.level for name, kind in load_kinds().items() if kind.level}
    assert rules == {
        "traffic": SpeedRatio(speed="speed_kmh", occupancy="occupancy_pct", flow="flow_veh_h"),
        "gate": Limits(
            field="wait_s",
            dense=900,
            congested=1800,
            jammed=3600,
            queue=Queue(waiting="queue_trucks", lanes="lanes_open", service="service_s", usual_s=90),
        ),
        "parking": Limits(field="occupied", of="capacity", dense=0.75, congested=0.85, jammed=0.95),
        "yard": Limits(field="teu_used", of="teu_capacity", dense=0.75, congested=0.85, jammed=0.95),
        "travel_time": TimeRatio(time="median_s", matches="matches", least=3),
        "crane": Work(rate="moves_h", normal=20, state="state", idle=("idle", "off"), stopped=("wind_stop", "fault")),
        "reefer": Cooling(
            failed="plugs_failed",
            used="plugs_used",
            temperature="return_c",
            setpoint="setpoint_c",
            dense=1,
            congested=3,
            jammed=10,
            tolerance_c=2,
            defrost_c=12,
            defrost_s=2400,
            defrost_every_s=18000,
        ),
    }


def test_every_field_is_bounded_below_and_titled_in_both_languages() -> None:
    for kind in load_kinds().values():
        assert kind.title.en
        assert kind.title.fr
        for field in kind.fields:
            assert field.low is not None, (kind.name, field.name)
            assert field.title.en
            assert field.title.fr


def test_a_gate_also_publishes_passages_and_a_reader_only_its_corridors() -> None:
    kinds = load_kinds()
    assert kinds.published_by("gate") == ("gate", "passage")
    assert kinds.published_by("traffic") == ("traffic",)
    assert kinds.published_by("travel_time") == ()


def test_only_events_have_no_period() -> None:
    assert [kind.name for kind in load_kinds().values() if not kind.periodic] == ["passage"]


def test_a_definition_is_read_as_written() -> None:
    kind = parse_kind(BIN, origin="bin.toml")
    assert (kind.name, kind.subject, kind.field("fill_pct").unit) == ("waste_bin", "sensor", "%")
    assert kind.text_names == ("lid",)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("period_s = 60", "period_s = ", "Invalid value"),
        ("period_s = 60", "", "period_s"),
        ("period_s = 60", "period_s = -1", "period_s is -1"),
        ("period_s = 60", "period_s = 60\ncolour = 1", "colour"),
        ('"waste_bin"', '"Waste bin"', "'Waste bin' cannot name"),
        ('"fill_pct", unit', '"time", unit', "'time' cannot name"),
        ('"fill_pct", unit', '"corridor", unit', "'corridor' cannot name"),
        ('"lid"', '"fill_pct"', "two fields have the same name"),
        ('chart = "fill_pct"', 'chart = "weight_kg"', "'weight_kg' is used but is not one of its fields fill_pct"),
        ('chart = "fill_pct"', 'chart = "lid"', "'lid' is used but is not one of its fields"),
        ('chart = "fill_pct"', 'key = ["lane"]', "'lane' is in its key"),
        ('"limits"', '"guess"', "guess"),
        ("dense = 75", "dense = 90", "must rise"),
        ("dense = 75", "dense = nan", "must rise"),
        ("low = 0", "low = 200", "fill_pct: low 200 is not below high 100"),
        ("low = 0", "max_change_per_min = 0", "fill_pct: max_change_per_min is 0; expected more than 0"),
        ("period_s = 60", "period_s = 60\nlate_after_s = 0", "late_after_s is 0; expected seconds above 0"),
        ("period_s = 60", "period_s = 60\nclock_tolerance_s = nan", "clock_tolerance_s is nan"),
        (
            "period_s = 60",
            'period_s = 60\nmismatches = [{ rule = "below", field = "fill_pct", other = "weight_kg" }]',
            "'weight_kg' is used but is not one of its fields",
        ),
        ("period_s = 60", 'period_s = 60\nmismatches = [{ rule = "odd", field = "fill_pct" }]', "odd"),
        (BIN_LEVEL, WORK, "'lamp' is the state of its level but is not one of its texts"),
        (BIN_LEVEL, WORK.replace('"lamp"', '"lid"'), "'red' is not one of the choices of lid: open, shut"),
        (BIN_LEVEL, OPEN.replace('"shut"', '"open"'), "idle and stopped share a word"),
        (BIN_LEVEL, OPEN.replace("normal = 2", "normal = 0"), "normal is 0; expected more than 0"),
        (BIN_LEVEL, 'rule = "time_ratio", time = "fill_pct", matches = "fill_pct", least = 3', "needs the subject"),
        ('choices = ["open", "shut"]', 'pattern = "("', "lid: give either choices or a pattern"),
        (', choices = ["open", "shut"]', "", "lid: give either choices or a pattern"),
    ],
)
def test_a_bad_definition_is_refused_in_one_line_that_names_file_and_fault(old: str, new: str, complaint: str) -> None:
    assert old in BIN
    with pytest.raises(KindError) as caught:
        parse_kind(BIN.replace(old, new, 1), origin="bin.toml")
    message = str(caught.value)
    assert message.startswith("bin.toml: ")
    assert complaint in message
    assert "\n" not in message


def test_a_folder_adds_kinds_to_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "waste_bin.toml").write_text(BIN, "utf-8")
    kinds = load_kinds(tmp_path)
    assert isinstance(kinds["waste_bin"], Kind)
    assert set(kinds) == {*load_kinds(), "waste_bin"}
    assert list(kinds) == sorted(kinds)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"waste_bin"', '"gate"', "the kind 'gate' exists already"),
        ("period_s = 60", 'period_s = 60\npart_of = "lamp"', "part_of names no kind 'lamp'"),
        ("Poubelle", "Poubelle\udcff", "cannot be read"),
    ],
)
def test_a_file_that_does_not_fit_the_others_is_refused(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    (tmp_path / "kind.toml").write_bytes(BIN.replace(old, new, 1).encode("utf-8", "surrogateescape"))
    with pytest.raises(KindError, match=complaint):
        load_kinds(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KindError, match=r"kinds_dir: .*nowhere is not a folder"):
        load_kinds(tmp_path / "nowhere")
