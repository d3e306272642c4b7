"""What was true in a run: congestion in the world before any sensor, and the faults that were injected."""

from simulators.truth.lines import Truth, TruthError, read_truth, shifted, with_faults, write_truth
from simulators.truth.recorder import TruthRecorder

__all__ = ["Truth", "TruthError", "TruthRecorder", "read_truth", "shifted", "with_faults", "write_truth"]
