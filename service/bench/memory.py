"""`vigie bench memory`: what every process of `vigie up` holds while the simulated port of 90 sensors speaks.

Memory is told as PSS, the proportional share: a page that n processes have in common counts an n-th for each, so that
the parts add up to what they take from the machine. PostgreSQL's processes share most of what they hold. Of the largest
process the resident size stands beside it, in which shared pages count in full.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from service.bench.processes import BenchFailed
from service.bench.running import running_vigie
from service.bench.scene import Say
from service.endpoints import cache_folder
from service.scratch import own_environ, scratch_folder
from service.settings import Settings

_LOOK_S: Final = 1.0
_PARTS: Final = (("simulators", "service simulate"), ("database", "postgres"), ("broker", "mosquitto"))
_SERVICE: Final = "service"

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Held:
    """What one process holds; part: the one of `vigie up` that it belongs to."""

    part: str
    pss_mb: float
    rss_mb: float


async def bench_memory(settings: Settings, seconds: float, say: Say) -> Figures:
    """Let the port speak for so long; the most that each part and all together held, in MB of a million bytes."""
    environ = own_environ(None, cache_dir=str(cache_folder(settings)))
    most: Figures = {}
    with scratch_folder("bench") as folder:
        async with running_vigie(folder, environ) as vigie:
            say(f"the port speaks for {seconds:g} s")
            ends = time.monotonic() + seconds
            while time.monotonic() < ends:
                vigie.check()
                found = figures(list(held(vigie.pid)))
                most = {name: max(value, most.get(name, 0.0)) for name, value in found.items()}
                await asyncio.sleep(_LOOK_S)
    if "simulators_mb" not in most:
        raise BenchFailed(f"the simulators did not run within {seconds:g} s: give more --seconds")
    return {"seconds": seconds, **{name: round(value, 1) for name, value in most.items()}}


def figures(processes: list[Held]) -> Figures:
    """The sums by part, without the simulators and of all, and the largest single process."""
    parts = sorted({process.part for process in processes})
    sums = {f"{part}_mb": sum(one.pss_mb for one in processes if one.part == part) for part in parts}
    ours = [process for process in processes if process.part != "simulators"]
    return {
        **sums,
        "without_simulators_mb": sum(process.pss_mb for process in ours),
        "largest_process_mb": max(process.pss_mb for process in processes),
        "largest_process_rss_mb": max(process.rss_mb for process in processes),
    }


def held(pid: int) -> Iterator[Held]:
    """A process and all that it has started; one that ends meanwhile is left out."""
    for one in _family(pid):
        try:
            command = Path(f"/proc/{one}/cmdline").read_text().replace("\0", " ")
            sizes = dict(_sizes(Path(f"/proc/{one}/smaps_rollup").read_text()))
        except (FileNotFoundError, ProcessLookupError):
            continue
        if sizes:
            part = next((part for part, word in _PARTS if word in command), _SERVICE)
            yield Held(part, sizes["Pss"], sizes["Rss"])


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in found:
            yield from _family(int(child))


def _sizes(rollup: str) -> Iterator[tuple[str, float]]:
    """Sizes in MB by name; the kernel tells KiB."""
    for line in rollup.splitlines():
        name, _, rest = line.partition(":")
        amount, _, unit = rest.strip().partition(" ")
        if unit == "kB":
            yield name, int(amount) * 1024 / 1e6
