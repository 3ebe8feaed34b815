"""Which of several workers writes what a call leaves behind: the first one."""

from __future__ import annotations

from collections.abc import Mapping

from graftwork.core.parallel.workers import ALONE, Workers


def writes_out(kwargs: Mapping[str, object]) -> bool:
    """Whether a call with these arguments writes its `out`: of several workers the first one does."""
    workers = kwargs.get("workers", ALONE)
    return not isinstance(workers, Workers) or workers.leads
