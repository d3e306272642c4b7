"""The numbers in a batch: what its readings and its quarantined messages settle. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from ingest.columns import ABSENT, Batch, Numbers
from sensors.receipt import readable_numbers
from sensors.senml import numbers_in


class Run(msgspec.Struct, frozen=True, gc=False):
    """Consecutive numbers of one boot of one thing in a batch."""

    site: str
    thing: str
    boot: int
    first: int
    last: int
    quarantined: bool = False


def runs(batch: Batch) -> Iterator[Run]:
    """The numbers that a batch settles, each thing's together whatever kinds it publishes; a list of few for many."""
    sites, codes = _codes(batch)
    if sites:
        names = list(sites)
        numbers = [np.concatenate([getattr(columns, name) for columns in batch.columns]) for name in ("boot", "seq")]
        yield from _consecutive(names, list(sites.values()), codes, *numbers)
    for message in batch.quarantined:
        if message.thing is not None:
            for boot, seq in message.numbers:
                yield Run(message.site or "", message.thing, boot, seq, seq, quarantined=True)


def _codes(batch: Batch) -> tuple[dict[str, str], NDArray[np.int64]]:
    """Each thing's site in order of appearance, and each row's place in that order."""
    sites: dict[str, str] = {}
    places: dict[str, int] = {}
    for columns in batch.columns:
        sites.update(zip(columns.thing, columns.site, strict=True))
    for thing in sites:
        places[thing] = len(places)
    count = sum(len(columns.thing) for columns in batch.columns)
    return sites, np.fromiter((places[thing] for columns in batch.columns for thing in columns.thing), np.int64, count)


def _consecutive(
    things: Sequence[str],
    sites: Sequence[str],
    code: NDArray[np.int64],
    boot: NDArray[np.int64],
    seq: NDArray[np.int64],
) -> Iterator[Run]:
    given = seq != ABSENT
    code, boot, seq = code[given], boot[given], seq[given]
    if not len(seq):
        return
    order = np.lexsort((seq, boot, code))
    code, boot, seq = code[order], boot[order], seq[order]
    # One is taken away, never added: numbers reach to 2**63 - 1.
    same = (code[1:] == code[:-1]) & (boot[1:] == boot[:-1]) & (seq[1:] - 1 <= seq[:-1])
    starts = np.concatenate(([0], np.flatnonzero(~same) + 1, [len(seq)]))
    for start, end in pairwise(starts.tolist()):
        place = int(code[start])
        yield Run(sites[place], things[place], int(boot[start]), int(seq[start]), int(seq[end - 1]))


def settled_by(payload: bytes) -> Numbers:
    """The numbers of the readings in a payload that cannot be used, as far as it can be read at all."""
    found = readable_numbers(payload)
    if not found and (senml := numbers_in(payload)) is not None:
        found = (senml,)
    return tuple((ABSENT if boot is None else boot, seq) for boot, seq in found)
