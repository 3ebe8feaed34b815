"""The last trials of a tune: an ensemble and a soup of those that were trained to their end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graftwork.evidence.tune.greedy import averaged, greedy_ensemble
from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.model import Model
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.model_from_run import make_model
from graftwork.runs.single import Candidate
from graftwork.runs.tune.combining import calibrated_predictions, ensemble_of, soup_of
from graftwork.runs.tune.measures import measures_of
from graftwork.runs.tune.trial_run import TrialRunner

LIBRARY, SOUPED = 20, 4
"""Of the best trials so many may be members, and so many fine-tunes are tried in a soup, for which all of them have to
be in memory."""


@dataclass(frozen=True)
class Combined:
    """runner: of the trials. limits: that combined ones keep too. Nothing of a combined trial is kept on disk: it
    follows from the others, and is made again where a tune goes on."""

    runner: TrialRunner
    limits: Limits = field(default_factory=Limits)
    _soups: dict[int, Candidate] = field(default_factory=dict)

    def ensemble(self, trials: Sequence[Trial], number: int) -> Trial | None:
        """The greedy ensemble of the best of these trials, which gets this number; None where a single one is as good
        on the judged rows, where none keep the limits, and for tasks whose predictions have no mean."""
        library = [] if self.runner.judged.incomparable else _best(trials)[:LIBRARY]
        if len(library) < 2:
            return None
        given = [self._averageable(one.number) for one in library]

        def allowed(members: Collection[int]) -> bool:
            return self.limits.met_by(_sum([library[at] for at in members]))

        found = greedy_ensemble(given, self.runner.judged.score_given, allowed=allowed)
        if len(found) < 2:
            return None
        score = self.runner.judged.score_given(averaged(given, found))
        members = [library[at] for at in found]
        named = ", ".join(f"{weight:.2g} × {library[at].name}" for at, weight in found.items())
        return replace(
            _sum(members),
            number=number,
            name=f"ensemble of {len(members)}: {named}",
            base=" + ".join(dict.fromkeys(one.base for one in members)),
            rungs=((0, score),),
            at=self._at(),
            members={library[at].number: weight for at, weight in found.items()},
        )

    def soup(self, trials: Sequence[Trial], recipes: Mapping[int, Recipe], number: int) -> Trial | None:
        """The greedy soup of the best fine-tunes, which gets this number; None where no two go together, and under
        folds, whose networks are not those that are kept."""
        judged, tuned = self.runner.judged, [one for one in _best(trials) if one.steps][:SOUPED]
        if judged.folds > 1 or judged.incomparable or len(tuned) < 2:
            return None
        found = soup_of(judged.job, [self.runner.candidate(one, recipes[one.number]) for one in tuned])
        if found is None or found.candidate.predictions is None:
            return None
        members = [tuned[at] for at in found.weights]
        soup = found.candidate
        measured = measures_of(judged.job, soup.recipe, soup.network, judged.table)
        made = replace(
            _sum(members),
            number=number,
            name=f"soup of {len(members)}: {', '.join(one.name for one in members)}",
            recipe=soup.recipe.to_dict(),
            rungs=((0, judged.score(soup.predictions or {})),),
            at=self._at(),
            latency=measured.latency,
            size=measured.size,
            parameters=measured.parameters,
            members={tuned[at].number: weight for at, weight in found.weights.items()},
        )
        self._soups[number] = soup
        return made

    def given(self, trial: Trial) -> dict[str, Any]:
        """By target, what metrics read of the predictions of the judged rows, of a combined trial or any other: all are
        calibrated on these rows, so that a mean of calibrated ones has no advantage by that."""
        judged, soup = self.runner.judged, self._soups.get(trial.number)
        if trial.members and soup is None:
            parts = [self._averageable(number) for number in trial.members]
            return dict(averaged(parts, dict(enumerate(trial.members.values()))))
        if soup is not None and soup.predictions is not None:
            return dict(calibrated_predictions(judged.job, soup.predictions, judged.truth))
        if judged.incomparable:
            kept = self.runner.predictions(trial.number)
            return {name: task.scored(kept[name]) for name, task in judged.job.tasks.items()}
        return dict(self._averageable(trial.number))

    def model(
        self, trial: Trial, trials: Mapping[int, Trial], recipes: Mapping[int, Recipe]
    ) -> tuple[Model, list[Candidate]]:
        """The model of a trial, combined or any other, and the finished runs in it, the heaviest first; of a soup that
        itself. trials, recipes: by number."""
        job, soup = self._calibrating(), self._soups.get(trial.number)
        if soup is not None:
            return make_model(job, soup), [soup]
        members = trial.members or {trial.number: 1.0}
        runs = [self.runner.candidate(trials[number], recipes[number]) for number in members]
        return ensemble_of(job, runs, list(members.values())), runs

    def _averageable(self, number: int) -> Mapping[str, Any]:
        judged = self.runner.judged
        return calibrated_predictions(judged.job, self.runner.predictions(number), judged.truth)

    def _calibrating(self) -> Job:
        """The job whose validation rows are the judged ones: what probabilities are calibrated on."""
        return replace(self.runner.judged.job, valid=self.runner.judged.table)

    def _at(self) -> float:
        return self.runner.clock() - self.runner.began


def _best(trials: Sequence[Trial]) -> list[Trial]:
    """Those that were trained to their end, the best first."""
    finished = [one for one in trials if one.state == "finished" and one.score is not None and not one.members]
    return sorted(finished, key=lambda one: (-(one.score or 0.0), one.number))


def _sum(members: Sequence[Trial]) -> Trial:
    """What several cost together; all else is that of the first."""
    return replace(
        members[0],
        origin="combined",
        params={},
        steps=0,
        seconds=0.0,
        latency=sum(one.latency for one in members),
        size=sum(one.size for one in members),
        parameters=sum(one.parameters for one in members),
    )
