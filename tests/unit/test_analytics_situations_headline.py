"""Situations in words: sentences for the telephone, lines for a sign."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime

import pytest
from making import ONSET_US, some_situation

from analytics.situations.called import SIGN_SIGNS, short, spoken
from analytics.situations.cause import Cause, Hint
from analytics.situations.headline import Headlines
from analytics.situations.situation import Expectation, Situation, Span, Spillback, State, Trend
from sensors.catalogue import Catalogue, Sensor, Site, shipped_catalogue
from sensors.kind import load_kinds
from sensors.level import Level

CATALOGUE, KINDS = shipped_catalogue(), load_kinds()
HEADLINES = Headlines(CATALOGUE, KINDS)
"""07:12 in Paris."""
SIGN_WORDS = set(
    re.findall(
        r"\S+",
        """
    BOUCHON RALENTISSEMENT TRAFIC DENSE FILE D'ATTENTE PARC PLEIN PORTIQUES ARRÊTÉS PARKING COMPLET ALERTE FRIGO APRÈS
    TRAFFIC JAM SLOW LORRY QUEUE YARD FULL CRANES STOPPED PARK REEFER ALERT AFTER""",
    )
)
MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000


def gate(**other: object) -> Situation:
    values = {"kind": "gate", "sites": ("W07",), "head": "W07", "tail": "W07", "sensors": ("W07-G1",)}
    return some_situation(**(values | {"length_m": None} | other))


def caused(cause: Cause, **evidence: float | str) -> dict[str, object]:
    return {"cause": cause, "causes": (Hint(Cause.RECURRENT, 0.9), Hint(cause, 0.97, evidence))}


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def french(one: Situation) -> str:
    return plain(HEADLINES.of(one).fr)


def english(one: Situation) -> str:
    return plain(HEADLINES.of(one).en)


def test_jam_is_told_with_road_place_length_onset_trend_and_cause() -> None:
    jam = some_situation(**caused(Cause.GATE_OUTAGE, gate="W07", lanes=4.0, lanes_open=2.0))
    assert french(jam) == (
        "Bouchon sur la RD268 vers Port-Saint-Louis, entre La Fossette et Graveleau, 3,8 km, depuis 7 h 12, "
        "en extension. Cause : panne à la porte Seayard, 2 voies sur 4 fermées."
    )
    assert english(jam) == (
        "Traffic jam on RD268 towards Port-Saint-Louis, between La Fossette and Graveleau, 3.8 km, since 07:12, "
        "growing. Cause: outage at Porte Seayard, 2 of 4 lanes shut."
    )


@pytest.mark.parametrize(
    ("one", "fr", "en"),
    [
        (
            gate(**caused(Cause.GATE_OUTAGE, lanes=4.0, lanes_open=3.0)),
            "File d’attente de camions à la porte Seayard, depuis 7 h 12. Cause : panne, 1 voie sur 4 fermée.",
            "Queue of lorries at Porte Seayard, since 07:12. Cause: outage, 1 of 4 lanes shut.",
        ),
        (
            gate(**caused(Cause.GATE_OUTAGE, lanes=4.0, lanes_open=0.0)),
            "File d’attente de camions à la porte Seayard, depuis 7 h 12. Cause : panne, aucune voie ouverte.",
            "Queue of lorries at Porte Seayard, since 07:12. Cause: outage, no lane open.",
        ),
        (
            gate(**caused(Cause.GATE_OUTAGE, lanes=4.0, lanes_open=4.0, service_ratio=1.8)),
            (
                "File d’attente de camions à la porte Seayard, depuis 7 h 12. "
                "Cause : panne, passages 1,8 fois plus longs que d’habitude."
            ),
            (
                "Queue of lorries at Porte Seayard, since 07:12. "
                "Cause: outage, each lorry takes 1.8 times as long as usual."
            ),
        ),
        (
            gate(sites=("E04",), **caused(Cause.SURGE, arrivals_h=138.2, arrivals_usual_h=90.4)),
            (
                "File d’attente de camions au Terminal Roulier Sud, depuis 7 h 12. "
                "Cause : afflux de camions, 138 arrivées à l’heure au lieu de 90."
            ),
            (
                "Queue of lorries at Terminal Roulier Sud, since 07:12. "
                "Cause: rush of lorries, 138 arrivals an hour instead of 90."
            ),
        ),
        (
            gate(**caused(Cause.YARD_SATURATED, yard_share=0.93)),
            "File d’attente de camions à la porte Seayard, depuis 7 h 12. Cause : parc à conteneurs plein à 93 %.",
            "Queue of lorries at Porte Seayard, since 07:12. Cause: container yard full to 93%.",
        ),
        (
            some_situation(
                kind="crane", sites=("W06", "W08"), sensors=("W06-S1", "W08-S1"), **caused(Cause.WIND_STOP, gust_ms=27)
            ),
            "2 portiques à l’arrêt à Eurofos et à Seayard, depuis 7 h 12. Cause : vent fort, rafales à 97 km/h.",
            "2 cranes stopped at Eurofos and at Seayard, since 07:12. Cause: strong wind, gusts of 97 km/h.",
        ),
        (
            some_situation(
                kind="crane", sites=("W08",), sensors=(), spans=(Span("W08-S2", ONSET_US, None),), state=State.CLEARING
            ),
            "Portique à l’arrêt à Seayard, depuis 7 h 12, presque terminé.",
            "Crane stopped at Seayard, since 07:12, almost over.",
        ),
        (
            some_situation(kind="yard", sites=("W06",), level=Level.CONGESTED, **caused(Cause.YARD_SATURATED)),
            "Parc à conteneurs presque plein à Eurofos, depuis 7 h 12.",
            "Container yard almost full at Eurofos, since 07:12.",
        ),
        (
            some_situation(kind="parking", sites=("W09",)),
            "Stationnement poids lourds complet au parking de Graveleau, depuis 7 h 12.",
            "Lorry park full at Parking de Graveleau, since 07:12.",
        ),
        (
            some_situation(kind="wind", sites=("E09",)),
            "Vent : niveau critique au quai des croisières, depuis 7 h 12.",
            "Wind: critical level at Quai des croisières, since 07:12.",
        ),
    ],
)
def test_every_kind_is_told_in_its_own_words(one: Situation, fr: str, en: str) -> None:
    assert (french(one), english(one)) == (fr, en)


@pytest.mark.parametrize(
    ("minutes", "fr", "en"),
    [
        (
            (80, 108, 168),
            "Fin prévue vers 9 h, entre 8 h 30 et 10 h.",
            "to end at about 09:00, between 08:30 and 10:00.",
        ),
        ((107, 108, 109), "Fin prévue vers 9 h.", "to end at about 09:00."),
        ((-30, 20, 48), "Fin prévue vers 7 h 30, entre 7 h 20 et 8 h.", "at about 07:30, between 07:20 and 08:00."),
        ((60, 1200, 1248), "Fin prévue demain vers 3 h 10, entre", "to end tomorrow at about 03:10, between"),
    ],
)
def test_expected_end_is_told_with_its_range(minutes: tuple[int, int, int], fr: str, en: str) -> None:
    end = Expectation(*(ONSET_US + minute * MINUTE for minute in minutes))
    assert fr in french(gate(expected_end=end))
    assert en in english(gate(expected_end=end))


@pytest.mark.parametrize(
    ("minutes", "fr", "en"),
    [
        (21, "Atteindra la RD268 dans 15 minutes, vers 7 h 35.", "Will reach RD268 in 15 minutes, at about 07:35."),
        (9, "Atteindra la RD268 d’un instant à l’autre.", "Will reach RD268 any moment."),
        (None, "A atteint la RD268.", "Has reached RD268."),
    ],
)
def test_queue_of_a_gate_says_which_road_it_will_reach(minutes: int | None, fr: str, en: str) -> None:
    reaches_us = None if minutes is None else ONSET_US + minutes * MINUTE
    queue = gate(spillback=Spillback("W02-W03", "W03", 690.0, 0.6, reaches_us))
    assert french(queue).endswith(f"depuis 7 h 12. {fr}")
    assert english(queue).endswith(f"since 07:12. {en}")


def test_jam_says_which_place_it_will_reach() -> None:
    jam = some_situation(spillback=Spillback("W12-W01", "W01", 2430.0, 0.6, ONSET_US + 33 * MINUTE))
    assert french(jam).endswith("Atteindra La Fossette dans 25 minutes, vers 7 h 45.")
    later = some_situation(spillback=Spillback("W12-W01", "W01", 2430.0, 0.1, ONSET_US + 100 * MINUTE))
    assert french(later) == french(some_situation())


def test_end_that_has_passed_is_not_expected() -> None:
    past = Expectation(ONSET_US, ONSET_US + 5 * MINUTE, ONSET_US + 60 * MINUTE)
    assert french(gate(expected_end=past)) == french(gate())


def test_jam_that_outlasts_its_outage_still_says_at_which_gate_it_was() -> None:
    jam = some_situation(cause=Cause.GATE_OUTAGE, causes=(), parent="20260302T060000Z-W07-G3")
    assert french(jam).endswith("Cause : panne à la porte Seayard.")
    assert french(some_situation(cause=Cause.GATE_OUTAGE, causes=(), parent="20260302T060000Z-W06-Y1")).endswith(
        "Cause : panne."
    )


def test_accident_is_only_probable_because_nobody_has_seen_it() -> None:
    jam = some_situation(head="E06-E10", tail="E05-E06", level=Level.CONGESTED, trend=Trend.STEADY)
    jam = some_situation(**{name: getattr(jam, name) for name in jam.__slots__} | caused(Cause.ACCIDENT, out_ratio=0.4))
    assert french(jam).startswith("Ralentissement sur l’A55 vers Marseille, entre Mourepiane et Joliette, 3,8 km")
    assert french(jam).endswith("depuis 7 h 12. Cause probable : accident ou véhicule arrêté.")
    assert english(jam).endswith("since 07:12. Probable cause: accident or vehicle stopped.")


@pytest.mark.parametrize(
    ("cause", "fr", "en"),
    [
        (Cause.ACCIDENT, "Cause probable : trafic retenu par un accident.", "traffic held up by an accident before."),
        (Cause.LANE_CLOSED, "Cause : trafic retenu par une voie fermée.", "traffic held up by a closed lane before."),
        (Cause.GATE_OUTAGE, "Cause : camions retardés par une panne.", "lorries held up by an outage before."),
    ],
)
def test_wave_is_told_as_what_was_held_up(cause: Cause, fr: str, en: str) -> None:
    jam = some_situation(**caused(cause, after="20260302T060000Z-W11-F2"))
    assert french(jam).endswith(fr)
    assert english(jam).endswith(en)


def test_what_is_over_says_when_and_leaves_signs_blank() -> None:
    over = some_situation(state=State.ENDED, end_us=ONSET_US + 108 * MINUTE, at_us=ONSET_US + 120 * MINUTE)
    assert french(over).startswith("Terminé à 9 h : bouchon sur la RD268 vers Port-Saint-Louis")
    assert english(over).startswith("Ended at 09:00: traffic jam on RD268")
    assert HEADLINES.of(over).sign_fr == HEADLINES.of(over).sign_en == ("", "")


@pytest.mark.parametrize(
    ("at_us", "fr", "en"),
    [
        (ONSET_US + HOUR, "depuis 7 h 12", "since 07:12"),
        (ONSET_US + DAY, "depuis hier à 7 h 12", "since yesterday at 07:12"),
        (ONSET_US + 3 * DAY, "depuis le 2 mars à 7 h 12", "since 2 March at 07:12"),
    ],
)
def test_day_is_named_when_it_is_not_today(at_us: int, fr: str, en: str) -> None:
    assert fr in french(gate(at_us=at_us))
    assert en in english(gate(at_us=at_us))


@pytest.mark.parametrize(
    ("month", "day", "hour", "fr"),
    [
        (3, 29, 0, "depuis 1 h"),  # before the clocks are put forward
        (3, 29, 1, "depuis 3 h"),
        (7, 1, 22, "depuis 0 h"),  # already the second in Paris
    ],
)
def test_times_are_those_of_paris(month: int, day: int, hour: int, fr: str) -> None:
    onset_us = int(datetime(2026, month, day, hour, tzinfo=UTC).timestamp()) * 1_000_000
    assert (
        french(gate(onset_us=onset_us, at_us=onset_us + MINUTE))
        == f"File d’attente de camions à la porte Seayard, {fr}."
    )


def test_first_of_a_month_has_its_ordinal_in_french() -> None:
    onset_us = int(datetime(2026, 8, 1, 6, 5, tzinfo=UTC).timestamp()) * 1_000_000
    assert "depuis le 1er août à 8 h 05" in french(gate(onset_us=onset_us, at_us=onset_us + 4 * DAY))


def test_headline_follows_its_facts() -> None:
    headlines = Headlines(CATALOGUE, KINDS)
    before = headlines.of(gate())
    assert headlines.of(gate(at_us=ONSET_US + 10 * MINUTE)) is before
    assert headlines.of(gate(sites=("W05",))).fr != before.fr


def test_stations_of_a_recording_are_told_by_their_names() -> None:
    site = Site(id="R", name="Los Angeles", basin="recording", clock="recording")
    stations = tuple(Sensor(id=f"77{k}", site="R", kind="traffic", name="") for k in range(2))
    headlines = Headlines(Catalogue(sites=(site,), sensors=stations), KINDS)
    jam = some_situation(sites=("R",), places=("770",), sensors=("770",), head="770", tail="771", length_m=None)
    assert plain(headlines.of(jam).fr) == "Bouchon entre 771 et 770, depuis 7 h 12, en extension."
    assert headlines.of(jam).sign_fr == ("BOUCHON", "LOS ANGELES")


def everything() -> list[Situation]:
    """A situation on every section of the shipped port and on every two that follow each other, and of every kind at
    every site, at every level."""
    sections = CATALOGUE.sections
    follow = [(a, b) for a in sections for b in sections if a.to_site == b.from_site and a.from_site != b.to_site]
    roads = [some_situation(head=one.id, tail=one.id, level=level) for one in sections for level in list(Level)[2:]]
    roads += [some_situation(head=head.id, tail=tail.id) for tail, head in follow]
    kinds = {
        (sensor.kind, sensor.site) for sensor in CATALOGUE.sensors if sensor.kind not in ("traffic", "travel_time")
    }
    return roads + [some_situation(kind=kind, sites=(site,), head=site, tail=site) for kind, site in sorted(kinds)]


def test_signs_have_two_full_lines_of_whole_words_for_every_place_of_the_port() -> None:
    known = " ".join([*(site.name for site in CATALOGUE.sites), *(section.road for section in CATALOGUE.sections)])
    words = set(re.split(r"[ ,]+", known.upper()))
    words |= SIGN_WORDS
    for one in everything():
        for lines in (HEADLINES.of(one).sign_fr, HEADLINES.of(one).sign_en):
            assert all(0 < len(line) <= SIGN_SIGNS for line in lines), lines
            assert {word for line in lines for word in re.split(r"[ ,]+", line)} <= words, lines


def test_sentences_say_each_place_once_and_have_no_gaps() -> None:
    for one, language in itertools.product(everything(), ("fr", "en")):
        said = getattr(HEADLINES.of(one), language)
        assert not re.search(r"\{|\}|  |None| à le | à les |entre (.+) et \1,|between (.+) and \2,", plain(said)), said


@pytest.mark.parametrize("site", CATALOGUE.sites, ids=lambda site: site.id)
def test_short_names_are_words_of_the_long_ones(site: Site) -> None:
    assert 0 < len(short(site.name)) <= SIGN_SIGNS
    assert f" {short(site.name)} " in f" {site.name} ".replace(",", " ")
    assert spoken(site.name) in site.name


def test_a_word_longer_than_a_sign_is_cut_because_nothing_else_is_left() -> None:
    assert short("Saint-Remy-en-Bouzemont-Saint-Genest") == "Saint-Remy-en-Bouzem"
