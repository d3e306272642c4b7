"""What dashboards say, in the two languages of the port, and the colours that mean something."""

from __future__ import annotations

from typing import Literal, NamedTuple

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")


class Words(NamedTuple):
    """The same in both languages."""

    en: str
    fr: str

    def to(self, language: Language) -> str:
        return self.fr if language == "fr" else self.en


class Shown(NamedTuple):
    """How a value is shown instead of itself."""

    words: Words
    colour: str


FLUID, DENSE, CONGESTED, JAMMED, UNKNOWN = "#4d8a57", "#d9a514", "#f07a2a", "#d4213d", "#8a979e"
"""Between those of the page on light and on dark (api/page/css/base.css): Grafana has both grounds. Unknown is grey,
never green."""
CALM = "#5b7f95"

Mapping = dict[str, Shown]

LEVELS: Mapping = {
    "-1": Shown(Words("unknown", "inconnu"), UNKNOWN),
    "0": Shown(Words("fluid", "fluide"), FLUID),
    "1": Shown(Words("dense", "dense"), DENSE),
    "2": Shown(Words("congested", "congestionné"), CONGESTED),
    "3": Shown(Words("jammed", "bloqué"), JAMMED),
}
PRIORITIES: Mapping = {
    "high": Shown(Words("high", "haute"), JAMMED),
    "medium": Shown(Words("medium", "moyenne"), CONGESTED),
    "low": Shown(Words("low", "basse"), DENSE),
}
STATES: Mapping = {
    "unacknowledged": Shown(Words("unacknowledged", "non acquittée"), JAMMED),
    "acknowledged": Shown(Words("acknowledged", "acquittée"), CALM),
    "returned_unacknowledged": Shown(Words("over, unacknowledged", "finie, non acquittée"), DENSE),
    "shelved": Shown(Words("shelved", "mise de côté"), UNKNOWN),
    "suppressed": Shown(Words("suppressed", "supprimée"), UNKNOWN),
    "out_of_service": Shown(Words("out of service", "hors service"), UNKNOWN),
}
UNUSUAL: Mapping = {
    "-1": Shown(Words("unknown", "inconnu"), UNKNOWN),
    "0": Shown(Words("usual", "habituel"), FLUID),
    "1": Shown(Words("unusual", "inhabituel"), CONGESTED),
}
VERDICTS: Mapping = {
    "traffic": Shown(Words("tells of the road", "parle de la route"), FLUID),
    "sensor": Shown(Words("is at fault", "est en défaut"), JAMMED),
    "unknown": Shown(Words("unknown", "inconnu"), UNKNOWN),
}
YES: Mapping = {
    "true": Shown(Words("yes", "oui"), JAMMED),
    "false": Shown(Words("no", "non"), CALM),
}
