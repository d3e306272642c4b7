from __future__ import annotations

from pathlib import Path

import pytest

from sensors.broker_url import BrokerUrlError
from sensors.catalogue import CatalogueError, Sensor, shipped_catalogue
from sensors.errors import OperatorError
from sensors.kind import Kinds, load_kinds, parse_kind
from service.arguments import parse
from service.field_broker import FieldBrokerError, tells_password
from service.fieldwork import Fieldwork
from service.settings import Settings
from simulators.world import World

PORT, KINDS = shipped_catalogue(), load_kinds()
BIN = parse_kind(
    'name = "bin"\nletter = "T"\nperiod_s = 600\ntitle = {en = "Bin", fr = "Benne"}\n'
    '[[fields]]\nname = "fill_pct"\nunit = "%"\nlow = 0\nhigh = 100\ntitle = {en = "Fill", fr = "Niveau"}\n',
    origin="bin.toml",
)
OWN_KINDS = Kinds({**KINDS, "bin": BIN})
OWN = type(PORT)(sites=PORT.sites, sensors=(*PORT.sensors, Sensor(id="W07-T1", site="W07", kind="bin")))
CORRIDOR = """
sites = [{id = "b", name = "b", basin = "west"}]
sensors = []
corridors = [{id = "b-b", from_site = "b", to_site = "b", reader = "r", length_km = 1}]"""
HERE = ["--broker", "mqtt://127.0.0.1:1"]


def fieldwork(*words: str, **settings: str) -> Fieldwork:
    return Fieldwork.of(parse(["simulate", *words]), Settings(**settings))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def world() -> World:
    return World(OWN, OWN_KINDS, 1)


def test_a_broker_of_ones_own_needs_no_database() -> None:
    place = fieldwork(*HERE).place
    assert place.catalogue == PORT
    assert place.broker is not None
    assert place.broker.label == "127.0.0.1:1"


def test_with_a_home_the_catalogue_is_the_database_s(tmp_path: Path) -> None:
    assert fieldwork(*HERE, "--home", str(tmp_path)).place.catalogue is None
    assert fieldwork(*HERE, "--home", str(tmp_path), "--catalogue", "shipped").place.catalogue == PORT
    assert fieldwork().place.broker is None


async def test_a_broker_of_the_environment_serves_a_catalogue_of_ones_own() -> None:
    settings = Settings(broker_url="mqtt://127.0.0.1:2")
    broker, catalogue = await fieldwork("--catalogue", "shipped").place.find(settings)
    assert (broker.port, catalogue) == (2, PORT)


def test_credentials_come_from_the_url_a_file_or_the_environment(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from file\n")
    of_file = fieldwork(*HERE, "--user", "me", "--password-file", str(tmp_path / "password")).place.broker
    of_environment = fieldwork(*HERE, "--user", "me", simulate_password="from env").place.broker
    of_url = fieldwork("--broker", "mqtt://me:url@h", simulate_password="from env").place.broker
    for broker, password in ((of_file, "from file"), (of_environment, "from env"), (of_url, "url")):
        assert broker is not None
        assert (broker.user, broker.password) == ("me", password)
        assert password not in repr(broker)
    assert "from env" not in repr(Settings(simulate_password="from env"))


@pytest.mark.parametrize(("url", "told"), [("mqtt://me:pw@h", True), ("mqtt://me@h", False), ("mqtt://h", False)])
def test_a_password_on_the_command_line_is_noticed(url: str, told: bool) -> None:  # noqa: FBT001
    assert tells_password(parse(["simulate", "--broker", url])) == told


@pytest.mark.parametrize(
    ("words", "error", "told"),
    [
        (["--user", "me"], FieldBrokerError, "--user is for a broker of yours"),
        ([*HERE, "--ca-file", "ca.pem"], FieldBrokerError, "write the broker as mqtts://127.0.0.1:1"),
        (["--broker", "mqtts://h", "--key", "k.pem"], FieldBrokerError, "--key needs --cert"),
        (
            ["--broker", "mqtts://h", "--ca-file", "/nowhere"],
            BrokerUrlError,
            "/nowhere: no certificates of authorities",
        ),
        (
            ["--broker", "mqtts://h", "--cert", "/nowhere"],
            BrokerUrlError,
            "/nowhere: no certificate in PEM with its key",
        ),
        (["--broker", "mqtt://me@h", "--user", "you"], FieldBrokerError, "leave one of them out"),
        ([*HERE, "--password-file", "/nowhere"], FieldBrokerError, "/nowhere: no password can be read"),
        ([*HERE, "--password-file", "/dev/null", "--user", "me"], FieldBrokerError, "its first line is empty"),
        ([*HERE, "--password-file", __file__], FieldBrokerError, "--password-file needs --user"),
        ([*HERE, "--catalogue", "/nowhere"], CatalogueError, "/nowhere: cannot be read"),
        ([*HERE, "--catalogue", __file__], CatalogueError, "not a catalogue as sensors/port.toml is one"),
        (["--set", "queue_trucks=4"], OperatorError, "--set needs --only"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_one_line(
    words: list[str], error: type[OperatorError], told: str
) -> None:
    with pytest.raises(error) as caught:
        fieldwork(*words)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('sites = []\nsensors = [{id = "a", site = "b", kind = "gate"}]', "sensor a stands at 'b'"),
        (CORRIDOR, "corridor b-b is read by 'r'"),
    ],
)
def test_a_catalogue_that_names_what_it_does_not_have_is_refused(tmp_path: Path, line: str, told: str) -> None:
    (tmp_path / "port.toml").write_text(line)
    with pytest.raises(CatalogueError, match=told):
        fieldwork(*HERE, "--catalogue", str(tmp_path / "port.toml"))


def test_everything_sends_where_nothing_is_chosen(world: World) -> None:
    manner = fieldwork(*HERE).manner(world, OWN_KINDS)
    assert manner.only == {thing.id for thing in world.things}
    assert not manner.extra


def test_sites_and_sensors_narrow_each_other(world: World) -> None:
    words = ["--site", "W07", "W05", "--only", "W07-G1,W07-G2"]
    assert fieldwork(*HERE, *words).manner(world, OWN_KINDS).only == {"W07-G1", "W07-G2"}


def test_values_set_by_hand_are_for_every_sensor_named(world: World) -> None:
    manner = fieldwork(*HERE, "--only", "W07-G1", "W07-G2", "--set", "queue_trucks=40").manner(world, OWN_KINDS)
    assert manner.said == {"W07-G1": {"queue_trucks": 40}, "W07-G2": {"queue_trucks": 40}}


def test_a_sensor_of_a_kind_of_ones_own_is_played_by_hand(world: World) -> None:
    manner = fieldwork(*HERE, "--only", "W07-T1", "--set", "fill_pct=80").manner(world, OWN_KINDS)
    assert [(thing.id, thing.kind, thing.period_s) for thing in manner.extra] == [("W07-T1", "bin", 600)]
    assert manner.said == {"W07-T1": {"fill_pct": 80}}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--only", "W07-T1"], "W07-T1: nobody simulates a bin; say what it measures with --set"),
        (["--only", "W07-G1", "W08-S1", "--set", "queue_trucks=1"], "these are crane and gate"),
        (["--only", "W07-G1", "--set", "fill_pct=1"], "there is no field 'fill_pct'"),
        (["--only", "W07-G9"], "there is no sensor 'W07-G9'; did you mean W07-G"),
        (["--site", "W77"], "there is no site 'W77'"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_in_one_line(world: World, words: list[str], told: str) -> None:
    with pytest.raises(OperatorError) as caught:
        fieldwork(*HERE, *words).manner(world, OWN_KINDS)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("words", [["--rate", "0"], ["--jitter", "1"], ["--qos", "2"], ["--rate", "2", "--every", "3"]])
def test_an_option_that_cannot_be_is_refused_by_name(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["simulate", *words])
    assert caught.value.code == 2
    assert words[-2] in capsys.readouterr().err
