"""The last trials of a tune: an ensemble and a soup of those that were trained to their end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graftwork.evidence.tune.choice import keeps
from graftwork.evidence.tune.greedy import averaged, greedy_ensemble
from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.model import Model
from graftwork.recipe import Recipe
from graftwork.runs.single.model_from_run import make_model
from graftwork.runs.single.run import Candidate
from graftwork.runs.tune.choosing.best import calibrating
from graftwork.runs.tune.choosing.combining import calibrated_predictions, ensemble_of, soup_of, why_not_combined
from graftwork.runs.tune.judged import Judged
from graftwork.runs.tune.trials.files import trial_folder
from graftwork.runs.tune.trials.run import RUN, TrialRunner
from graftwork.shown import listed

LIBRARY = 24
"""Trials that an ensemble is chosen from, those of the best scores."""
MEMBERS = 8
"""Of an ensemble at most: each is another model to serve."""
SOUPED = 4
"""Fine-tunes that a soup is tried of."""


@dataclass(frozen=True)
class Combined:
    """given: by target, what metrics read of the judged rows. made: the model, and the run that stands for it (the
    heaviest member)."""

    trial: Trial
    given: Mapping[str, Any]
    made: Callable[[], tuple[Model, Candidate]]


@dataclass(frozen=True)
class Combiner:
    """Of the trials of one tune. recipes: by number. limits: that a combination has to keep."""

    judged: Judged
    runner: TrialRunner
    recipes: Mapping[int, Recipe]
    limits: Limits

    def combined(self, trials: Sequence[Trial], seconds: float | None, clock: Callable[[], float]) -> list[Combined]:
        """seconds: of the clock, in which they should be made; None for as long as it takes. Nothing where predictions
        have no mean, and where no combination scores better than the best trial by itself."""
        if self.judged.incomparable or why_not_combined(self.judged.job):
            return []
        begun = clock()
        fit = [one for one in trials if one.state == "finished" and one.score is not None and keeps(one, self.limits)]
        fit = sorted(fit, key=lambda one: (-(one.score or 0.0), one.number))[:LIBRARY]
        number = max((one.number for one in trials), default=-1) + 1
        found = [one for one in [self._ensemble(fit, number, seconds)] if one is not None]
        if seconds is None or clock() - begun < seconds / 3:
            left = None if seconds is None else seconds - (clock() - begun)
            found += [one for one in [self._soup(fit, number + len(found), left)] if one is not None]
        return found

    def _ensemble(self, trials: Sequence[Trial], number: int, seconds: float | None) -> Combined | None:
        """seconds: in which its members are made models, as far as that is known before."""
        job, truth = calibrating(self.judged), self.judged.truth
        kept = [self.runner.predictions(one.number) for one in trials]
        library = [calibrated_predictions(job, one, truth) for one in kept]

        def allowed(places: Collection[int]) -> bool:
            members = [trials[at] for at in places]
            in_time = seconds is None or sum(map(self._seconds_to_make, members)) <= seconds
            return in_time and self.limits.met_by(_together(members, number))

        weights = greedy_ensemble(library, self.judged.score_given, MEMBERS, allowed=allowed)
        if len(weights) < 2:
            return None
        members = [trials[at] for at in weights]
        given = averaged(library, weights)
        trial = replace(
            _together(members, number),
            name=f"ensemble of trials {listed([str(one.number) for one in members])}",
            rungs=((0, self.judged.score_given(given)),),
            at=self.runner.now(),
            members={one.number: share for one, share in zip(members, weights.values(), strict=True)},
        )

        def made() -> tuple[Model, Candidate]:
            candidates = [self.runner.candidate(one, self.recipes[one.number]) for one in members]
            return ensemble_of(job, candidates, list(weights.values())), candidates[0]

        return Combined(trial, given, made)

    def _seconds_to_make(self, trial: Trial) -> float:
        """CPU seconds, about, until there is a network of a trial: hardly any from its checkpoint, else those of the
        run, under folds of one of them."""
        at_hand = trial.steps and (trial_folder(self.runner.place, trial.number) / RUN / RUN).is_dir()
        return 0.0 if at_hand and self.judged.folds == 1 else trial.seconds / self.judged.folds

    def _soup(self, trials: Sequence[Trial], number: int, seconds: float | None) -> Combined | None:
        """Of fine-tunes of the base of the best one; only where rows are held out of them all. seconds: in which all
        are made models; those that alone need more than their part of it, as far as that is known, are left out."""
        tuned = [one for one in trials if one.steps > 0]
        if seconds is not None:
            tuned = [one for one in tuned if self._seconds_to_make(one) <= seconds / SOUPED]
        tuned = [one for one in tuned if one.base == tuned[0].base][:SOUPED]
        if self.judged.folds > 1 or len(tuned) < 2:
            return None
        job = calibrating(self.judged)
        soup = soup_of(job, [self.runner.candidate(one, self.recipes[one.number]) for one in tuned])
        if soup is None or soup.candidate.predictions is None:
            return None
        given = calibrated_predictions(job, soup.candidate.predictions, self.judged.truth)
        members = [tuned[at] for at in soup.weights]
        trial = replace(
            members[0],
            number=number,
            name=f"soup of trials {listed([str(one.number) for one in members])}",
            origin="combined",
            params={},
            rungs=((0, self.judged.score_given(given)),),
            steps=0,
            seconds=0.0,
            at=self.runner.now(),
            members={one.number: share for one, share in zip(members, soup.weights.values(), strict=True)},
        )
        return Combined(trial, given, lambda: (make_model(job, soup.candidate), soup.candidate))


def _together(members: Sequence[Trial], number: int) -> Trial:
    """What several trials need together: all of each."""
    lead = members[0]
    return replace(
        lead,
        number=number,
        origin="combined",
        state="finished",
        params={},
        techniques=tuple(dict.fromkeys(name for one in members for name in one.techniques)),
        steps=0,
        rows=None,
        seconds=0.0,
        latency=sum(one.latency for one in members),
        size=sum(one.size for one in members),
        parameters=sum(one.parameters for one in members),
    )
