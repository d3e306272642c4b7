from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from psycopg import sql

from sensors.kind import Kind, Kinds, load_kinds, parse_kind
from store.database import DatabaseUnavailable
from store.kind_tables import KindTableRefused
from store.migrate import migrate

ROLLUPS = ("_5min", "_1h", "_1d")
FILL = """
name = "waste_bin"
letter = "D"
period_s = 900
chart = "fill_share"
title = { en = "Waste bin", fr = "Benne" }
level = { rule = "limits", field = "fill_share", dense = 0.6, congested = 0.8, jammed = 0.95 }

[[fields]]
name = "fill_share"
unit = "1"
title = { en = "Fill level", fr = "Remplissage" }
low = 0
high = 1
"""
INSERT = """
insert into waste_bin (sensor, time, received_at, batch, quality, fill_share) values ('D', now(), now(), 1, 0, 0.5)"""
ONE_MORE_FIELD = """
[[fields]]
name = "temperature_c"
unit = "Cel"
title = { en = "Temperature", fr = "Température" }
"""


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(query.encode()).fetchall()


def only(text: str) -> Kinds:
    kind: Kind = parse_kind(text, origin="test")
    return Kinds({kind.name: kind})


async def test_every_kind_has_its_hypertables_with_the_names_of_its_definition(database_url: str) -> None:
    kinds = load_kinds()
    await migrate(database_url, kinds)
    tables = {name for (name,) in ask(database_url, "select hypertable_name from timescaledb_information.hypertables")}
    assert tables == {"device_health", *(f"{name}{suffix}" for name in kinds for suffix in ("", *ROLLUPS))}
    for kind in kinds.values():
        with psycopg.connect(database_url) as conn:
            names = sql.SQL(", ").join(map(sql.Identifier, (*kind.field_names, *kind.text_names)))
            assert conn.execute(sql.SQL("select {} from {}").format(names, sql.Identifier(kind.name))).fetchall() == []


async def test_migrating_again_changes_nothing(database_url: str, kinds: Kinds) -> None:
    assert "traffic" in await migrate(database_url, kinds)
    assert await migrate(database_url, kinds) == []


async def test_processes_that_start_together_migrate_once(database_url: str, kinds: Kinds) -> None:
    done = await asyncio.gather(*(migrate(database_url, kinds) for _ in range(3)))
    assert sorted(map(bool, done)) == [False, False, True]


async def test_a_kind_of_the_port_itself_gets_its_tables_from_its_one_definition(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "waste_bin.toml").write_text(FILL)
    made = await migrate(database_url, load_kinds(tmp_path))
    assert {"waste_bin", "waste_bin_5min"} <= set(made)
    assert ask(database_url, "select sensor, time, fill_share from waste_bin") == []


async def test_a_new_field_becomes_a_column_and_old_readings_keep_their_values(database_url: str) -> None:
    await migrate(database_url, only(FILL))
    with psycopg.connect(database_url) as conn:
        conn.execute(INSERT)
    made = await migrate(database_url, only(FILL + ONE_MORE_FIELD))
    assert made == [
        "waste_bin.temperature_c",
        *(f"waste_bin{suffix}.temperature_c_{part}" for suffix in ROLLUPS for part in ("mean", "min", "max")),
    ]
    assert ask(database_url, "select fill_share, temperature_c from waste_bin") == [(0.5, None)]


async def test_a_field_that_left_its_definition_keeps_its_data(database_url: str) -> None:
    await migrate(database_url, only(FILL + ONE_MORE_FIELD))
    assert await migrate(database_url, only(FILL)) == []
    assert ask(database_url, "select temperature_c from waste_bin") == []


async def test_a_changed_type_is_refused_by_name(database_url: str) -> None:
    text_field = FILL + '[[texts]]\nname = "note"\ntitle = { en = "N", fr = "N" }\nchoices = ["a"]\n'
    await migrate(database_url, only(text_field))
    with pytest.raises(KindTableRefused, match=r"waste_bin\.note holds text and the definition wants float4"):
        await migrate(database_url, only(FILL + ONE_MORE_FIELD.replace("temperature_c", "note")))


@pytest.mark.parametrize("name", ["event", "batch_number", "pg_class"])
async def test_a_kind_cannot_take_the_name_of_a_table_of_the_store(database_url: str, name: str) -> None:
    with pytest.raises(KindTableRefused, match=name):
        await migrate(database_url, only(FILL.replace("waste_bin", name)))


async def test_a_kind_cannot_take_the_name_of_another_ones_rollup(database_url: str) -> None:
    both = Kinds({**only(FILL), **only(FILL.replace("waste_bin", "waste_bin_5min"))})
    with pytest.raises(KindTableRefused, match="waste_bin_5min"):
        await migrate(database_url, both)


async def test_a_server_that_cannot_have_timescaledb_is_told_in_one_line(database_url: str, kinds: Kinds) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        if conn.execute("select rolsuper from pg_roles where rolname = current_user").fetchone() == (True,):
            pytest.skip("the role of VIGIE_TEST_DATABASE_URL is a superuser: nothing can be forbidden to it")
        name = sql.Identifier(urlsplit(database_url).path[1:])
        conn.execute("drop extension if exists timescaledb")
        conn.execute(sql.SQL("revoke create on database {} from current_user, public").format(name))
    with pytest.raises(DatabaseUnavailable, match="cannot use TimescaleDB") as caught:
        await migrate(database_url, kinds)
    assert "\n" not in str(caught.value)


async def test_an_absent_server_is_told_in_one_line_without_the_password(kinds: Kinds) -> None:
    secret = quote("p4ss")
    with pytest.raises(DatabaseUnavailable, match=r"cannot use the database at 127\.0\.0\.1:1/none") as caught:
        await migrate(f"postgresql://vigie:{secret}@127.0.0.1:1/none", kinds)
    assert "\n" not in str(caught.value)
    assert secret not in str(caught.value)
