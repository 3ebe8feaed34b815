"""What every mutation is held against: it works, or it is refused in words; quickly, and without a trace elsewhere.

`GRAFTWORK_MUTATIONS` says how many seeds of each kind are tried (12 by default; `make nightly` tries 500), and
`GRAFTWORK_SEED` where they begin.
"""

from __future__ import annotations

import os
import signal
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from graftwork.errors import GraftworkError

MUTATIONS = int(os.environ.get("GRAFTWORK_MUTATIONS", "12"))
FIRST = int(os.environ.get("GRAFTWORK_SEED", "0"))
SECONDS = 30.0
"""One mutation may take so long; what hangs is a fault."""


class Hangs(BaseException):
    """Not over within `SECONDS`. No Exception, so that nothing under test can swallow it."""


@dataclass
class Examined:
    """How many worked, how many were refused, and what went wrong by seed."""

    worked: int = 0
    refused: int = 0
    faults: dict[int, str] = field(default_factory=dict)

    def holds(self) -> Examined:
        """Asserts that nothing went wrong, and that both outcomes were seen where there were enough tries."""
        kinds = Counter(text.splitlines()[0] for text in self.faults.values())
        shown = "\n\n".join(f"seed {seed}: {text}" for seed, text in list(self.faults.items())[:3])
        assert not self.faults, f"{len(self.faults)} of {self.total} ({dict(kinds)})\n\n{shown}"
        return self

    @property
    def total(self) -> int:
        return self.worked + self.refused + len(self.faults)


def examine(act: Callable[[int], object], count: int | None = None) -> Examined:
    """Call `act` with each seed. It may return, or raise a GraftworkError with a message; all else is a fault."""
    found = Examined()
    for seed in range(FIRST, FIRST + (MUTATIONS if count is None else count)):
        try:
            with within(SECONDS), warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                act(seed)
            found.worked += 1
        except GraftworkError as error:
            if len(str(error).strip()) < 15:
                found.faults[seed] = f"refused without a word: {error!r}"
            found.refused += 1
        except (Exception, Hangs) as error:
            place = traceback.extract_tb(error.__traceback__)[-4:]
            where = "\n".join(f"  {frame.filename}:{frame.lineno} {frame.name}" for frame in place)
            found.faults[seed] = f"{type(error).__name__}: {str(error)[:300]}\n{where}"
    return found


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise Hangs in the block when it takes longer."""

    def stop(*_: object) -> None:
        raise Hangs(f"not over after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder with its size and time: unequal if any was written."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    }
