"""How much a run reads in a second: of texts the tokens, of others the pictures or the seconds of sound."""

from __future__ import annotations

import time
from itertools import islice

from graftwork.core.fit import Progress
from graftwork.core.run import Run
from graftwork.networks.audio.encoder import TOKEN_SECONDS


class Speed:
    """An observer of one run, which only looks at the clock."""

    def __init__(self) -> None:
        self._first = self._last = 0
        self._begun = self._now = 0.0

    def __call__(self, progress: Progress) -> None:
        self._now, self._last = time.monotonic(), progress.step
        if not self._begun:  # the first step also wakes everything up
            self._begun, self._first = self._now, progress.step

    def text(self, run: Run) -> str:
        """What was read a second, validation included; empty where there were too few steps to tell."""
        steps, seconds = self._last - self._first, self._now - self._begun
        if steps < 1 or seconds <= 0:
            return ""
        rows = list(islice(run.rows_from(self._first), steps))
        kind = run.network.encoder(run.network.columns[0]).modality
        counted = sum(float(run.train.lengths[indices].sum()) for indices in rows)
        read, unit = {
            "text": (counted, "tokens"),
            "audio": (counted * TOKEN_SECONDS, "seconds of sound"),
        }.get(kind, (float(sum(map(len, rows))), "pictures" if kind == "image" else "rows"))
        return f"{read / seconds:,.0f} {unit} a second"
