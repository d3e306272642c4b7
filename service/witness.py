"""Writing down what was true of a simulated run, for `--truth FILE`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sensors.kind import Kinds
from service.staging import Run
from simulators.senders import Observe
from simulators.truth import Truth, TruthError, TruthRecorder, shifted, with_faults, write_truth
from simulators.world import World


@contextmanager
def witnessed(
    run: Run, world: World, kinds: Kinds, path: Path | None, say: Callable[[str], None]
) -> Iterator[Observe | None]:
    """Watch the world, and at the end, however it comes, write what was true until then; without a path, neither."""
    if path is None:
        yield None
        return
    recorder = TruthRecorder(
        world.catalogue,
        run.interventions,
        scenario=run.scenario,
        seed=run.seed,
        kinds=kinds,
        ordinary=world.ordinary(),
    )
    try:
        yield lambda seen: recorder.observe(seen.view())
    finally:
        try:
            write_truth(path, _known(recorder.finish(), run))
            say(f"the truth is in {path}")
        except TruthError as exc:
            say(f"no truth is written: {exc}")


def _known(truth: Truth, run: Run) -> Truth:
    """With the faults that have begun, in the time that was told."""
    end_s = truth.run.end.timestamp()
    begun = [replace(one, end_s=min(one.end_s, end_s)) for one in run.injections if one.start_s < end_s]
    return shifted(with_faults(truth, begun), run.shift_s)
