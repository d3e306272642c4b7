"""Sensor health: which are at fault, how much of them arrives, their clocks, gaps, receipts and batteries."""

from __future__ import annotations

from deploy.grafana.drawing import Column, Panel
from deploy.grafana.sheet import BASIN, SITE, Sheet
from deploy.grafana.types import figures, series, shares, table
from deploy.grafana.words import CALM, CONGESTED, DENSE, JAMMED, VERDICTS, Language, Words
from sensors.kind import load_kinds
from store.panels import health

_SENSOR = Column("sensor", Words("Sensor", "Capteur"), width=100)
_THING = Column("thing", Words("Sensor or corridor", "Capteur ou itinéraire"), width=150)
_SITE = Column("site", Words("Site", "Site"), width=70)


def sensor_health(_: Language) -> Sheet:
    return Sheet(
        uid="vigie-health",
        title=Words("Sensor health", "Santé des capteurs"),
        about=Words("Is each sensor alive, honest and on time?", "Chaque capteur est-il vivant, juste et à l’heure ?"),
        choices=[BASIN, SITE],
        rows=[
            (Words("What is wrong", "Ce qui ne va pas"), _wrong()),
            (Words("What arrives", "Ce qui arrive"), _arrives()),
            (Words("Devices", "Appareils"), _devices()),
        ],
        since="now-24h",
        refresh="1m",
    )


def _wrong() -> list[Panel]:
    one = ((None, CALM), (1, JAMMED))
    return [
        figures(
            Words("Faults now", "Défauts en cours"),
            Words(
                "Sensors, whole sites and whole basins that are at fault.",
                "Capteurs, sites entiers et bassins entiers en défaut.",
            ),
            health.faulty(),
            [
                Column("sensors", Words("Sensors", "Capteurs"), steps=((None, CALM), (1, DENSE), (5, CONGESTED))),
                Column("sites", Words("Sites", "Sites"), steps=one),
                Column("basins", Words("Basins", "Bassins"), steps=one),
            ],
            width=12,
            height=8,
        ),
        shares(
            Words("Verdicts", "Verdicts"),
            Words(
                "Whether what each says is taken as the road’s, or as the sensor’s own fault.",
                "Si ce que chacun dit est pris pour la route, ou pour son propre défaut.",
            ),
            health.verdicts(),
            [Column("verdict", Words("Verdict", "Verdict"), mapping=VERDICTS)],
            width=12,
        ),
        table(
            Words("Faults", "Défauts"),
            Words(
                "What is wrong, the oldest first; docs/faults.md shows each.",
                "Ce qui ne va pas, le plus ancien d’abord.",
            ),
            health.faults(),
            [
                Column("place", Words("Where", "Où"), width=110),
                Column("scope", Words("Befalls", "Touche")),
                _SITE,
                Column("kind", Words("Kind", "Type")),
                Column("fault", Words("Fault", "Défaut")),
                Column("since", Words("Since", "Depuis")),
                Column("lasts_s", Words("Lasts", "Dure"), "dtdurations"),
            ],
            width=14,
        ),
        table(
            Words("Silent", "Muets"),
            Words("Nothing for 10 minutes, or never.", "Rien depuis 10 minutes, ou jamais."),
            health.silent(),
            [
                _THING,
                _SITE,
                Column("kind", Words("Kind", "Type")),
                Column("newest", Words("Newest", "Dernière")),
                Column("age_s", Words("Age", "Âge"), "dtdurations"),
            ],
            width=10,
        ),
    ]


def _arrives() -> list[Panel]:
    return [
        series(
            Words("Coverage by site", "Couverture par site"),
            Words(
                "Readings that came of those that were due. Under 75 % an aggregate is unknown.",
                "Mesures arrivées parmi celles attendues. Sous 75 % un agrégat est inconnu.",
            ),
            health.coverage(load_kinds()),
            unit="percent",
            width=24,
            high=100,
            steps=((None, JAMMED), (75, DENSE)),
        ),
        table(
            Words("Missing readings", "Mesures manquantes"),
            Words(
                "Numbers that senders gave and that never came. What a sensor with receipts still keeps comes again.",
                "Numéros donnés par les émetteurs et jamais arrivés. Ce qu’un capteur à reçus garde encore revient.",
            ),
            health.gaps(),
            [
                _THING,
                _SITE,
                Column("gaps", Words("Gaps", "Trous")),
                Column("missing", Words("Missing", "Manquantes"), steps=((None, CALM), (10, DENSE), (1000, CONGESTED))),
                Column("oldest", Words("Oldest", "Plus ancien")),
                Column("newest", Words("Newest", "Plus récent")),
            ],
            width=12,
        ),
        table(
            Words("Receipts", "Reçus"),
            Words(
                "How far each sender’s numbers are settled since its last start.",
                "Jusqu’où les numéros de chaque émetteur sont réglés depuis son dernier démarrage.",
            ),
            health.receipts(),
            [
                _THING,
                _SITE,
                Column("boot", Words("Start", "Démarrage")),
                Column("highest", Words("Highest number", "Plus haut numéro")),
                Column("given_up", Words("Given up to", "Abandonnés jusqu’à")),
                Column("quarantined", Words("In quarantine", "En quarantaine")),
                Column("changed_at", Words("Changed", "Modifié"), "dateTimeFromNow"),
            ],
            width=12,
        ),
    ]


def _devices() -> list[Panel]:
    return [
        table(
            Words("Clocks", "Horloges"),
            Words(
                "How far each clock is ahead of ours. Whole hours are a wrong time zone or daylight saving.",
                "De combien chaque horloge avance sur la nôtre. Des heures entières : fuseau ou heure d’été mal "
                "réglés.",
            ),
            health.clocks(),
            [
                _SENSOR,
                _SITE,
                Column("offset_s", Words("Ahead by", "Avance"), "s", decimals=1),
                Column("whole_hours", Words("Whole hours", "Heures entières")),
                Column("measured_at", Words("Measured", "Mesurée"), "dateTimeFromNow"),
            ],
            width=10,
        ),
        table(
            Words("Batteries and radio", "Batteries et radio"),
            Words(
                "The newest that each device told of itself in the chosen time, the emptiest first.",
                "Ce que chaque appareil a dit de lui en dernier dans la période, le plus vide d’abord.",
            ),
            health.batteries(),
            [
                _SENSOR,
                _SITE,
                Column("battery_v", Words("Battery", "Batterie"), "volt", decimals=2),
                Column("rssi_dbm", Words("Radio", "Radio"), "dBm", decimals=0),
                Column("firmware", Words("Firmware", "Micrologiciel")),
                Column("time", Words("Told", "Dit"), "dateTimeFromNow"),
            ],
            width=14,
        ),
        series(
            Words("Battery", "Batterie"),
            Words("As each device told it last.", "Comme chaque appareil l’a dit en dernier."),
            health.devices("battery_v"),
            unit="volt",
            low=None,
        ),
        series(
            Words("Radio", "Radio"),
            Words("Strength of the signal, as told last.", "Force du signal, selon la dernière annonce."),
            health.devices("rssi_dbm"),
            unit="dBm",
            low=None,
        ),
    ]
