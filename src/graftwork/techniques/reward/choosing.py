"""Which targets of a run a reward acts on, and how: held against its tasks before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from graftwork.core.technique import Setup
from graftwork.errors import DataError, RefusedError, UsageError, nearest
from graftwork.tasks.capabilities import Enumerated, Sampled, Spreading
from graftwork.tasks.metrics.functions import PYTHON
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.metrics.registry import metric_for
from graftwork.tasks.task import Task
from graftwork.techniques.reward.acting import Acting, Estimator
from graftwork.techniques.reward.call_reward import call_reward
from graftwork.techniques.reward.cost_reward import cost_reward
from graftwork.techniques.reward.cost_table import cost_matrix
from graftwork.techniques.reward.rewards import RowReward, metric_reward
from graftwork.techniques.reward.variation import Variation

FEW = {"metric": 128, "costs": 4096, "call": 8}
"""By what is rewarded, how many answers of a row are summed over unless said otherwise: each is rewarded."""
MOST = 4096
"""Answers of a row that can be summed over at all."""
ANSWERS = ("choices", "kept")
"""What a metric reads that scores an answer by itself."""


class Settings(Protocol):
    """What is asked here of the technique."""

    @property
    def name(self) -> str: ...
    @property
    def metric(self) -> str | None: ...
    @property
    def costs(self) -> str | None: ...
    @property
    def cost_table(self) -> str: ...
    @property
    def call(self) -> str | None: ...
    @property
    def by(self) -> Literal["auto", "exact", "rloo", "self-critical", "group"]: ...
    @property
    def samples(self) -> int: ...
    @property
    def weight(self) -> float: ...
    @property
    def warm(self) -> float: ...
    @property
    def kl(self) -> float: ...
    @property
    def entropy(self) -> float: ...
    @property
    def spread(self) -> float: ...
    @property
    def target(self) -> str | None: ...


def acting(settings: Settings, setup: Setup) -> list[Acting]:
    """What the reward does on each target that it fits. Raises RefusedError where it fits none, UsageError where the
    run ends before it would act."""
    if 1 <= setup.total_steps <= settings.warm:
        raise UsageError(
            f"{settings.name}: warm is {settings.warm:g} steps, and the run has {setup.total_steps:,}, so that it "
            "would never act. Expected less, or a share of the run, such as warm=0.5."
        )
    asked, found, reasons = _asked(settings, setup.tasks), list[Acting](), list[str]()
    for target, task in asked.items():
        try:
            found.append(_acting(settings, setup, target, task))
        except (UsageError, DataError) as error:
            if len(asked) == 1:
                raise
            reasons.append(str(error).removeprefix(f"{settings.name}: "))
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
        raise RefusedError(f"{settings.name}: no answers of the task {plain.name} of '{target}' can be drawn.")
    return Acting(
        name=target,
        task=task,
        reward=_reward(settings, setup, target, task, task),
        by=_estimator(settings, task, plain.name),
        samples=settings.samples,
        weight=settings.weight,
        kl=settings.kl,
        entropy=settings.entropy,
        seen=Variation(settings.costs or settings.call or settings.metric or "the metric"),
    )


def _reward(settings: Settings, setup: Setup, target: str, task: Task, answering: Sampled) -> RowReward:
    targets = setup.targets[target]
    if settings.call is not None:
        return call_reward(settings.call, task, answering, setup.table)
    if settings.costs is not None:
        if not task.single_label:
            kind = f"'{target}' has the task {task.name}"
            raise RefusedError(f"{settings.name}: costs are of one class a row, and {kind}. Use call.")
        costs = cost_matrix(settings.cost_table, settings.costs, task.classes)
        return cost_reward(costs, settings.costs, targets, setup.device)
    return metric_reward(_scored(settings.metric, task), task, answering, targets, setup.labelled[target])


def _scored(name: str | None, task: Task) -> Metric:
    """The metric, if it scores answers; without a name the first one that does. Raises UsageError for others."""
    if name is not None and name.startswith(PYTHON):
        raise UsageError("reward: a Python function is no metric here. Name it with call=module:function.")
    fitting = [each for each in task.metrics().values() if each.reads in ANSWERS]
    metric = metric_for(name, task) if name is not None else next(iter(fitting), None)
    known = ", ".join(each.name for each in fitting)
    known = f"Those that score answers: {known}." if known else "Use costs or call."
    if metric is None:
        raise RefusedError(f"reward: no metric of the task {task.name} scores an answer by itself. {known}")
    if metric.reads not in ANSWERS:
        raise RefusedError(f"reward: the metric '{name}' scores {metric.reads}, not an answer by itself. {known}")
    return metric


def _estimator(settings: Settings, task: Sampled, called: str) -> Estimator:
    """Raises RefusedError where answers that are too many, or numbers, are to be summed over."""
    few = FEW["call" if settings.call is not None else "costs" if settings.costs is not None else "metric"]
    count = task.choice_count if isinstance(task, Enumerated) else None
    if settings.by == "auto":
        return "exact" if count is not None and count <= few else "rloo"
    if settings.by == "exact" and (count is None or count > MOST):
        why = "can't be listed" if count is None else f"are {count:,}, too many to sum over"
        raise RefusedError(f"{settings.name}: the answers of the task {called} {why}. Use by=rloo, which draws some.")
    return settings.by
