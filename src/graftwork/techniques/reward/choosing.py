"""Which targets of a run a reward acts on, and how: held against its tasks before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from graftwork.core.technique import Setup
from graftwork.errors import RefusedError, UsageError, nearest
from graftwork.tasks.capabilities import Enumerated, Sampled, Spreading
from graftwork.tasks.metrics.functions import PYTHON
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import metric_for
from graftwork.tasks.task import Task
from graftwork.techniques.reward.acting import Acting, Estimator
from graftwork.techniques.reward.rewards import RowReward, metric_reward
from graftwork.techniques.reward.variation import Variation

FEW = {"metric": 128, "costs": 4096, "call": 8}
"""By what is rewarded, how many answers of a row are summed over unless said otherwise: each is rewarded."""
MOST = 4096
"""Answers of a row that can be summed over at all."""


class Settings(Protocol):
    """What is asked here of the technique."""

    @property
    def name(self) -> str: ...
    @property
    def metric(self) -> str | None: ...
    @property
    def by(self) -> Literal["auto", "exact", "rloo", "self-critical", "group"]: ...
    @property
    def samples(self) -> int: ...
    @property
    def weight(self) -> float: ...
    @property
    def kl(self) -> float: ...
    @property
    def entropy(self) -> float: ...
    @property
    def spread(self) -> float: ...
    @property
    def target(self) -> str | None: ...


def acting(settings: Settings, setup: Setup) -> list[Acting]:
    """What the reward does on each target that it fits. Raises RefusedError where it fits none."""
    found, reasons = [], []
    for target, task in _asked(settings, setup.tasks).items():
        try:
            found.append(_acting(settings, setup, target, task))
        except UsageError as error:
            reasons.append(str(error))
    if not found:
        raise RefusedError(f"{settings.name}: there is no target that it fits. {' '.join(dict.fromkeys(reasons))}")
    return found


def _asked(settings: Settings, tasks: Mapping[str, Task]) -> dict[str, Task]:
    """The targets that may be rewarded."""
    if settings.target is not None and settings.target not in tasks:
        raise UsageError(f"{settings.name}: there is no target '{settings.target}'. {nearest(settings.target, tasks)}")
    return {name: task for name, task in tasks.items() if settings.target in (None, name)}


def _acting(settings: Settings, setup: Setup, target: str, plain: Task) -> Acting:
    task = plain.spread_by(settings.spread) if isinstance(plain, Spreading) else plain
    if not isinstance(task, Sampled):
        raise RefusedError(f"No answers of the task {plain.name} of '{target}' can be drawn.")
    reward, called, few = _by_metric(settings, setup, target, plain)
    return Acting(
        name=target,
        task=task,
        reward=reward,
        by=_estimator(settings, task, plain.name, few),
        samples=settings.samples,
        weight=settings.weight,
        kl=settings.kl,
        entropy=settings.entropy,
        seen=Variation(called),
    )


def _by_metric(settings: Settings, setup: Setup, target: str, task: Task) -> tuple[RowReward, str, int]:
    metric = _scored(settings.metric or "", task)
    return metric_reward(metric, task, setup.targets[target], setup.labelled[target]), metric.name, FEW["metric"]


def _scored(name: str, task: Task) -> Metric:
    """The metric, if it scores answers. Raises UsageError for others."""
    if name.startswith(PYTHON):
        raise UsageError("A Python function is no metric of a reward: name it with call=module:function.")
    metric = metric_for(name, task)
    if metric.reads not in ("choices", "kept"):
        fitting = [each.name for each in task.metrics().values() if each.reads in ("choices", "kept")]
        listed = f"Those that do: {', '.join(fitting)}." if fitting else "It has none that does: use costs or call."
        raise RefusedError(
            f"The metric '{name}' scores {metric.reads}, not an answer by itself, so that no answer has a reward. "
            f"Of the task {task.name}: {listed}"
        )
    return metric


def _estimator(settings: Settings, task: Sampled, called: str, few: int) -> Estimator:
    """Raises RefusedError where answers that are too many, or numbers, are to be summed over."""
    count = task.choice_count if isinstance(task, Enumerated) else None
    if settings.by == "auto":
        return "exact" if count is not None and count <= few else "rloo"
    if settings.by == "exact" and (count is None or count > MOST):
        why = "can't be listed" if count is None else f"are {count:,}, too many to sum over"
        raise RefusedError(f"{settings.name}: the answers of the task {called} {why}. Use by=rloo, which draws some.")
    return settings.by
