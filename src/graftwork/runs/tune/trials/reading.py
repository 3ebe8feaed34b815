"""What the bases of trials read: as many rows as there is time for, and under folds all rows once for all of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graftwork.core.clock.pace import OutOfTime
from graftwork.data.store.cache import storing
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import write_text
from graftwork.evidence.tune.trials import Trial
from graftwork.recipe import Recipe, from_dict
from graftwork.runs.budget.first_pass import pass_of_better
from graftwork.runs.budget.look import first_look
from graftwork.runs.budget.own_rows import TOO_FEW
from graftwork.runs.candidates.planned import is_probe
from graftwork.runs.clock import Deadline
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import make_ready
from graftwork.runs.single.shared_features import frozen_inputs, read_by, share_features
from graftwork.runs.tune.judged import Judged
from graftwork.runs.tune.space.tried_bases import core_of
from graftwork.runs.tune.trials.files import known_trials
from graftwork.runs.tune.trials.heard import UnderName

FILE = "read.json"
"""Beside the trials: by what is read, how many training rows were, and the seconds that there were for a trial."""
MORE = 2.0
"""So many times as long a trial must have to read more rows than the one before it."""


@dataclass(frozen=True)
class Reading:
    """judged: the rows of all trials. place: where these are kept. listener: hears the rows of a pass. shared: by what
    is read, what was put into the cache for all folds; it is added to."""

    judged: Judged
    place: Path
    listener: Listener
    shared: set[str]
    _hopeless: dict[str, str] = field(default_factory=dict)
    """By what is read, why that was found to have no time in this call."""

    def in_time(self, trial: Trial, recipe: Recipe, ends: Deadline | None) -> Trial:
        """A probe that is not begun and reads an input with another base than the default, with as many training rows
        as there is time to read, the same for all probes of these bases; its name tells them. Others as they are, and
        all trials under folds, where rows are few.

        Raises OutOfTime where they are too few to learn from.
        """
        if trial.rungs or ends is None or self.judged.folds > 1 or not (is_probe(recipe) and self._reads_other(recipe)):
            return trial
        job, known, key = self.judged.job, self._known(), read_by(recipe)
        if key in self._hopeless:
            raise OutOfTime(self._hopeless[key])
        rows, seconds = known.get(key, (0, 0.0))
        if rows < len(job.train) and ends.left() > MORE * seconds:
            if self._read_whole(key):
                return trial
            look, hearing = first_look(job, recipe, ends.clock), UnderName(self.listener, trial.name, "")
            if not look.whole:
                return trial
            seconds = ends.left()
            rows = pass_of_better(replace(job, test=None), recipe, look.row, ends, hearing)
            if rows == 0:
                self._hopeless[key] = f"{TOO_FEW.capitalize()}."
                raise OutOfTime(self._hopeless[key])
            with storing(self.place):
                self.place.mkdir(parents=True, exist_ok=True)
                write_text(self.place / FILE, json.dumps({**known, key: (rows, seconds)}))
        told = "" if rows == len(job.train) else f", {rows:,} rows"
        return replace(trial, rows=rows, name=f"{trial.name}{told}")

    def share(self, trial: Trial, recipe: Recipe, ends: Deadline | None) -> None:
        """Under folds, compute what a frozen base gives of all rows once, and not by fold. Raises OutOfTime where that
        takes too long."""
        judged, key = self.judged, read_by(recipe)
        if judged.folds == 1 or trial.rungs or recipe.rows is not None or key in self.shared:
            return
        if ends is not None and key in self._hopeless:
            raise OutOfTime(self._hopeless[key])
        frozen = frozen_inputs(make_ready(judged.jobs[0], recipe, sketched=True))
        if not frozen:
            return
        parts = []
        for job, (trained, held) in zip(judged.jobs, judged.parts, strict=True):
            assert job.test is not None
            parts += [(job.train, trained), (job.test, held)]
        hearing = _Hurried(self.listener, trial.name, ends)
        try:
            share_features(judged.jobs[0], recipe, judged.job.train, parts, frozen, hearing)
        except OutOfTime:
            self._hopeless[key] = ""
            raise
        self.shared.add(key)

    def _read_whole(self, key: str) -> bool:
        """Whether a probe without a limit has read all rows."""
        probes = [one for one in known_trials(self.place) if one.rungs and not one.steps and one.rows is None]
        return any(read_by(from_dict(one.recipe)) == key for one in probes)

    def _reads_other(self, recipe: Recipe) -> bool:
        own = {name: core_of(choice.base) for name, choice in self.judged.job.bases.each.items()}
        bases = recipe.bases(self.judged.job.train.schema)
        return any(core_of(base) != own[name] for name, base in bases.items() if name in own)

    def _known(self) -> dict[str, tuple[int, float]]:
        try:
            found: Any = json.loads((self.place / FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return {} if misfit(found, dict[str, tuple[int, float]]) else {key: tuple(one) for key, one in found.items()}


class _Hurried(UnderName):
    """Ends the pass that it hears of when the time is over."""

    def __init__(self, listener: Listener, name: str, ends: Deadline | None) -> None:
        super().__init__(listener, name, "")
        self._ends = ends

    def computed(self, done: int, rows: int) -> None:
        if self._ends is not None and self._ends.left() < 0:
            raise OutOfTime
        super().computed(done, rows)
