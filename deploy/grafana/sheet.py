"""A dashboard: panels in rows on Grafana's grid, with the variables, links and annotations that all of ours share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from deploy.grafana.drawing import SOURCE, WIDTH, Panel, Query, draw
from deploy.grafana.shipped import PAGE, SOURCE_NAME, SOURCE_TYPE, SOURCE_UID, TAG
from deploy.grafana.words import CONGESTED, JAMMED, Language, Words
from store.panels import marks, port

SCHEMA = 37
"""Grafana 9.4's version of the format. Later ones migrate it as they load; a higher number is not migrated by an older
Grafana, which then misreads what it does not know."""
_ALL = model.VariableOption(text="All", value="$__all")


@dataclass(frozen=True, slots=True)
class Choice:
    """A variable that people choose: several values unless `one`, from the answer to a query."""

    name: str
    words: Words
    sql: str
    one: bool = False


BASIN = Choice("basin", Words("Basin", "Bassin"), port.BASINS)
SITE = Choice("site", Words("Site", "Site"), port.SITES)


@dataclass(frozen=True, slots=True)
class Sheet:
    """rows: a title and its panels, in order. since: how far back it looks when opened.

    everywhere: annotations are those of all the port, because it has no choice of a basin.
    """

    uid: str
    title: Words
    about: Words
    choices: Sequence[Choice]
    rows: Sequence[tuple[Words, Sequence[Panel]]]
    since: str = "now-6h"
    refresh: str = "30s"

    @property
    def everywhere(self) -> bool:
        return BASIN not in self.choices


def to_json(sheet: Sheet, language: Language) -> str:
    """Write a dashboard as Grafana reads it from files."""
    return json.dumps(_model(sheet, language), cls=JSONEncoder, indent=1, ensure_ascii=False) + "\n"


def _model(sheet: Sheet, language: Language) -> model.Dashboard:
    return model.Dashboard(
        uid=sheet.uid,
        title=f"Vigie – {sheet.title.to(language)}",
        description=sheet.about.to(language),
        tags=[TAG],
        timezone="browser",
        editable=True,
        graph_tooltip=model.DashboardCursorSync.CROSSHAIR,
        time=model.DashboardDashboardTime(from_val=sheet.since, to="now"),
        refresh=sheet.refresh,
        schema_version=SCHEMA,
        panels=list(_panels(sheet, language)),
        templating=model.DashboardDashboardTemplating(list_val=list(_variables(sheet, language))),
        annotations=model.AnnotationContainer(list_val=list(_annotations(sheet, language))),
        links=list(_links(language)),
    )


def _panels(sheet: Sheet, language: Language) -> Iterator[model.Panel | model.RowPanel]:
    """Place panels from left to right, and below the highest of their line when one does not fit."""
    number, y = 0, 0
    for title, panels in sheet.rows:
        number += 1
        place = model.GridPos(x=0, y=y, w=WIDTH, h=1)
        yield model.RowPanel(id_val=number, title=title.to(language), grid_pos=place, panels=[])
        x, y, tallest = 0, y + 1, 0
        for panel in panels:
            number += 1
            if x + panel.width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            yield draw(panel, number, model.GridPos(x=x, y=y, w=panel.width, h=panel.height), language)
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest


def _variables(sheet: Sheet, language: Language) -> Iterator[model.VariableModel]:
    yield model.VariableModel(
        type_val=model.VariableType.DATASOURCE,
        name="source",
        label=Words("Data source", "Source de données").to(language),
        hide=model.VariableHide.HIDE_VARIABLE,
        query=SOURCE_TYPE,
        regex=f"/^{SOURCE_NAME}/",
        refresh=model.VariableRefresh.ON_DASHBOARD_LOAD,
        current=model.VariableOption(text=SOURCE_NAME, value=SOURCE_UID),
    )
    yield model.VariableModel(
        type_val=model.VariableType.CONSTANT, name="page", query=PAGE, hide=model.VariableHide.HIDE_VARIABLE
    )
    for choice in sheet.choices:
        yield model.VariableModel(
            type_val=model.VariableType.QUERY,
            name=choice.name,
            label=choice.words.to(language),
            datasource=SOURCE,
            query=choice.sql.strip(),
            definition=choice.sql.strip(),
            refresh=model.VariableRefresh.ON_DASHBOARD_LOAD,
            multi=not choice.one,
            include_all=not choice.one,
            current=None if choice.one else _ALL,
        )


def _annotations(sheet: Sheet, language: Language) -> Iterator[model.AnnotationQuery]:
    kinds = (
        (Words("Situations", "Situations"), CONGESTED, marks.situations),
        (Words("Alarms", "Alarmes"), JAMMED, marks.alarms),
    )
    for words, colour, ask in kinds:
        yield model.AnnotationQuery(
            name=words.to(language),
            datasource=SOURCE,
            enable=words.en == "Situations",
            icon_color=colour,
            target=Query(ask(language, everywhere=sheet.everywhere), "table", "Anno"),
        )


def _links(language: Language) -> Iterator[model.DashboardLink]:
    page = Words("Operator’s page", "Page de l’opérateur")
    yield model.DashboardLink(
        title=page.to(language),
        type_val=model.DashboardLinkType.LINK,
        icon="external link",
        url="${page}",
        target_blank=True,
    )
    yield model.DashboardLink(
        title="Vigie",
        type_val=model.DashboardLinkType.DASHBOARDS,
        icon="dashboard",
        tags=[TAG],
        keep_time=True,
        include_vars=True,
    )
