"""A tune as it is shown: its trials, which one is kept, and what is known of all, in one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.tune.brought import Brought, brought
from graftwork.evidence.tune.choice import Chosen, candidates, choose, keeps
from graftwork.evidence.tune.front import Objective, front
from graftwork.evidence.tune.optimism import Optimism, by_rule, optimism
from graftwork.evidence.tune.resampled import Resampled
from graftwork.evidence.tune.trials import Limits, Trial


@dataclass(frozen=True)
class About:
    """What is told of a tune beside its trials.

    title: of the page. target: what is predicted. rows: N that judge. folds: 1 where they are validation rows, else how
    many folds of the training rows. limits: what was asked for. importance: by the name of a dimension, its share in
    what scores differ by (PED-ANOVA), of the sum. transfer: by a base, its LogME on the training rows, more is better.
    budget: seconds that it had; None where trials were counted. seconds: that it took, all its calls together. refused:
    proposals that a plan refused, which were not run. tested: the kept one's score on a test table in words; empty
    without one. interrupted: ended by hand. folder: where the model lies. command: that made it. notes: what else a
    reader should know.
    """

    title: str = "Tune"
    target: str = ""
    rows: int = 0
    folds: int = 1
    limits: Limits = field(default_factory=Limits)
    objectives: tuple[Objective, ...] = ("score",)
    importance: Mapping[str, float] = field(default_factory=dict)
    transfer: Mapping[str, float] = field(default_factory=dict)
    budget: float | None = None
    seconds: float = 0.0
    refused: int = 0
    tested: str = ""
    interrupted: bool = False
    folder: str = ""
    command: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """gaps: by the number of each trial that is compared, how much better the kept one scores, 95 %, paired over rows.
    optimism: of the whole choice; None where it can't be estimated. front: the numbers on the Pareto front of score,
    latency and size, the best score first. brought: what each technique brought."""

    trials: tuple[Trial, ...]
    chosen: Chosen
    scale: Scale
    about: About
    gaps: Mapping[int, Interval]
    optimism: Optimism | None
    front: tuple[int, ...]
    brought: tuple[Brought, ...]

    def trial(self, number: int) -> Trial:
        """By its number."""
        return next(one for one in self.trials if one.number == number)

    @property
    def kept(self) -> Trial:
        """The chosen one."""
        return self.trial(self.chosen.number)

    def to_json(self) -> dict[str, Any]:
        """What `tune.json` holds, plain."""
        return {
            "title": self.about.title,
            "target": self.about.target,
            **self.scale.to_json(),
            "judged_rows": self.about.rows,
            "folds": self.about.folds,
            "limits": {"latency": self.about.limits.latency, "size": self.about.limits.size},
            "budget": self.about.budget,
            "seconds": self.about.seconds,
            "chosen": self.chosen.to_json(),
            "optimism": self.optimism.to_json() if self.optimism else None,
            "front": list(self.front),
            "importance": dict(self.about.importance),
            "transfer": dict(self.about.transfer),
            "brought": [
                {
                    "name": one.name,
                    "basis": one.basis,
                    "pairs": one.pairs,
                    "gain": one.gain,
                    "interval": one.interval.to_json() if one.interval else None,
                }
                for one in self.brought
            ],
            "trials": [_plain(one, self.gaps.get(one.number)) for one in self.trials],
            "command": self.about.command,
        }


def outcome(trials: Sequence[Trial], found: Resampled | None, scale: Scale, about: About, *, why: str = "") -> Outcome:
    """Choose among the trials and say what is known of the choice.

    found: their scores on draws of the judged rows; None where rows are not scored each by itself. why: why that is.
    Raises UsageError as `choose` does.
    """
    chosen = choose(trials, found, about.limits, why=why)
    others = [number for number in found.numbers if number != chosen.number] if found is not None else []
    gaps = {number: found.compared(chosen.number, number) for number in others} if found is not None else {}
    return Outcome(
        tuple(sorted(trials, key=lambda one: one.number)),
        chosen,
        scale,
        about,
        {number: gap for number, gap in gaps.items() if gap is not None},
        None if found is None else chosen_optimism(trials, found, chosen, about.limits),
        front(trials),
        brought(trials, found),
    )


def chosen_optimism(trials: Sequence[Trial], found: Resampled, chosen: Chosen, limits: Limits) -> Optimism | None:
    """Of the choice that was made, among the trials that it was made among."""
    known = set(found.numbers)
    pool = [one for one in candidates(trials, limits) if one.number in known and keeps(one, limits)]
    if len(pool) < 2 or chosen.number not in {one.number for one in pool}:
        return None
    part = found.among([one.number for one in pool])
    return optimism(part, by_rule(part, pool), chosen.default)


def _plain(one: Trial, gap: Interval | None) -> dict[str, Any]:
    return {
        "number": one.number,
        "name": one.name,
        "origin": one.origin,
        "state": one.state,
        "score": one.score,
        "behind_the_kept": gap.to_json() if gap else None,
        "latency": one.latency or None,
        "size": one.size or None,
        "parameters": one.parameters or None,
        "rows": one.rows,
        "failed": one.failed or None,
    }
