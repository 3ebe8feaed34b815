"""CPU and wall seconds inside a process, with scoring on test rows left out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

BEGAN = "GRAFTWORK_BENCH_BEGAN"
"""Environment variable: `time.monotonic()` at which the parent started this process."""


class Clock:
    """Seconds since it was made; with `whole_process` since the process was started, imports included."""

    def __init__(self, *, whole_process: bool = False) -> None:
        self._cpu = 0.0 if whole_process else time.process_time()
        self._wall = float(os.environ[BEGAN]) if whole_process else time.monotonic()

    def read(self) -> dict[str, float]:
        return {"cpu": time.process_time() - self._cpu, "wall": time.monotonic() - self._wall}

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """What is done inside does not count."""
        cpu, wall = time.process_time(), time.monotonic()
        yield
        self._cpu += time.process_time() - cpu
        self._wall += time.monotonic() - wall
