"""What the bases of trials read: as many rows as there is time for, and under folds all rows once for all of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graftwork.core.clock.pace import OutOfTime
from graftwork.data.store.cache import storing
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import write_text
from graftwork.evidence.tune.trials import Trial
from graftwork.recipe import Recipe
from graftwork.runs.budget.first_pass import pass_of_better
from graftwork.runs.budget.look import first_look
from graftwork.runs.budget.own_rows import TOO_FEW
from graftwork.runs.candidates.planned import is_probe
from graftwork.runs.clock import Deadline
from graftwork.runs.listener import Listener
from graftwork.runs.shared_features import frozen_inputs, read_by, share_features
from graftwork.runs.single import make_ready
from graftwork.runs.tune.heard import UnderName
from graftwork.runs.tune.judged import Judged
from graftwork.runs.tune.space.tried_bases import core_of

FILE = "read.json"
"""Beside the trials: by bases, the training rows that they have read."""


@dataclass(frozen=True)
class Reading:
    """judged: the rows of all trials. place: where these are kept. listener: hears the rows of a pass."""

    judged: Judged
    place: Path
    listener: Listener

    def in_time(self, trial: Trial, recipe: Recipe, ends: Deadline | None) -> Trial:
        """A probe that is not begun and reads an input with another base than the default, with as many training rows
        as there is time to read, the same for all probes of these bases; its name tells them. Others as they are, and
        all trials under folds, where rows are few.

        Raises OutOfTime where they are too few to learn from.
        """
        job, known = self.judged.job, self._known()
        if trial.rungs or ends is None or self.judged.folds > 1 or not (is_probe(recipe) and self._reads_other(recipe)):
            return trial
        rows = known.get(read_by(recipe))
        if rows is None:
            look, hearing = first_look(job, recipe, ends.clock), UnderName(self.listener, trial.name, "")
            if not look.whole:
                return trial
            rows = pass_of_better(job, recipe, look.row, ends, hearing)
            with storing(self.place):
                self.place.mkdir(parents=True, exist_ok=True)
                write_text(self.place / FILE, json.dumps({**known, read_by(recipe): rows}))
        if rows == 0:
            raise OutOfTime(f"{TOO_FEW[:1].upper()}{TOO_FEW[1:]}.")
        told = "" if rows == len(job.train) else f", {rows:,} rows"
        return replace(trial, rows=rows, name=f"{trial.name}{told}")

    def _reads_other(self, recipe: Recipe) -> bool:
        own = {name: core_of(choice.base) for name, choice in self.judged.job.bases.each.items()}
        bases = recipe.bases(self.judged.job.train.schema)
        return any(core_of(base) != own[name] for name, base in bases.items() if name in own)

    def _known(self) -> dict[str, int]:
        try:
            found: Any = json.loads((self.place / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return {} if misfit(found, dict[str, int]) else dict(found)


class _Hurried(UnderName):
    """Ends the pass that it hears of when the time is over."""

    def __init__(self, listener: Listener, name: str, run: str, ends: Deadline | None) -> None:
        super().__init__(listener, name, run)
        self._ends = ends

    def computed(self, done: int, rows: int) -> None:
        if self._ends is not None and self._ends.left() < 0:
            raise OutOfTime
        super().computed(done, rows)


def share_folds(
    judged: Judged, trial: Trial, recipe: Recipe, shared: set[str], listener: Listener, ends: Deadline | None
) -> None:
    """Under folds, compute what a frozen base gives of all rows once, and not by fold. shared: by what the rows were
    read that were shared before; it is added to. Raises OutOfTime where that takes too long."""
    if judged.folds == 1 or trial.rungs or recipe.rows is not None or read_by(recipe) in shared:
        return
    frozen = frozen_inputs(make_ready(judged.jobs[0], recipe, sketched=True))
    if not frozen:
        return
    parts = []
    for job, (trained, held) in zip(judged.jobs, judged.parts, strict=True):
        assert job.test is not None
        parts += [(job.train, trained), (job.test, held)]
    hearing = _Hurried(listener, trial.name, "run", ends)
    share_features(judged.jobs[0], recipe, judged.job.train, parts, frozen, hearing)
    shared.add(read_by(recipe))
