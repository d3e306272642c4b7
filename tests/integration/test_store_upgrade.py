"""Old code on a new schema, as docs/operating.md promises for upgrades and rollbacks.

`tests/data/schema/` has what the schema was at former versions, so that a checkout without history can tell. Where
there is history, the old code itself is run (`make prove`).
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import httpx
import msgspec
import psycopg
import pytest

from sensors.kind import Kinds, load_kinds
from store.database import connected
from store.migrate import migrate
from store.shape import Shape, missed, shape_of

ROOT = Path(__file__).parents[2]
FORMER = sorted((ROOT / "tests" / "data" / "schema").glob("*.json"))
PATIENCE_S = 60.0
NINETY = 90


class Former(msgspec.Struct, frozen=True):
    commit: str
    shape: Shape


def former(file: Path) -> Former:
    return msgspec.json.decode(file.read_bytes(), type=Former)


@pytest.fixture(scope="module")
def kinds() -> Kinds:
    return load_kinds()


@pytest.mark.parametrize("file", FORMER, ids=lambda file: file.stem)
async def test_the_schema_has_all_that_former_versions_use_and_asks_nothing_new_of_them(
    file: Path, database_url: str, kinds: Kinds
) -> None:
    await migrate(database_url, kinds)
    async with connected(database_url, name="test") as conn:
        now = await shape_of(conn)
        assert missed(former(file).shape, now) == []
        for statement, found in BREAKING.items():
            async with conn.transaction(force_rollback=True):
                await conn.execute(statement.encode())
                assert missed(now, await shape_of(conn)) == found
        for statement in HARMLESS:
            async with conn.transaction(force_rollback=True):
                await conn.execute(statement.encode())
                assert missed(now, await shape_of(conn)) == []


BREAKING = {
    "drop table flood": ["the sequence flood_id_seq is gone", "the table flood is gone"],
    "alter table traffic_1h rename column speed_kmh_mean to speed_mean": [
        "traffic_1h: the column speed_kmh_mean is gone"
    ],
    "alter table state alter column level type integer": ["state: the column level is integer and was smallint"],
    "alter table state alter column since set not null": ["state: the column since must be given now"],
    "alter table fault add column told text not null": ["fault: the new column told must be given"],
    "alter table fault drop constraint fault_pkey": ["fault: nothing keeps btree (place, fault) unique any more"],
    "alter table flood add check (most > 9)": ["flood: rows must fulfil CHECK ((most > 9)) now"],
}
HARMLESS = (
    "alter table fault add column told text",
    "alter table fault add column told text not null default ''",
    "create table later (id bigint primary key)",
    "create index later on fault (since)",
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The newest former version in a folder of its own."""
    commit = former(FORMER[-1]).commit
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        pytest.skip(f"{commit} is not in this checkout: {packed.stderr.decode().strip()}")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
        files.extractall(tmp_path, filter="data")
    return tmp_path


@pytest.fixture
def home() -> Iterator[Path]:
    """Where root's unprivileged account can go, which pytest's own folders are not."""
    folder = Path(tempfile.mkdtemp(prefix="vigie-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.prove
def test_the_former_version_runs_and_answers_on_the_present_schema(
    old: Path, home: Path, database_url: str, program_cache: Path, kinds: Kinds
) -> None:
    asyncio.run(migrate(database_url, kinds))
    environ = {
        **os.environ,
        "PYTHONPATH": str(old),
        "VIGIE_DATABASE_URL": database_url,
        "VIGIE_CACHE_DIR": str(program_cache),
        "VIGIE_LOG_FORMAT": "json",
    }
    vigie = [sys.executable, "-m", "service"]
    up = [*vigie, "up", "--home", str(home), "--http", "127.0.0.1:0", "--for", "60"]
    with subprocess.Popen(
        up, cwd=old, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        url = _until_live(running.stdout)
        create = [*vigie, "keys", "create", "--name", "test", "--scope", "admin"]
        key = subprocess.run(create, cwd=old, env=environ, capture_output=True, text=True, check=True).stdout.strip()
        asked = _ask_everything(url, {"authorization": f"Bearer {key}"})
        said = running.stdout.read()
    assert running.returncode == 0, said[-3000:]
    assert not [line for line in said.splitlines() if '"level": "error"' in line or "Traceback" in line]
    assert asked > 20
    with psycopg.connect(database_url) as conn:
        assert conn.execute("select count(*) from state").fetchone() >= (90,)
        assert conn.execute("select count(*) >= 46 from traffic").fetchone() == (True,)


def _until_live(lines: Iterable[str]) -> str:
    for line in lines:
        if link := re.search(r"(http://127\.0\.0\.1:\d+)/sign-in", line):
            return link[1]
    raise AssertionError("the former version did not start")


def _ask_everything(url: str, headers: Mapping[str, str]) -> int:
    """Ask every route that needs no more than a key; how many there were."""
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
        deadline = time.monotonic() + PATIENCE_S
        while len(client.get("/v1/states").json()["items"]) < NINETY:
            assert time.monotonic() < deadline, "not all sensors have a state"
            time.sleep(0.5)
        paths = client.get("/openapi.json").json()["paths"]
        plain = [path for path, ways in paths.items() if "get" in ways and "{" not in path and "stream" not in path]
        for path in plain:
            with client.stream("GET", path) as response:
                assert response.status_code < 500, path
        return len(plain)
