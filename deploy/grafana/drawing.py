"""A panel with what all have: a query, a title, a description, units, and colours that mean something."""

from __future__ import annotations

from collections.abc import Mapping as Map
from collections.abc import Sequence
from dataclasses import dataclass, field

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model

from deploy.grafana.shipped import SOURCE_TYPE
from deploy.grafana.words import CALM, Language, Mapping, Words

SOURCE = common.DataSourceRef(type_val=SOURCE_TYPE, uid="${source}")
WIDTH = 24
"""Columns of Grafana's grid."""

Steps = Sequence[tuple[float | None, str]]
"""From which value on which colour, ascending; None is the bottom."""
PLAIN: Steps = ((None, CALM),)


@dataclass(frozen=True, slots=True)
class Query(Dataquery):
    """A statement as its author wrote it; `format` is table or time_series."""

    sql: str
    format: str
    ref: str = "A"

    def to_json(self) -> dict[str, object]:
        shown = {"refId": self.ref, "format": self.format, "rawQuery": True, "editorMode": "code"}
        return {**shown, "datasource": SOURCE, "rawSql": self.sql}


@dataclass(frozen=True, slots=True)
class Column:
    """How a column or series of that name is shown; name may be a regular expression between slashes."""

    name: str
    words: Words | None = None
    unit: str = ""
    mapping: Mapping | None = None
    steps: Steps | None = None
    colour: str = ""
    decimals: int | None = None
    link: str = ""
    width: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What a dashboard says of one panel; `draw` turns it into Grafana's model.

    about: what it shows, what good is, and what its gaps mean. options: of the panel's type. custom: of its fields.
    """

    type: str
    title: Words
    about: Words
    sql: str
    width: int
    height: int = 8
    unit: str = ""
    steps: Steps = PLAIN
    columns: Sequence[Column] = ()
    low: float | None = None
    high: float | None = None
    decimals: int | None = None
    mapping: Mapping | None = None
    colour_mode: str = "palette-classic"
    options: Map[str, object] = field(default_factory=dict)
    custom: Map[str, object] = field(default_factory=dict)

    @property
    def format(self) -> str:
        return "time_series" if self.type in {"timeseries", "heatmap"} else "table"


def draw(panel: Panel, number: int, place: model.GridPos, language: Language) -> model.Panel:
    """Make a panel of a dashboard."""
    return model.Panel(
        type_val=panel.type,
        id_val=number,
        title=panel.title.to(language),
        description=panel.about.to(language),
        datasource=SOURCE,
        grid_pos=place,
        targets=[Query(panel.sql, panel.format)],
        options=dict(panel.options),
        field_config=model.FieldConfigSource(
            defaults=_defaults(panel, language),
            overrides=[_override(column, language) for column in panel.columns],
        ),
    )


def _defaults(panel: Panel, language: Language) -> model.FieldConfig:
    return model.FieldConfig(
        unit=panel.unit or None,
        decimals=panel.decimals,
        min_val=panel.low,
        max_val=panel.high,
        mappings=_mappings(panel.mapping, language),
        thresholds=_thresholds(panel.steps),
        color=model.FieldColor(mode=model.FieldColorModeId(panel.colour_mode)),
        custom=dict(panel.custom),
        no_value="–",
    )


def _thresholds(steps: Steps) -> model.ThresholdsConfig:
    return model.ThresholdsConfig(
        mode=model.ThresholdsMode.ABSOLUTE, steps=[model.Threshold(value, colour) for value, colour in steps]
    )


def _mappings(mapping: Mapping | None, language: Language) -> list[model.ValueMapping]:
    if mapping is None:
        return []
    options = {
        value: model.ValueMappingResult(text=shown.words.to(language), color=shown.colour, index=place)
        for place, (value, shown) in enumerate(mapping.items())
    }
    return [model.ValueMap(options=options)]


def _override(column: Column, language: Language) -> model.DashboardFieldConfigSourceOverrides:
    matcher = "byRegexp" if column.name.startswith("/") else "byName"
    return model.DashboardFieldConfigSourceOverrides(
        matcher=model.MatcherConfig(id_val=matcher, options=column.name),
        properties=[model.DynamicConfigValue(id_val, value) for id_val, value in _properties(column, language).items()],
    )


def _properties(column: Column, language: Language) -> dict[str, object]:
    """What is given of a column, by Grafana's names."""
    given: dict[str, object] = {}
    if column.words is not None:
        given["displayName"] = column.words.to(language)
    if column.unit:
        given["unit"] = column.unit
    if column.decimals is not None:
        given["decimals"] = column.decimals
    if column.mapping is not None:
        given["mappings"] = _mappings(column.mapping, language)
        given["custom.cellOptions"] = {"type": "color-text"}
    if column.steps is not None:
        given["thresholds"] = _thresholds(column.steps)
        given["color"] = model.FieldColor(mode=model.FieldColorModeId.THRESHOLDS)
    if column.colour:
        given["color"] = model.FieldColor(mode=model.FieldColorModeId.FIXED, fixed_color=column.colour)
    if column.width is not None:
        given["custom.width"] = column.width
    if column.link:
        link = model.DashboardLink(
            title="Vigie", url=column.link, target_blank=True, type_val=model.DashboardLinkType.LINK
        )
        given["links"] = [link]
    return given
