"""Terminal: gates, waits and turn times by quantile, and what is behind the gates."""

from __future__ import annotations

from deploy.grafana.drawing import Column, Panel
from deploy.grafana.sheet import BASIN, Choice, Sheet
from deploy.grafana.types import figures, series, table
from deploy.grafana.words import CALM, CONGESTED, DENSE, JAMMED, LEVELS, Language, Words
from sensors.kind import load_kinds
from store.panels import terminal

_TERMINAL = Choice("terminal", Words("Terminal", "Terminal"), terminal.TERMINALS)
_QUANTILES = [
    Column("p50", Words("half within", "la moitié en moins de"), colour=CALM),
    Column("p90", Words("9 of 10 within", "9 sur 10 en moins de"), colour=DENSE),
    Column("p95", Words("19 of 20 within", "19 sur 20 en moins de"), colour=JAMMED),
]
_WAIT_STEPS = ((None, CALM), (900, DENSE), (1800, CONGESTED), (3600, JAMMED))


def terminals(_: Language) -> Sheet:
    return Sheet(
        uid="vigie-terminal",
        title=Words("Terminal", "Terminal"),
        about=Words("Gates, turns, yard and quay.", "Portes, séjours, parc et quai."),
        choices=[BASIN, _TERMINAL],
        rows=[
            (Words("Gates", "Portes"), _gates()),
            (Words("Turns", "Séjours"), _turns()),
            (Words("Yard and quay", "Parc et quai"), _yard()),
        ],
        since="now-12h",
    )


def _gates() -> list[Panel]:
    kinds = load_kinds()
    return [
        table(
            Words("Gates now", "Portes maintenant"),
            Words(
                "The newest reading of each gate. A wait is dense from 15, congested from 30 and jammed from 60 "
                "minutes, unless the catalogue has other limits.",
                "La dernière mesure de chaque porte. Une attente est dense dès 15, congestionnée dès 30 et bloquée "
                "dès 60 minutes, sauf autres limites au catalogue.",
            ),
            terminal.now(),
            [
                Column("gate", Words("Gate", "Porte"), width=90),
                Column("name", Words("Name", "Nom")),
                Column("level", Words("Level", "Niveau"), mapping=LEVELS),
                Column("since", Words("Since", "Depuis"), "dateTimeFromNow"),
                Column("wait_s", Words("Wait", "Attente"), "s", steps=_WAIT_STEPS, decimals=0),
                Column("queue_trucks", Words("Lorries queueing", "PL en file"), decimals=0),
                Column("queue_m", Words("Queue", "File"), "lengthm", decimals=0),
                Column("lanes_open", Words("Lanes open", "Voies ouvertes"), decimals=0),
                Column("lanes", Words("of", "sur"), decimals=0),
                Column("service_s", Words("Service", "Service"), "s", decimals=0),
            ],
        ),
        series(
            Words("Wait by gate", "Attente par porte"),
            Words(
                "The wait that a lorry at the end of the queue has before it.",
                "L’attente du poids lourd en fin de file.",
            ),
            terminal.course(kinds, "gate", "wait_s"),
            unit="s",
            steps=_WAIT_STEPS,
        ),
        series(
            Words("Waits of the gates in, by quantile", "Attentes aux entrées, par quantile"),
            Words(
                "Half, 9 of 10 and 19 of 20 of the readings of the gates that let lorries in. A mean would hide the "
                "bad ones.",
                "La moitié, 9 sur 10 et 19 sur 20 des mesures des portes d’entrée. Une moyenne cacherait les "
                "mauvaises.",
            ),
            terminal.waits(kinds),
            unit="s",
            columns=_QUANTILES,
        ),
        series(
            Words("Lorries queueing", "Poids lourds en file"),
            Words("Lorries before each gate.", "Poids lourds devant chaque porte."),
            terminal.course(kinds, "gate", "queue_trucks"),
            unit="none",
        ),
        series(
            Words("Lorries an hour", "Poids lourds par heure"),
            Words(
                "Arrivals at the queues and departures from the gates, all gates together.",
                "Arrivées aux files et départs des portes, toutes portes ensemble.",
            ),
            terminal.passed(kinds),
            unit="suffix:/h",
            columns=[
                Column("arrivals", Words("arrivals", "arrivées"), colour=CALM),
                Column("departures", Words("departures", "départs"), colour=DENSE),
            ],
        ),
    ]


def _turns() -> list[Panel]:
    return [
        figures(
            Words("Visits of the chosen time", "Visites de la période"),
            Words(
                "Turns that ended, passages without a partner (their turn is not known), and lorries inside now.",
                "Séjours terminés, passages sans partenaire (leur séjour est inconnu), et poids lourds présents.",
            ),
            terminal.visits(),
            [
                Column("turns", Words("Turns", "Séjours")),
                Column("unpaired", Words("Unpaired", "Non appariés")),
                Column("inside", Words("Inside now", "Présents")),
            ],
            width=24,
            sparse=True,
        ),
        series(
            Words("Turn times by quantile", "Durées de séjour, par quantile"),
            Words(
                "From gate-in to gate-out of one visit, by the hour in which it ended. 30 minutes are wanted at "
                "Eurofos.",
                "De l’entrée à la sortie d’une visite, selon l’heure où elle finit. 30 minutes sont voulues à Eurofos.",
            ),
            terminal.turns(),
            unit="s",
            columns=_QUANTILES,
            steps=((None, CALM), (1800, DENSE)),
        ),
        series(
            Words("Booked and arrived, by the hour", "Réservés et arrivés, par heure"),
            Words(
                "The slot plan of the booking system beside the lorries that arrived at the gates.",
                "Le plan de créneaux à côté des poids lourds arrivés aux portes.",
            ),
            terminal.booked(),
            unit="none",
            bars=True,
            columns=[
                Column("booked", Words("booked", "réservés"), colour=CALM),
                Column("arrived", Words("arrived", "arrivés"), colour=DENSE),
            ],
        ),
    ]


def _yard() -> list[Panel]:
    kinds = load_kinds()
    return [
        series(
            Words("Yard", "Parc"),
            Words(
                "Stock of each block in % of its capacity. From 80 to 85 % every move costs others.",
                "Stock de chaque bloc en % de sa capacité. Dès 80 à 85 % chaque mouvement en coûte d’autres.",
            ),
            terminal.course(kinds, "yard", "teu_used", share_of="teu_capacity"),
            unit="percent",
            high=100,
            steps=((None, CALM), (75, DENSE), (85, CONGESTED), (95, JAMMED)),
        ),
        series(
            Words("Cranes", "Portiques"),
            Words(
                "Moves an hour of each crane; 20 to 35 are normal.",
                "Mouvements par heure de chaque portique ; 20 à 35 sont normaux.",
            ),
            terminal.course(kinds, "crane", "moves_h"),
            unit="suffix:/h",
        ),
        series(
            Words("Gusts", "Rafales"),
            Words("Cranes stop from 20 to 25 m/s.", "Les portiques s’arrêtent dès 20 à 25 m/s."),
            terminal.course(kinds, "wind", "gust_ms"),
            unit="velocityms",
            steps=((None, CALM), (20, CONGESTED), (25, JAMMED)),
        ),
        series(
            Words("Reefers: return air", "Frigorifiques : air de retour"),
            Words(
                "Within 2 degrees of the setpoint, but for defrosts of 20 to 40 minutes.",
                "À 2 degrés de la consigne, sauf dégivrages de 20 à 40 minutes.",
            ),
            terminal.course(kinds, "reefer", "return_c"),
            unit="celsius",
            low=None,
        ),
        series(
            Words("Reefers: plugs without power", "Frigorifiques : prises en défaut"),
            Words(
                "One is to be looked at, three are a circuit, ten a distribution board.",
                "Une est à regarder, trois sont un circuit, dix un tableau.",
            ),
            terminal.course(kinds, "reefer", "plugs_failed"),
            unit="none",
            steps=((None, CALM), (1, DENSE), (3, CONGESTED), (10, JAMMED)),
        ),
        series(
            Words("Lorry parks", "Parkings poids lourds"),
            Words("Spaces taken, in %.", "Places occupées, en %."),
            terminal.course(kinds, "parking", "occupied", share_of="capacity"),
            unit="percent",
            high=100,
            steps=((None, CALM), (75, DENSE), (85, CONGESTED), (95, JAMMED)),
        ),
    ]
