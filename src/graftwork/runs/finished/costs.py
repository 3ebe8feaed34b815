"""What a call cost: time by run, memory, and the versions that it ran with."""

from __future__ import annotations

import importlib.metadata
import platform
import time
from collections.abc import Sequence

from graftwork.evidence.results import Stage
from graftwork.runs.clock import Began
from graftwork.runs.leave_one_domain_out import LeftOutDomain
from graftwork.runs.single.run import Candidate

PACKAGES = ("graftwork", "torch", "transformers", "tokenizers", "peft", "pyarrow", "numpy")


def costs(candidates: Sequence[Candidate], began: Began, left_out: Sequence[LeftOutDomain]) -> tuple[Stage, ...]:
    """Each run, and what the call did beside them: reading, checking, scoring."""
    stages = [Stage(f"without {one.domain}", one.wall, one.cpu) for one in left_out]
    stages += [Stage(one.name, one.wall, one.cpu) for one in candidates]
    wall, cpu = time.monotonic() - began.wall, time.process_time() - began.cpu
    wall, cpu = wall - sum(s.wall_seconds for s in stages), cpu - sum(s.cpu_seconds for s in stages)
    rest = Stage("the rest", max(wall, 0.0), max(cpu, 0.0))  # a resumed call did not begin with the first run
    return (*stages, rest)


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
