"""What the bases of trials read: as many rows as there is time for, and under folds all rows once for all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from graftwork.core.clock.pace import OutOfTime
from graftwork.evidence.tune.trials import Trial
from graftwork.recipe import Recipe, from_dict
from graftwork.runs.budget.first_pass import pass_of_better
from graftwork.runs.budget.look import first_look
from graftwork.runs.candidates.planned import is_probe
from graftwork.runs.clock import Deadline
from graftwork.runs.listener import Listener
from graftwork.runs.shared_features import frozen_inputs, read_by, share_features
from graftwork.runs.single import make_ready
from graftwork.runs.tune.heard import UnderName
from graftwork.runs.tune.judged import Judged
from graftwork.runs.tune.trial_files import known_trials


@dataclass(frozen=True)
class Reading:
    """judged: the rows of all trials. place: where these are kept. listener: hears the rows of a pass."""

    judged: Judged
    place: Path
    listener: Listener

    def in_time(self, trial: Trial, recipe: Recipe, ends: Deadline | None) -> Trial:
        """A probe that is not begun, with as many training rows as its base has time to read, which its name tells;
        others as they are, and all trials under folds, where rows are few.

        Raises OutOfTime where they are too few to learn from.
        """
        if trial.rungs or ends is None or self.judged.folds > 1 or not is_probe(recipe):
            return trial
        job, read = self.judged.job, self._read()
        rows = [read.get((name, base.spec), 0) for name, base in recipe.bases(job.train.schema).items()]
        few = min((some for some in rows if some is not None), default=None)
        if few == 0:  # of a base that no trial has read with
            row, hearing = first_look(job, recipe, ends.clock).row, UnderName(self.listener, trial.name, "")
            few = pass_of_better(job, recipe, row, ends, hearing)
            if few == 0:
                raise OutOfTime
        told = "" if few is None or few == len(job.train) else f", {few:,} rows"
        return replace(trial, rows=few, name=f"{trial.name}{told}")

    def _read(self) -> dict[tuple[str, str], int | None]:
        """By input and base, the training rows that probes have read; None for all."""
        schema, found = self.judged.job.train.schema, dict[tuple[str, str], int | None]()
        for one in known_trials(self.place):
            if one.rungs and not one.steps:
                bases = from_dict(one.recipe).bases(schema)
                found |= {(name, base.spec): one.rows for name, base in bases.items() if (name, base.spec) not in found}
        return found


def share_folds(judged: Judged, recipe: Recipe, shared: set[str], listener: Listener) -> None:
    """Under folds, compute what a frozen base gives of all rows once, and not by fold. shared: by what the rows were
    read that were shared before; it is added to."""
    if judged.folds == 1 or recipe.rows is not None or read_by(recipe) in shared:
        return
    frozen = frozen_inputs(make_ready(judged.jobs[0], recipe, sketched=True))
    if not frozen:
        return
    shared.add(read_by(recipe))
    parts = []
    for job, (trained, held) in zip(judged.jobs, judged.parts, strict=True):
        assert job.test is not None
        parts += [(job.train, trained), (job.test, held)]
    share_features(judged.jobs[0], recipe, judged.job.train, parts, frozen, listener)
