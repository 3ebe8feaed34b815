"""Whether the memory of this machine is enough for the steps of a run."""

from __future__ import annotations

from graftwork.core.run import Run
from graftwork.core.training.step_memory import least_memory, step_memory
from graftwork.runs.bases.memory import free_memory


def lacking_memory(run: Run) -> str:
    """Why the memory is too small for the steps of a run; "" where it is not, or where that is not known, as where the
    steps that are tried fail: that shows in the run itself."""
    free = free_memory()
    if free is None:
        return ""
    taken = least_memory(run)
    if taken <= free:  # else the trial itself would take too much
        try:
            taken = step_memory(run)
        except Exception:
            return ""
    if taken <= free:
        return ""
    return f"its steps take about {taken / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free"
