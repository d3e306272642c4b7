"""Port overview: where it is congested now, what needs somebody, and what the chosen time amounts to."""

from __future__ import annotations

from deploy.grafana.drawing import Column
from deploy.grafana.sheet import BASIN, Sheet
from deploy.grafana.types import figures, place_map, series, table
from deploy.grafana.words import (
    CALM,
    CONGESTED,
    DENSE,
    FLUID,
    JAMMED,
    LEVELS,
    PRIORITIES,
    STATES,
    UNKNOWN,
    Language,
    Words,
)
from store.panels import port

_LEVEL = Column("level", Words("Level", "Niveau"), mapping=LEVELS, width=130)
_SINCE = Words("Since", "Depuis")
_SITES = Column("sites", Words("Sites", "Sites"))


def port_overview(language: Language) -> Sheet:
    now = [
        figures(
            Words("Levels now", "Niveaux actuels"),
            Words(
                "Sensors and corridors by their present level. Unknown is never counted as fluid: a silent sensor, or "
                "one that is not believed.",
                "Capteurs et itinéraires selon leur niveau actuel. Inconnu n’est jamais compté comme fluide : un "
                "capteur muet, ou que l’on ne croit pas.",
            ),
            port.levels(),
            [
                Column("jammed", Words("Jammed", "Bloqués"), steps=((None, CALM), (1, JAMMED))),
                Column("congested", Words("Congested", "Congestionnés"), steps=((None, CALM), (1, CONGESTED))),
                Column("dense", Words("Dense", "Denses"), steps=((None, CALM), (1, DENSE))),
                Column("fluid", Words("Fluid", "Fluides"), steps=((None, FLUID),)),
                Column("unknown", Words("Unknown", "Inconnus"), steps=((None, UNKNOWN),)),
            ],
            width=14,
        ),
        figures(
            Words("Freshness", "Fraîcheur"),
            Words(
                "Age of the newest reading, and how many sensors and corridors said nothing for 5 minutes.",
                "Âge de la mesure la plus récente, et combien de capteurs et d’itinéraires se taisent depuis 5 "
                "minutes.",
            ),
            port.freshness(),
            [
                Column("newest_s", Words("Newest", "Dernière"), "s", steps=((None, CALM), (120, DENSE), (300, JAMMED))),
                Column("late", Words("Late", "En retard"), steps=((None, CALM), (1, DENSE), (10, CONGESTED))),
            ],
            width=10,
        ),
        place_map(
            Words("Sites by their worst level", "Sites selon leur pire niveau"),
            Words(
                "Each site in the colour of the worst level of its sensors; grey is unknown. Positions are those of "
                "the catalogue, some only to 1,500 m.",
                "Chaque site dans la couleur du pire niveau de ses capteurs ; gris : inconnu. Les positions sont "
                "celles du catalogue, certaines à 1 500 m près.",
            ),
            port.places(),
            [Column("congested", Words("Congested", "Congestionnés")), Column("level", Words("Level", "Niveau"))],
            width=14,
            height=14,
        ),
        table(
            Words("Alarms to answer", "Alarmes à traiter"),
            Words(
                "Alarms that are not over, the most urgent first. They are acknowledged on the operator’s page, not "
                "here.",
                "Alarmes non closes, les plus urgentes d’abord. On les acquitte sur la page de l’opérateur, pas ici.",
            ),
            port.alarms(language),
            [
                Column("priority", Words("Priority", "Priorité"), mapping=PRIORITIES, width=90),
                Column("title", Words("What", "Quoi")),
                _LEVEL,
                Column("state", Words("State", "État"), mapping=STATES),
                Column("raised_at", _SINCE, "dateTimeFromNow"),
                _SITES,
                Column("id", Words("No.", "N°"), link="${page}/", width=60),
            ],
            width=10,
            height=14,
        ),
        table(
            Words("Situations now", "Situations en cours"),
            Words(
                "One congestion or stoppage a row, the worst first, with when it is expected to end. The link opens "
                "it on the operator’s page.",
                "Une congestion ou un arrêt par ligne, le pire d’abord, avec sa fin prévue. Le lien l’ouvre sur la "
                "page de l’opérateur.",
            ),
            port.situations(language),
            [
                _LEVEL,
                Column("headline", Words("What", "Quoi")),
                Column("onset", _SINCE, "dateTimeFromNow", width=130),
                Column("expected_end", Words("Expected end", "Fin prévue"), width=170),
                _SITES,
                Column("id", Words("Situation", "Situation"), link="${page}/#situation/${__value.raw}"),
            ],
        ),
    ]
    chosen = [
        figures(
            Words("Situations of the chosen time", "Situations de la période"),
            Words(
                "How many stood, their hours inside the chosen time, the median length, and the lorry hours that they "
                "have cost in all (vehicles times delay, where sensors count lorries).",
                "Combien ont existé, leurs heures dans la période, la durée médiane, et les heures de poids lourds "
                "qu’elles ont coûtées en tout (véhicules fois retard, là où des capteurs comptent les poids lourds).",
            ),
            port.figures(),
            [
                Column("situations", Words("Situations", "Situations")),
                Column("hours", Words("Hours", "Heures"), "h", decimals=1),
                Column("median_min", Words("Median", "Médiane"), "m", decimals=0),
                Column("lorry_hours", Words("Lorry hours", "Heures de PL"), "h", decimals=0),
            ],
            width=24,
            sparse=True,
        ),
        series(
            Words("Situations standing", "Situations en cours au fil du temps"),
            Words(
                "How many stood at each moment, by the level that they had last.",
                "Combien existaient à chaque instant, selon le dernier niveau qu’elles ont eu.",
            ),
            port.standing(),
            unit="none",
            width=24,
            stacked=True,
            columns=[
                Column("dense", Words("Dense", "Denses"), colour=DENSE),
                Column("congested", Words("Congested", "Congestionnées"), colour=CONGESTED),
                Column("jammed", Words("Jammed", "Bloquées"), colour=JAMMED),
            ],
        ),
    ]
    return Sheet(
        uid="vigie-port",
        title=Words("Port overview", "Vue du port"),
        about=Words(
            "Where it is congested now, since when and until when.", "Où c’est congestionné, depuis et jusqu’à quand."
        ),
        choices=[BASIN],
        rows=[(Words("Now", "Maintenant"), now), (Words("The chosen time", "La période choisie"), chosen)],
    )
