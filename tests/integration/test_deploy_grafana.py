"""Every question of every panel, asked of a filled TimescaleDB as Grafana asks it, with the rights that Grafana has."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import urlsplit

import psycopg
import pytest

from analytics.alarms.load import load
from deploy.embedded.stack import EmbeddedStack
from deploy.grafana.alerting import alert_rules
from deploy.grafana.build import SHEETS
from deploy.grafana.drawing import Panel
from deploy.grafana.sheet import Sheet
from sensors.kind import Kinds, load_kinds
from store.alarms.queries import announcements
from store.catalogue import seed
from store.database import Connection, connected
from store.migrate import migrate
from store.panels import alarms, marks
from store.panels.macros import Shown, expand
from store.panels.scene import fill_readings, fill_surroundings
from store.panels.trial import Answer, answer, chunks, scans
from store.readers import PARTS, READER_ROLE, WHOLE

END = datetime(2026, 3, 3, 12, tzinfo=UTC)
FILLED = timedelta(days=1)
STEP_S = 300
RANGES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "month": timedelta(days=30)}
RESOLUTIONS = ("_5min", "_1h", "_1d")
USUAL = ("", "_5min", "_1h")
"""Of the means that are read over an hour, a day and a month; readings themselves have none."""
OTHERS = {
    "Coverage by site": ("_5min", "_1h", "_1d"),
    "Readings a second": ("_5min", "_5min", "_1h"),
    "Booked and arrived, by the hour": ("_1h", "_1h", "_1h"),  # as booking systems count
    "From measuring to arriving": ("", "", ""),  # the last quarter of an hour, whatever the range
}
ALL = {sheet.uid: sheet for sheet in (make("fr") for make in SHEETS)}
NUMBERS = {"int2", "int4", "int8", "float4", "float8", "numeric"}
RARE = {
    *("Right and wrong calls", "Quarantine by reason", "Booked and arrived, by the hour", "Turn times by quantile"),
    *("Batteries and radio", "Battery", "Radio"),
}
"""What may have nothing to show over an hour."""


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    return load_kinds()


@pytest.fixture(scope="module")
def url(module_database_url: str, kinds: Kinds, request: pytest.FixtureRequest) -> str:
    """A day of readings, and an hour in each of two chunks before it that few ask for."""
    asyncio.run(_fill(module_database_url, kinds))
    stack: EmbeddedStack = request.getfixturevalue("stack")
    database = urlsplit(module_database_url).path
    return urlsplit(stack.urls.reader_url)._replace(path=database).geturl()


async def _fill(url: str, kinds: Kinds) -> None:
    await migrate(url, kinds)
    await seed(url)
    async with connected(url, name="test") as conn:
        await conn.execute("update sensor set period_s = %s", (STEP_S,))
        for age in (timedelta(days=10), timedelta(days=500)):
            await fill_readings(conn, kinds, END - age, END - age + timedelta(hours=1), STEP_S)
        await fill_readings(conn, kinds, END - FILLED, END, STEP_S)
        await fill_surroundings(conn, END - FILLED, END, STEP_S)


@asynccontextmanager
async def grafana(url: str) -> AsyncIterator[Connection]:
    async with connected(url, name="grafana") as conn:
        yield conn


async def shown(conn: Connection, sheet: Sheet, span: timedelta) -> Shown:
    """The dashboard as it opens: all of each choice, the first where there is one only."""
    variables: dict[str, Sequence[str]] = {}
    view = Shown(END - span, END, variables)
    for choice in sheet.choices:
        found = await answer(conn, expand(choice.sql, view))
        values = [str(row[0]) for row in found.rows]
        assert values, f"{sheet.uid}: nothing to choose for {choice.name}"
        assert list(found.columns) == ["__value", "__text"] or len(found.columns) == 1
        variables[choice.name] = values[:1] if choice.one else values
    return view


def panels(sheet: Sheet) -> Iterator[Panel]:
    for _, row in sheet.rows:
        yield from row


def check_columns(panel: Panel, found: Answer) -> None:
    """What each type of panel cannot do without, in the words of Grafana's documentation."""
    names, types = list(found.columns), list(found.columns.values())
    numbers = [name for name, type_ in found.columns.items() if type_ in NUMBERS]
    match panel.type:
        case "timeseries" | "heatmap":
            assert found.columns["time"] == "timestamptz"
            assert numbers
            texts = [name for name, type_ in found.columns.items() if type_ == "text"]
            assert texts in ([], ["metric"])
            assert len(names) == 3 or not texts
        case "stat":
            assert len(found.rows) == 1
            assert len(numbers) >= len(panel.columns)
        case "geomap":
            assert {"latitude", "longitude", "level"} <= set(numbers)
        case "barchart" | "piechart":
            assert types[0] == "text"
            assert numbers
        case "table":
            pass
        case other:
            raise AssertionError(f"{other}: what does it need?")
    named = {column.name for column in panel.columns}
    if panel.type in {"table", "stat", "geomap", "barchart", "piechart"}:
        assert named <= set(names), f"columns that the query does not give: {named - set(names)}"
    if panel.type == "table":
        assert set(names) <= named, f"columns without words: {set(names) - named}"


def check_series(found: Answer) -> None:
    """Grafana turns rows into series only in the order of time, and each moment of a series must be one row."""
    names = list(found.columns)
    times = [row[names.index("time")] for row in found.rows]
    assert all(a <= b for a, b in pairwise(times))
    keys = [tuple(row[names.index(name)] for name in names if name in {"time", "metric"}) for row in found.rows]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("uid", ALL)
async def test_every_query_of_a_dashboard_answers_with_what_its_panel_needs(url: str, uid: str, name: str) -> None:
    sheet = ALL[uid]
    async with grafana(url) as conn:
        view = await shown(conn, sheet, RANGES[name])
        for panel in panels(sheet):
            found = await answer(conn, expand(panel.sql, view))
            try:
                check_columns(panel, found)
                if panel.format == "time_series":
                    check_series(found)
                assert found.rows or (name == "hour" and panel.title.en in RARE), "no rows"
            except AssertionError as exc:
                exc.add_note(f"{uid}, {panel.title.en}, {name}: {found.columns}")
                raise
        for ask in (marks.situations, marks.alarms):
            marked = await answer(conn, expand(ask("fr", everywhere=sheet.everywhere), view))
            assert list(marked.columns) == ["time", "timeend", "text", "tags"]
            assert marked.rows


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("uid", ALL)
async def test_every_query_reads_by_an_index_only_the_chunks_and_the_resolution_of_its_range(
    url: str, uid: str, name: str
) -> None:
    sheet = ALL[uid]
    async with grafana(url) as conn:
        known = await chunks(conn)
        view = await shown(conn, sheet, RANGES[name])
        # With a day a chunk is smaller than its index: whether there is a way by the index is what can be told here.
        await conn.execute("set enable_seqscan = off")
        for panel in panels(sheet):
            for scan in await scans(conn, expand(panel.sql, view)):
                if scan.relation not in known:
                    continue
                table, start, end = known[scan.relation]
                about = f"{panel.title.en} over a {name} reads {table} from {start}: {scan}"
                assert start <= view.end, about
                assert end >= view.start - timedelta(hours=1), about
                assert "Index" in scan.node or "Bitmap" in scan.node, about
                assert "time" in scan.condition, about
                found = next((suffix for suffix in RESOLUTIONS if table.endswith(suffix)), "")
                wanted = OTHERS.get(panel.title.en, USUAL)[list(RANGES).index(name)]
                assert table == "device_health" or found == wanted, about


async def test_alert_rules_give_a_figure_a_row_and_labels_to_name_it(url: str) -> None:
    answered = set()
    async with grafana(url) as conn:
        for rule in alert_rules("fr"):
            assert "$" not in rule.sql, "files for provisioning would take it for a variable of the environment"
            found = await answer(conn, rule.sql)
            assert [type_ for type_ in found.columns.values() if type_ != "text"] in (["int4"], ["float8"])
            answered |= {rule.uid for _ in found.rows}
    assert answered == {"vigie-alarms-low", "vigie-no-readings"}


async def test_a_gap_in_the_readings_is_a_gap_in_the_panel(url: str, kinds: Kinds) -> None:
    sheet = ALL["vigie-road"]
    panel = next(panel for panel in panels(sheet) if panel.title.en == "Speed")
    async with grafana(url) as conn:
        view = replace(await shown(conn, sheet, timedelta(days=1)), variables={"sensor": ["W01-F1"]})
        whole = await answer(conn, expand(panel.sql, view))
        before = replace(view, start=END - timedelta(days=11))
        seldom = await answer(conn, expand(panel.sql, replace(view, start=END - timedelta(hours=1))))
        assert len(seldom.rows) > 10, "a reading every 5 min, in steps of one"
        assert all(value is not None for _, _, value in (*whole.rows, *seldom.rows))
        broken = await answer(conn, expand(panel.sql, before))
    missing = [time for time, _, value in broken.rows if value is None]
    assert missing, "two stretches with days between them are one line"


async def test_grafana_may_read_what_panels_show_and_nothing_secret(url: str) -> None:
    async with grafana(url) as conn:
        for table in WHOLE:
            await conn.execute(f"select * from {table} limit 0".encode())  # noqa: S608
        for table, columns in PARTS.items():
            await conn.execute(f"select {', '.join(columns)} from {table} limit 0".encode())  # noqa: S608
        for forbidden in ("access_grant", "signing_key", "answered", "raw_payload", "shift", "alarm_transition"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await conn.execute(f"select * from {forbidden} limit 0".encode())  # noqa: S608
        found = await conn.execute("select count(*), max(direction) from passage where time > %s", (END - FILLED,))
        assert await found.fetchone() != (0, None)
        hidden = (("data", "event"), ("payload", "quarantine"), ("target", "subscription"), ("container", "passage"))
        for column, table in (*hidden, ("visit", "passage")):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await conn.execute(f"select {column} from {table} limit 0".encode())  # noqa: S608
        with pytest.raises(psycopg.errors.Error, match=r"read-only|permission denied"):
            await conn.execute("delete from site")
        limits: Mapping[str, str] = {"statement_timeout": "15s", "default_transaction_read_only": "on"}
        for setting, value in limits.items():
            row = await (await conn.execute(f"show {setting}".encode())).fetchone()
            assert row == (value,)


async def test_a_second_migration_has_nothing_to_grant(module_database_url: str, url: str, kinds: Kinds) -> None:
    query = "select count(*), sum(hashtext(relacl::text)) from pg_class where relacl::text like %s"
    with psycopg.connect(module_database_url) as conn:
        before = conn.execute(query, (f"%{READER_ROLE}%",)).fetchone()
        assert await migrate(module_database_url, kinds) == []
        assert conn.execute(query, (f"%{READER_ROLE}%",)).fetchone() == before


async def test_a_renamed_column_fails_its_panels(url: str, module_database_url: str) -> None:
    """What the tests above would find, were a migration to rename a column without its dashboards."""
    sheet = ALL["vigie-road"]
    async with connected(module_database_url, name="test") as conn:
        view = await shown(conn, sheet, RANGES["day"])
        async with conn.transaction(force_rollback=True):
            await conn.execute("alter table traffic_5min rename column speed_kmh_mean to speed_mean")
            speed = next(panel for panel in panels(sheet) if panel.title.en == "Speed")
            with pytest.raises(psycopg.errors.UndefinedColumn, match="speed_kmh_mean"):
                await answer(conn, expand(speed.sql, view))


async def test_the_load_of_alarms_is_the_one_that_the_api_tells(url: str, module_database_url: str) -> None:
    async with grafana(url) as conn, connected(module_database_url, name="test") as own:
        for span in RANGES.values():
            view = Shown(END - span, END, {})
            told = load(await announcements(own, view.start, view.end), view.start, view.end)
            calls, mean, busiest, _ = (await answer(conn, expand(alarms.figures(), view))).rows[0]
            assert (calls, mean, busiest) == (told.announced, pytest.approx(told.per_span), told.busiest)
            course = (await answer(conn, expand(alarms.course(), view))).rows
            assert sum(sum(row[1:]) for row in course) == told.announced
            worst = (await answer(conn, expand(alarms.worst(), view))).rows
            assert sorted(number for _, number in worst) == sorted(number for _, number in told.worst)
            chattering = (await answer(conn, expand(alarms.chattering(), view))).rows
            assert {row[0] for row in chattering} == set(told.chattering)
