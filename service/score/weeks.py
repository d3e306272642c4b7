"""A process that simulates ordinary weeks of a seed into files: FOLDER SEED WEEKS WEEK... See `service.score.past`."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sensors.catalogue import shipped_catalogue
from sensors.kind import load_kinds
from service.score.past import WEEK, WEEK_START
from simulators.history import HistoryBlock, Stretch, measured


def main(folder: str, seed: str, weeks: str, *numbers: str) -> None:
    """Write the weeks of these numbers, the last of which is the week of the scenarios."""
    for number in map(int, numbers):
        start = WEEK_START + WEEK * (number - int(weeks))
        stretch = Stretch(start.timestamp(), (start + WEEK).timestamp())
        found = defaultdict[str, list[HistoryBlock]](list)
        for block in measured(shipped_catalogue(), load_kinds(), seed=int(seed), stretch=stretch):
            found[block.kind].append(block)
        target = Path(folder) / f"week-{number}"
        target.mkdir()
        for kind, parts in found.items():
            write_blocks(target / f"{kind}.npz", parts)


def write_blocks(path: Path, parts: Sequence[HistoryBlock]) -> None:
    """Keep the blocks of one kind, in order of time, as one file."""
    things = sorted({thing for part in parts for thing in part.things})
    place = {thing: index for index, thing in enumerate(things)}
    thing = [np.array([place[name] for name in part.things], np.int16)[part.thing] for part in parts]
    texts = {name: np.array([text or "" for part in parts for text in part.texts[name]]) for name in parts[0].texts}
    np.savez_compressed(
        path,
        kind=np.array(parts[0].kind),
        things=np.array(things),
        thing=np.concatenate(thing),
        time_us=np.concatenate([part.time_us for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        allow_pickle=False,
        **{f"text_{name}": column for name, column in texts.items()},
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
