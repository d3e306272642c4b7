"""Write the schema of a commit to `schema/`: `python tests/data/make_schema.py URL COMMIT`, with a database that this
commit's `vigie db migrate` has made."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from store.database import connected
from store.shape import shape_of


async def main(url: str, commit: str) -> None:
    async with connected(url, name="schema") as conn:
        shape = await shape_of(conn)
    lines = msgspec.json.format(msgspec.json.encode({"commit": commit, "shape": shape}), indent=1)
    Path(__file__).parent.joinpath("schema", f"{commit}.json").write_bytes(lines + b"\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
