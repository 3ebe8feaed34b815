"""What the search proposes next, by Optuna: its multivariate TPE over a journal file.

The journal is appended to row by row, each in one write, so that a kill leaves a prefix of it. A proposal is made on a
copy in memory, by a sampler that is seeded for it alone, and written down as one row when it is whole: proposed again
from the same prefix it is the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graftwork.data.store.cache import storing
from graftwork.data.store.writing import remove
from graftwork.errors import CheckpointError, UsageError
from graftwork.evidence.tune.front import OBJECTIVES, QUALITY, Objective
from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.runs.tune.space.dimensions import Dimension, lies_within, proposed
from graftwork.runs.tune.study.distributions import decoded, distribution, encoded, quiet, spaces, suggested

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

JOURNAL = "study.journal"
STARTUP = 8
"""Trials told before the sampler trusts them; until then proposals are drawn at random."""
REPEATED = "it was tried before"
STUCK, ASKED_AGAIN = 6, 40
"""Proposals for one trial: after so many that were refused it is drawn at random, and after so many it is left."""
NAME = "tune"
NO_LIMITS = Limits()
_NUMBER, _KIND, _STEP = "trial", "kind", "step"


@dataclass(frozen=True)
class Study:
    """Rows of proposals, and what came of them. seed: of the tune. pareto: whether latency and size are objectives
    beside quality. limits: beyond which a trial is told to be of no use. folder: of the journal; None: in memory.
    known: trials by number, as they were told or added last."""

    optuna_study: optuna.Study
    seed: int
    limits: Limits
    pareto: bool
    folder: Path | None = None
    known: dict[int, Trial] = field(default_factory=dict)

    @property
    def refused(self) -> int:
        """How many proposals were refused."""
        return sum(row.user_attrs.get(_KIND) == "refused" for row in self.optuna_study.get_trials(deepcopy=False))

    def proposed(self, number: int, dimensions: Sequence[Dimension]) -> dict[str, Any] | None:
        """What was proposed for a trial before, or None. Raises CheckpointError for what lies outside of the space."""
        rows = [row for row in self._rows(number) if row.user_attrs[_KIND] == "proposed"]
        params = decoded(rows[-1].params) if rows else None
        if params is not None and not lies_within(dimensions, params):
            raise damaged(self.folder, f"trial {number} has values outside of the search space")
        return params

    def propose(
        self, number: int, dimensions: Sequence[Dimension], refused: Callable[[Mapping[str, Any]], str]
    ) -> dict[str, Any] | None:
        """Values for a trial; None where `ASKED_AGAIN` proposals in a row were refused.

        refused: why values can't be run, or ""; `REPEATED` where they were tried. Either is written down as failed, and
        asked again.
        """
        import optuna
        from optuna.trial import TrialState

        tries = len(self._rows(number))
        for attempt in range(tries, ASKED_AGAIN):
            params, distributions = self._ask(dimensions, at_random=attempt >= STUCK)
            why = refused(decoded(params))
            kind = "repeated" if why == REPEATED else "refused" if why else "proposed"
            row = optuna.trial.create_trial(
                state=TrialState.FAIL if why else TrialState.RUNNING,
                params=params,
                distributions=distributions,
                user_attrs={_NUMBER: number, _KIND: kind},
            )
            self._add(row)
            if not why:
                return decoded(params)
        return None

    def tell(self, trial: Trial) -> None:
        """What came of a proposal, unless that is known already: its score at its highest rung."""
        from optuna.trial import Trial as Asked
        from optuna.trial import TrialState

        self.known[trial.number] = trial
        rows = [row for row in self._rows(trial.number) if row.user_attrs[_KIND] == "proposed"]
        if not rows or rows[-1].state != TrialState.RUNNING:
            return
        row, state = rows[-1], self._state(trial)
        values = self._values(trial) if state == TrialState.COMPLETE else None
        with quiet(), storing(self.folder or Path()):
            asked = Asked(self.optuna_study, row._trial_id)
            for name, value in self._exceeded(trial).items():
                if name not in row.constraints:
                    asked.set_constraint(name, value)
            if state == TrialState.PRUNED:
                for step, score in trial.rungs:
                    if step not in row.intermediate_values:
                        asked.report(score, step)
            self.optuna_study.tell(row.number, values, state=state)

    def add(self, trial: Trial, params: Mapping[str, Any], dimensions: Sequence[Dimension]) -> None:
        """A trial that was not proposed, or was taken up after it had been told: a further row, once a rung."""
        import optuna
        from optuna.trial import TrialState

        self.known[trial.number] = trial
        state, rows = self._state(trial), self._rows(trial.number)
        step = trial.rungs[-1][0] if trial.rungs else 0
        if state == TrialState.FAIL or any(row.user_attrs.get(_STEP) == step for row in rows):
            return
        found = spaces(dimensions, params)
        row = optuna.trial.create_trial(
            state=state,
            values=self._values(trial) if state == TrialState.COMPLETE else None,
            params={name: encoded(params[name], space) for name, space in found.items()},
            distributions={name: distribution(space) for name, space in found.items()},
            user_attrs={_NUMBER: trial.number, _KIND: "known", _STEP: step} | ({"of": trial.number} if rows else {}),
            intermediate_values=dict(trial.rungs) if state == TrialState.PRUNED else None,
            constraints=self._exceeded(trial) or None,
        )
        self._add(row)

    def _ask(
        self, dimensions: Sequence[Dimension], *, at_random: bool
    ) -> tuple[dict[str, Any], dict[str, BaseDistribution]]:
        """Values, and where they were drawn from, on a copy in memory."""
        import optuna
        from optuna.samplers import RandomSampler, TPESampler

        rows = self.optuna_study.get_trials(deepcopy=False)
        with quiet():
            seed = _seed(self.seed, len(rows))
            tpe = TPESampler(
                multivariate=True,
                group=True,
                constant_liar=True,
                n_startup_trials=STARTUP,
                seed=seed,
                warn_independent_sampling=False,
            )
            sampler = RandomSampler(seed) if at_random else tpe
            copy = optuna.create_study(directions=self.optuna_study.directions, sampler=sampler)
            copy.add_trials(map(self._within_limits, rows))
            asked = copy.ask()
            proposed(dimensions, lambda name, space: suggested(asked, name, space))
        return dict(asked.params), dict(asked.distributions)

    def _within_limits(self, row: FrozenTrial) -> FrozenTrial:
        """The row with what its trial has beyond the limits of this call; those of an earlier one may be others."""
        from optuna.trial import TrialState, create_trial

        trial = self.known.get(row.user_attrs[_NUMBER])
        if trial is None or row.state not in (TrialState.COMPLETE, TrialState.PRUNED):
            return row
        return create_trial(
            state=row.state,
            values=row.values,
            params=row.params,
            distributions=row.distributions,
            user_attrs=row.user_attrs,
            intermediate_values=row.intermediate_values,
            constraints=self._exceeded(trial) or None,
        )

    def importance(
        self, told: Sequence[tuple[Trial, Mapping[str, Any]]], dimensions: Sequence[Dimension]
    ) -> dict[str, float]:
        """Of each dimension (PED-ANOVA, Watanabe et al. 2023), summing to 1; nothing while too few trials are scored.

        told: trials with their values, each once, by its last score.
        """
        import optuna
        from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

        scored = [(trial, params) for trial, params in told if trial.score is not None and params]
        if len(scored) < STARTUP:
            return {}
        with quiet():
            copy = optuna.create_study(direction="maximize")
            for trial, params in scored:
                found = spaces(dimensions, params)
                copy.add_trial(
                    optuna.trial.create_trial(
                        value=trial.score,
                        params={name: encoded(params[name], space) for name, space in found.items()},
                        distributions={name: distribution(space) for name, space in found.items()},
                    )
                )
            shares = get_param_importances(copy, evaluator=PedAnovaImportanceEvaluator())
        return {name: float(value) for name, value in shares.items()}

    def _rows(self, number: int) -> list[FrozenTrial]:
        return [row for row in self.optuna_study.get_trials(deepcopy=False) if row.user_attrs.get(_NUMBER) == number]

    def _add(self, row: FrozenTrial) -> None:
        with quiet(), storing(self.folder or Path()):
            self.optuna_study.add_trial(row)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """What trials are compared by."""
        return OBJECTIVES if self.pareto else QUALITY

    def _state(self, trial: Trial) -> Any:
        from optuna.trial import TrialState

        if trial.score is None or trial.state in ("failed", "left out"):
            return TrialState.FAIL
        # Optuna has no intermediate values where there are several objectives.
        return TrialState.PRUNED if trial.state == "paused" and not self.pareto else TrialState.COMPLETE

    def _values(self, trial: Trial) -> list[float]:
        score = trial.score or 0.0
        return [score, trial.latency, float(trial.size)] if self.pareto else [score]

    def _exceeded(self, trial: Trial) -> dict[str, float]:
        if trial.score is None:
            return {}
        names = [name for name in ("latency", "size") if getattr(self.limits, name) is not None]
        return dict(zip(names, self.limits.excess(trial), strict=True))


def open_study(folder: Path | None, seed: int, *, limits: Limits = NO_LIMITS, pareto: bool = False) -> Study:
    """The study whose journal is in `folder`, or a new one; None keeps it in memory. For who holds the folder's lock.

    Raises UsageError without Optuna, CheckpointError where the journal is damaged.
    """
    check_installed()
    import optuna
    from optuna.storages import InMemoryStorage, JournalStorage
    from optuna.storages.journal import JournalFileBackend

    objectives: tuple[Literal["minimize", "maximize"], ...] = ("maximize", "minimize", "minimize")
    directions = list(objectives) if pareto else list(objectives[:1])
    if folder is None:
        with quiet():
            return Study(optuna.create_study(storage=InMemoryStorage(), directions=directions), seed, limits, pareto)
    path = folder / JOURNAL
    with storing(folder), quiet():
        folder.mkdir(parents=True, exist_ok=True)
        mend(path)
        remove(path.with_name(f"{JOURNAL}.lock"))  # of one that was killed: the folder's own lock keeps others away
        try:
            storage = JournalStorage(JournalFileBackend(str(path)))
            found = optuna.create_study(study_name=NAME, storage=storage, directions=directions, load_if_exists=True)
            if [one.name.lower() for one in found.directions] != directions:
                raise ValueError(f"its objectives are {found.directions}")
            found.get_trials(deepcopy=False)
        except (ValueError, KeyError, TypeError, AssertionError, AttributeError) as error:
            raise damaged(folder, str(error)) from None
    return Study(found, seed, limits, pareto, folder)


def damaged(folder: Path | None, why: str) -> CheckpointError:
    """What to say of a journal that can't be believed."""
    return CheckpointError(
        f"{(folder or Path()) / JOURNAL} is damaged ({why}): the search can't go on. Begin it again with --new, or "
        "choose another --out."
    )


def check_installed() -> None:
    """Raise UsageError where Optuna is missing."""
    from importlib.util import find_spec

    if find_spec("optuna") is None:
        raise UsageError('tune needs Optuna, which is not installed. Install it: pip install "graftwork[tune]"')


def mend(journal: Path) -> None:
    """Drop the end of a line that a kill or a full disk cut off."""
    if not journal.is_file():
        return
    content = journal.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole != len(content):
        with open(journal, "r+b") as file:
            file.truncate(whole)


def _seed(study: int, row: int) -> int:
    """Stable: of the study's seed and the row's number."""
    return int.from_bytes(hashlib.sha256(f"{study}/{row}".encode()).digest()[:4], "big")
