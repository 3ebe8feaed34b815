"""How a tune is to be made: what the command line and `graftwork.tune` ask for, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from graftwork.errors import UsageError
from graftwork.evidence.tune.trials import Limits
from graftwork.runs.clock import check_budget

BUDGET = 600.0
"""Seconds where neither a budget nor a number of trials is given."""
BATCH = 4
"""Trials that are proposed together, from the same knowledge."""
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


@dataclass(frozen=True, kw_only=True)
class Asking:
    """`graftwork.tune` says what each means."""

    budget: float | None = None
    trials: int | None = None
    try_base: Sequence[str] = ()
    try_with: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)
    pareto: bool = False
    folds: int | None = None
    batch: int = BATCH

    def __post_init__(self) -> None:
        check_budget(self.budget)
        for name, least in (("trials", 1), ("batch", 1), ("folds", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"{name} is {value}. Expected {least} or more.")
        for name, limit in (("latency", self.limits.latency), ("size", self.limits.size)):
            if limit is not None and limit <= 0:
                raise UsageError(f"{name} is {limit:g}. Expected a positive number.")
        for name in ("try_base", "try_with"):
            if isinstance(getattr(self, name), str):
                raise UsageError(f"{name} is a text. Expected a list of texts.")

    @property
    def seconds(self) -> float | None:
        """The budget; one of `BUDGET` seconds where trials are not counted either."""
        return BUDGET if self.budget is None and self.trials is None else self.budget


def latency_of(given: str | float | None) -> float | None:
    """Seconds of a time to predict one row: a number of seconds, or as people write it.

    >>> latency_of("5ms"), latency_of("0.5s"), latency_of(0.02)
    (0.005, 0.5, 0.02)
    """
    if given is None or isinstance(given, int | float):
        return given
    return _measure(given, _SECONDS, "latency", "a time such as 5ms or 0.1s")


def size_of(given: str | float | None) -> int | None:
    """Bytes of a size: a number of bytes, or as people write it.

    >>> size_of("20MB"), size_of("1.5GiB"), size_of(500)
    (20000000, 1610612736, 500)
    """
    if given is None or isinstance(given, int | float):
        return None if given is None else int(given)
    return int(_measure(given, _BYTES, "size", "a size such as 500kB or 20MB"))


def _measure(text: str, units: dict[str, float] | dict[str, int], name: str, expected: str) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?|\.\d+)\s*([A-Za-z]*)\s*", text)
    unit = units.get(found[2].lower()) if found else None
    if found is None or unit is None or float(found[1]) <= 0:
        raise UsageError(f"{name} is '{text}'. Expected {expected}.")
    return float(f"{float(found[1]) * unit:.12g}")
