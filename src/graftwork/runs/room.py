"""Whether the memory of this machine is enough for the steps of a run."""

from __future__ import annotations

from graftwork.core.run import Run
from graftwork.core.training.step_memory import step_memory
from graftwork.runs.bases.memory import free_memory


def no_room(run: Run) -> str:
    """Why the memory is too small for a step; "" where it is not, or where that is not known. A GPU says it by itself;
    a system that has no memory left ends the process."""
    if run.network.device.type != "cpu":
        return ""
    free = free_memory()
    if free is None or (taken := step_memory(run)) <= free:
        return ""
    return f"a step takes about {taken / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free"
