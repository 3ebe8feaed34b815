"""How many threads compute, and how they wait; both must be in the environment before torch loads its OpenMP.

Only the command line calls `prepare`: a Python process is its user's, and `import graftwork` changes nothing of it.
"""

from __future__ import annotations

import math
import os
from collections.abc import MutableMapping
from pathlib import Path

from graftwork.control_groups import group_folders, text_of

THREADS = "OMP_NUM_THREADS"
WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
"""A thread that waits gives its core away at once. By default it spins, and beside other processes it burns what they,
and the thread that it waits for, need."""


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set what the user did not set: how threads wait, and their number where a container's quota is below its cores.

    Torch's OpenMP follows the affinity by itself, but not a quota.
    """
    if not any(name in environment for name in WAITING):
        environment.update(WAITING)
    if THREADS not in environment and usable() < allowed():
        environment[THREADS] = str(usable())


def usable(root: Path = Path("/")) -> int:
    """Threads that find a core: the process's affinity, and at most the quota of its control groups, rounded up."""
    quota = cpu_quota(root)
    return allowed() if quota is None else max(1, min(allowed(), math.ceil(quota)))


def allowed() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_quota(root: Path = Path("/")) -> float | None:
    """Cores' worth of time that the control groups of this process allow, the least of them; None where none limits.

    Version 2 says it in `cpu.max`, version 1 in `cpu.cfs_quota_us`; every group above counts too. root: of the file
    system.
    """
    found = []
    for version_1, folder in group_folders("cpu", root):
        limit = _first_version(folder) if version_1 else _second_version(folder)
        found += [] if limit is None else [limit]
    return min(found, default=None)


def _second_version(folder: Path) -> float | None:
    quota, _, period = text_of(folder / "cpu.max").strip().partition(" ")
    return _ratio(quota, period or "100000")


def _first_version(folder: Path) -> float | None:
    return _ratio(text_of(folder / "cpu.cfs_quota_us").strip(), text_of(folder / "cpu.cfs_period_us").strip())


def _ratio(quota: str, period: str) -> float | None:
    """None for "max", for -1, and for what can't be read."""
    if not (quota.isdigit() and period.isdigit()) or int(period) == 0 or int(quota) == 0:
        return None
    return int(quota) / int(period)
