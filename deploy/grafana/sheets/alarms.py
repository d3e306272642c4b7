"""Alarm performance: what alarms ask of an operator, in the measures of ISA-18.2 and EEMUA 191."""

from __future__ import annotations

from analytics.alarms.load import FLOOD_FROM, GOOD_PER_SPAN, MOST_PER_SPAN, STALE_MOST
from deploy.grafana.drawing import Column, Panel
from deploy.grafana.sheet import Sheet
from deploy.grafana.types import bars, figures, series, shares, table
from deploy.grafana.words import (
    CALM,
    CONGESTED,
    DENSE,
    FLUID,
    JAMMED,
    LEVELS,
    PRIORITIES,
    STATES,
    YES,
    Language,
    Words,
)
from store.panels import alarms

_PRIORITY = Column("priority", Words("Priority", "Priorité"), mapping=PRIORITIES, width=100)
_CALLS = Column("calls", Words("Calls", "Appels"))


def alarm_performance(language: Language) -> Sheet:
    return Sheet(
        uid="vigie-alarms",
        title=Words("Alarm performance", "Performance des alarmes"),
        about=Words("Can one person answer what calls?", "Une personne peut-elle répondre à ce qui appelle ?"),
        choices=[],
        rows=[
            (Words("Load", "Charge"), _load()),
            (Words("Sources", "Sources"), _sources()),
            (Words("Answers", "Réponses"), _answers(language)),
        ],
        since="now-7d",
        refresh="1m",
    )


def _load() -> list[Panel]:
    spans = ((None, FLUID), (GOOD_PER_SPAN, DENSE), (MOST_PER_SPAN, CONGESTED), (float(FLOOD_FROM), JAMMED))
    return [
        figures(
            Words("Load of the chosen time", "Charge de la période"),
            Words(
                "Calls, their mean in 10 minutes (1 is good, 2 the most that one person can take), the most in any 10 "
                "minutes (from 10 it is a flood), and alarms that stand for over 24 hours (under 5 is good).",
                "Appels, leur moyenne en 10 minutes (1 est bien, 2 le plus qu’une personne puisse prendre), le plus "
                "en 10 minutes (dès 10 c’est une avalanche), et alarmes actives depuis plus de 24 heures (moins de 5 "
                "est bien).",
            ),
            alarms.figures(),
            [
                Column("calls", Words("Calls", "Appels"), steps=((None, CALM),)),
                Column("per_span", Words("In 10 min", "En 10 min"), decimals=2, steps=spans[:3]),
                Column("busiest", Words("Most in 10 min", "Maximum en 10 min"), steps=spans),
                Column("stale", Words("Stale", "Anciennes"), steps=((None, FLUID), (STALE_MOST, CONGESTED))),
            ],
            width=16,
            height=7,
        ),
        shares(
            Words("Priorities", "Priorités"),
            Words(
                "About 80 % low, 15 % medium, 5 % high keep the urgent ones rare.",
                "Environ 80 % basses, 15 % moyennes, 5 % hautes.",
            ),
            alarms.priorities(),
            [Column("priority", Words("Priority", "Priorité"), mapping=PRIORITIES)],
            width=8,
        ),
        series(
            Words("Calls by priority", "Appels par priorité"),
            Words(
                "Calls in each 10 minutes, or in longer steps when the chosen time is long.",
                "Appels par 10 minutes, ou par pas plus longs quand la période est longue.",
            ),
            alarms.course(),
            unit="none",
            width=24,
            stacked=True,
            columns=[Column(name, shown.words, colour=shown.colour) for name, shown in PRIORITIES.items()],
            steps=((None, CALM), (MOST_PER_SPAN, DENSE), (float(FLOOD_FROM), JAMMED)),
        ),
    ]


def _sources() -> list[Panel]:
    return [
        bars(
            Words("Ten worst sources", "Dix pires sources"),
            Words(
                "The places that call most. Together they should make under 5 % of the load.",
                "Les lieux qui appellent le plus. Ensemble, moins de 5 % de la charge est visé.",
            ),
            alarms.worst(),
            [_CALLS],
            unit="none",
        ),
        table(
            Words("Chattering", "Bavardes"),
            Words(
                "Sources that called three times within a minute, and how many calls were a third: none is good.",
                "Sources ayant appelé trois fois en une minute, et combien d’appels étaient un troisième : aucun est "
                "bien.",
            ),
            alarms.chattering(),
            [
                Column("source", Words("Source", "Source")),
                Column("times", Words("Times", "Fois")),
                Column("first_at", Words("First", "Première")),
                Column("last_at", Words("Last", "Dernière")),
            ],
            width=6,
        ),
        table(
            Words("Floods", "Avalanches"),
            Words("From 10 calls in 10 minutes until below 5.", "Dès 10 appels en 10 minutes, jusqu’à moins de 5."),
            alarms.floods(),
            [
                Column("began_at", Words("Began", "Début")),
                Column("ended_at", Words("Ended", "Fin")),
                Column("most", Words("Most", "Maximum")),
                Column("lasts_s", Words("Lasted", "Durée"), "dtdurations"),
            ],
            width=6,
        ),
    ]


def _answers(language: Language) -> list[Panel]:
    return [
        table(
            Words("Time to acknowledge", "Temps d’acquittement"),
            Words(
                "From the call to the acknowledgement; a high one that nobody answers escalates after 5 minutes.",
                "De l’appel à l’acquittement ; une haute sans réponse est escaladée après 5 minutes.",
            ),
            alarms.answers(),
            [
                _PRIORITY,
                _CALLS,
                Column("acknowledged", Words("Acknowledged", "Acquittées")),
                Column("p50_s", Words("half within", "la moitié en moins de"), "s", decimals=0),
                Column("p90_s", Words("9 of 10 within", "9 sur 10 en moins de"), "s", decimals=0),
            ],
            width=12,
            height=6,
        ),
        table(
            Words("Right and wrong calls", "Appels justes et faux"),
            Words(
                "What operators said of them, by rule. A rule that is often wrong wants another limit.",
                "Ce que les opérateurs en ont dit, par règle. Une règle souvent fausse veut une autre limite.",
            ),
            alarms.confirmed(),
            [
                Column("rule", Words("Rule", "Règle")),
                Column("right_calls", Words("Right", "Justes")),
                Column("wrong_calls", Words("Wrong", "Faux")),
            ],
            width=12,
            height=6,
        ),
        table(
            Words("Alarms that stand", "Alarmes en cours"),
            Words("Open alarms, hidden ones too.", "Alarmes ouvertes, y compris masquées."),
            alarms.standing(language),
            [
                Column("id", Words("No.", "N°"), link="${page}/", width=60),
                _PRIORITY,
                Column("title", Words("What", "Quoi")),
                Column("state", Words("State", "État"), mapping=STATES),
                Column("level", Words("Level", "Niveau"), mapping=LEVELS),
                Column("since_at", Words("Stands since", "Active depuis")),
                Column("raised_at", Words("First call", "Premier appel")),
                Column("escalated", Words("Escalated", "Escaladée"), mapping=YES),
                Column("sites", Words("Sites", "Sites")),
            ],
        ),
    ]
