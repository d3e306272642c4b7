"""The types of panel that dashboards use, each with the options that ours have."""

from __future__ import annotations

from collections.abc import Sequence

from deploy.grafana.drawing import PLAIN, Column, Panel, Steps
from deploy.grafana.words import CONGESTED, DENSE, FLUID, JAMMED, LEVELS, UNKNOWN, Words

LEVEL_STEPS: Steps = ((None, UNKNOWN), (0, FLUID), (1, DENSE), (2, CONGESTED), (3, JAMMED))
_LEGEND = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
_TOOLTIP = {"mode": "multi", "sort": "desc"}


def series(
    title: Words,
    about: Words,
    sql: str,
    *,
    unit: str,
    width: int = 12,
    height: int = 8,
    steps: Steps = PLAIN,
    columns: Sequence[Column] = (),
    low: float | None = 0,
    high: float | None = None,
    stacked: bool = False,
    bars: bool = False,
) -> Panel:
    """Courses over time. Without a value a line is interrupted; more than one step draws lines at the limits."""
    custom = {
        "drawStyle": "bars" if bars else "line",
        "lineInterpolation": "stepAfter" if stacked else "linear",
        "lineWidth": 1,
        "fillOpacity": 60 if stacked or bars else 0,
        "showPoints": "auto",
        "pointSize": 4,
        "spanNulls": False,
        "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
        "thresholdsStyle": {"mode": "line" if len(steps) > 1 else "off"},
    }
    return Panel(
        type="timeseries",
        title=title,
        about=about,
        sql=sql,
        width=width,
        height=height,
        unit=unit,
        steps=steps,
        columns=columns,
        low=low,
        high=high,
        options={"legend": _LEGEND, "tooltip": _TOOLTIP},
        custom=custom,
    )


def figures(
    title: Words,
    about: Words,
    sql: str,
    columns: Sequence[Column],
    *,
    width: int = 12,
    height: int = 4,
    sparse: bool = False,
) -> Panel:
    """A figure a column; sparse: colours only the figure and not its ground."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value" if sparse else "background_solid",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "vertical",
        "textMode": "value_and_name",
    }
    return Panel(
        type="stat",
        title=title,
        about=about,
        sql=sql,
        width=width,
        height=height,
        columns=columns,
        colour_mode="thresholds",
        options=options,
    )


def table(
    title: Words, about: Words, sql: str, columns: Sequence[Column], *, width: int = 24, height: int = 8
) -> Panel:
    """Rows in the order of the query."""
    return Panel(
        type="table",
        title=title,
        about=about,
        sql=sql,
        width=width,
        height=height,
        columns=columns,
        colour_mode="thresholds",
        options={
            "showHeader": True,
            "cellHeight": "sm",
            "footer": {"show": False, "reducer": ["sum"], "countRows": False},
        },
        custom={"align": "auto", "filterable": True, "cellOptions": {"type": "auto"}},
    )


def place_map(title: Words, about: Words, sql: str, columns: Sequence[Column], *, width: int, height: int) -> Panel:
    """Sites by level. The ground is the one that the administrator of Grafana chose."""
    style = {"color": {"field": "level", "fixed": UNKNOWN}, "size": {"fixed": 9, "min": 2, "max": 15}, "opacity": 0.9}
    layer = {
        "type": "markers",
        "name": "Vigie",
        "config": {"showLegend": False, "style": style},
        "location": {"mode": "coords", "latitude": "latitude", "longitude": "longitude"},
        "tooltip": True,
    }
    options = {
        "view": {"id": "fit", "lat": 0, "lon": 0, "zoom": 11, "allLayers": True, "padding": 12},
        "controls": {"showZoom": True, "mouseWheelZoom": True, "showAttribution": True},
        "basemap": {"type": "default", "name": "Basemap"},
        "layers": [layer],
        "tooltip": {"mode": "details"},
    }
    return Panel(
        type="geomap",
        title=title,
        about=about,
        sql=sql,
        width=width,
        height=height,
        steps=LEVEL_STEPS,
        mapping=LEVELS,
        columns=columns,
        colour_mode="thresholds",
        options=options,
    )


def heat(title: Words, about: Words, sql: str, *, unit: str, low: float, high: float, height: int) -> Panel:
    """A row a series, coloured from `low` (red) to `high` (green); what is unknown stays empty."""
    options = {
        "calculate": False,
        "cellGap": 0,
        "color": {"mode": "scheme", "scheme": "RdYlGn", "steps": 64, "reverse": False, "min": low, "max": high},
        "rowsFrame": {"layout": "auto"},
        "yAxis": {"axisPlacement": "left", "reverse": True},
        "cellValues": {"unit": unit, "decimals": 0},
        "legend": {"show": True},
        "tooltip": {"show": True, "yHistogram": False},
        "showValue": "never",
    }
    return Panel(
        type="heatmap",
        title=title,
        about=about,
        sql=sql,
        width=24,
        height=height,
        unit=unit,
        colour_mode="fixed",
        options=options,
    )


def bars(title: Words, about: Words, sql: str, columns: Sequence[Column], *, unit: str, width: int = 12) -> Panel:
    """A bar a row, named by the first column."""
    options = {
        "orientation": "horizontal",
        "showValue": "auto",
        "stacking": "none",
        "legend": {**_LEGEND, "showLegend": False},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel(
        type="barchart",
        title=title,
        about=about,
        sql=sql,
        width=width,
        unit=unit,
        columns=columns,
        colour_mode="thresholds",
        options=options,
        custom={"fillOpacity": 80, "lineWidth": 0},
        low=0,
    )


def shares(title: Words, about: Words, sql: str, columns: Sequence[Column], *, width: int) -> Panel:
    """The parts of a whole, one a row."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": True},
        "pieType": "donut",
        "displayLabels": ["percent"],
        "legend": {**_LEGEND, "placement": "right", "values": ["value", "percent"]},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return Panel(
        type="piechart", title=title, about=about, sql=sql, width=width, unit="none", columns=columns, options=options
    )
