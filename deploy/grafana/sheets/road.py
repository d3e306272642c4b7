"""Road: one way through space and time, its sensors, its corridors and what is expected."""

from __future__ import annotations

from deploy.grafana.drawing import Column, Panel
from deploy.grafana.sheet import BASIN, SITE, Choice, Sheet
from deploy.grafana.types import heat, series, table
from deploy.grafana.words import DENSE, JAMMED, LEVELS, UNUSUAL, Language, Words
from sensors.kind import load_kinds
from store.panels import road

_WAY = Choice("way", Words("Way", "Axe"), road.WAYS, one=True)
_SENSOR = Choice("sensor", Words("Sensor", "Capteur"), road.SENSORS)
_CORRIDOR = Choice("corridor", Words("Corridor", "Itinéraire"), road.CORRIDORS)
_GAPS = Words(
    " A gap is a time without readings, or with under 75 % of them.",
    " Un trou est un temps sans mesure, ou avec moins de 75 % d’entre elles.",
)
_LEVEL = Column("level", Words("Level", "Niveau"), mapping=LEVELS, width=130)
_SINCE = Column("since", Words("Since", "Depuis"), "dateTimeFromNow")


def _about(en: str, fr: str) -> Words:
    return Words(en + _GAPS.en, fr + _GAPS.fr)


def road_traffic(_: Language) -> Sheet:
    kinds = load_kinds()
    way = [
        heat(
            Words(
                "Speed through space and time, % of free speed",
                "Vitesse dans l’espace et le temps, % de la vitesse libre",
            ),
            _about(
                "The sites of the chosen way in the order of travel, first at the top. Under 60 % is congested, under "
                "35 % jammed; a queue grows upwards.",
                "Les sites de l’axe choisi dans le sens de la marche, le premier en haut. Sous 60 % c’est "
                "congestionné, sous 35 % bloqué ; une file grandit vers le haut.",
            ),
            road.space_time(kinds),
            unit="percent",
            low=20,
            high=100,
            height=10,
        ),
        table(
            Words("Sensors now", "Capteurs maintenant"),
            Words(
                "The newest reading beside what is usual at this time of the week.",
                "La dernière mesure à côté de ce qui est habituel à cette heure de la semaine.",
            ),
            road.now(),
            [
                Column("sensor", Words("Sensor", "Capteur"), width=90),
                Column("name", Words("Where", "Où")),
                _LEVEL,
                _SINCE,
                Column("speed_kmh", Words("Speed", "Vitesse"), "velocitykmh", decimals=0),
                Column("flow_veh_h", Words("Flow", "Débit"), "suffix:veh/h", decimals=0),
                Column("occupancy_pct", Words("Occupancy", "Occupation"), "percent", decimals=1),
                Column("usual", Words("Usual speed", "Vitesse habituelle"), "velocitykmh", decimals=0),
                Column("abnormality", Words("For the time", "Pour l’heure"), mapping=UNUSUAL),
                Column("coverage", Words("Coverage", "Couverture"), "percent", decimals=0),
            ],
        ),
    ]
    return Sheet(
        uid="vigie-road",
        title=Words("Road", "Route"),
        about=Words("Roads by way, sensor and corridor.", "Les routes par axe, capteur et itinéraire."),
        choices=[BASIN, SITE, _WAY, _SENSOR, _CORRIDOR],
        rows=[
            (Words("The way", "L’axe"), way),
            (Words("Its sensors", "Ses capteurs"), _sensors()),
            (Words("Corridors", "Itinéraires"), _corridors()),
        ],
    )


def _sensors() -> list[Panel]:
    kinds = load_kinds()
    return [
        series(
            Words("Speed", "Vitesse"),
            _about("Mean speed of each lane.", "Vitesse moyenne de chaque voie."),
            road.of_sensors(kinds, "traffic", "speed_kmh"),
            unit="velocitykmh",
        ),
        series(
            Words("Flow", "Débit"),
            _about(
                "Vehicles an hour and lane; about 2,000 is all that a lane can carry.",
                "Véhicules par heure et par voie ; environ 2 000 est tout ce qu’une voie peut porter.",
            ),
            road.of_sensors(kinds, "traffic", "flow_veh_h"),
            unit="suffix:veh/h",
        ),
        series(
            Words("Occupancy", "Taux d’occupation"),
            _about(
                "Share of the time that a vehicle stands on the loop. The highest flow comes at 7 to 14 %.",
                "Part du temps où un véhicule est sur la boucle. Le plus fort débit vient entre 7 et 14 %.",
            ),
            road.of_sensors(kinds, "traffic", "occupancy_pct"),
            unit="percent",
            high=100,
            steps=((None, DENSE), (14, DENSE), (60, JAMMED)),
        ),
        series(
            Words("Share of lorries", "Part de poids lourds"),
            _about("Lorries among the vehicles.", "Les poids lourds parmi les véhicules."),
            road.of_sensors(kinds, "traffic", "hgv_share", factor=100),
            unit="percent",
            high=100,
        ),
        table(
            Words("Expected speed", "Vitesse prévue"),
            Words(
                "What is expected in 15, 30 and 60 minutes, with the interval that holds it in 8 of 10 cases.",
                "Ce qui est prévu dans 15, 30 et 60 minutes, avec l’intervalle qui le contient dans 8 cas sur 10.",
            ),
            road.ahead(),
            [
                Column("sensor", Words("Sensor", "Capteur")),
                Column("speed_kmh", Words("Now", "Maintenant"), "velocitykmh", decimals=0),
                Column("usual", Words("Usual", "Habituelle"), "velocitykmh", decimals=0),
                Column("in_15", Words("In 15 min", "Dans 15 min"), "velocitykmh", decimals=0),
                Column("in_30", Words("In 30 min", "Dans 30 min"), "velocitykmh", decimals=0),
                Column("in_60", Words("In 60 min", "Dans 60 min"), "velocitykmh", decimals=0),
                Column("low_60", Words("at least", "au moins"), "velocitykmh", decimals=0),
                Column("high_60", Words("at most", "au plus"), "velocitykmh", decimals=0),
            ],
        ),
    ]


def _corridors() -> list[Panel]:
    return [
        table(
            Words("Corridors now", "Itinéraires maintenant"),
            Words(
                "The newest median over each corridor. Under 3 matches it tells little.",
                "La dernière médiane de chaque itinéraire. Sous 3 appariements elle dit peu.",
            ),
            road.corridors(),
            [
                Column("corridor", Words("Corridor", "Itinéraire"), width=100),
                Column("origin", Words("From", "De")),
                Column("destination", Words("To", "Vers")),
                _LEVEL,
                _SINCE,
                Column("median_s", Words("Median", "Médiane"), "s", decimals=0),
                Column("p85_s", Words("85 % within", "85 % en moins de"), "s", decimals=0),
                Column("matches", Words("Matches", "Appariements"), decimals=0),
                Column("length_km", Words("Length", "Longueur"), "lengthkm", decimals=2),
            ],
            width=12,
            height=10,
        ),
        series(
            Words("Travel time", "Temps de parcours"),
            _about("Median of the vehicles that were matched.", "Médiane des véhicules appariés."),
            road.of_corridors(load_kinds(), "median_s"),
            unit="s",
            height=10,
        ),
    ]
