"""The dimensions of a search space, in the order in which they are asked for, each only where it says something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from graftwork.core.settings import Training, fitted_epochs
from graftwork.core.technique import Technique
from graftwork.networks.heads.registry import HEADS
from graftwork.runs.tune.space.arms import InputArms, Regime, regime_of
from graftwork.runs.tune.space.dimensions import Dimension, When
from graftwork.runs.tune.space.proposals import (
    BLOCKS,
    EPOCHS,
    FUSION,
    HEAD,
    LR,
    NO_FUSION,
    TUNING,
    WITH,
    Frame,
    usual_lr,
)
from graftwork.runs.tune.space.tried_techniques import Reason
from graftwork.spaces import Choice, Range, Space, Spaces, spaces_of
from graftwork.techniques.transfer.partial import Partial

SLOWER, FASTER = 5.0, 3.0
"""The learning rates that are tried, beside the usual one: so many times lower and higher."""


@dataclass(frozen=True)
class Parts:
    """What the dimensions are made of. when: by regime, the conditions on which it holds, any of them. searched: by
    technique, the settings that the user left open. heads, fusions: to be trained on, and to be solved; the fusions
    beside none. reason: why techniques can't run together."""

    frame: Frame
    when: Mapping[Regime, tuple[When, ...]]
    searched: Mapping[str, Spaces]
    heads: tuple[tuple[str, ...], tuple[str, ...]]
    fusions: tuple[tuple[str, ...], tuple[str, ...]]
    reason: Reason

    def tuned(self, tunings: Iterable[str]) -> list[When]:
        """Where pretrained bases are tuned in one of these ways."""
        wanted, every = [name for name in self.frame.tunings if name in set(tunings)], list(self.frame.tunings)
        more = ((TUNING, tuple(wanted)),) if wanted != every else ()
        return [(*when, *more) for when in self.when.get("tuned", ())] if wanted else []

    @property
    def probed(self) -> list[When]:
        """Where heads are solved on frozen features."""
        return [*self.when.get("solved", ()), *self.tuned(filter(self.frame.is_probe, self.frame.tunings))]

    @property
    def trained(self) -> list[When]:
        """Where something is trained below the heads."""
        ways = [name for name in self.frame.tunings if not self.frame.is_probe(name)]
        return [*self.tuned(ways), *self.when.get("scratch", ())]


def dimensions_of(parts: Parts) -> tuple[Dimension, ...]:
    """All of them."""
    return (
        *_of_bases(parts.frame.inputs),
        *_of_tuning(parts),
        *_of_heads(parts),
        *_of_fusion(parts),
        *_of_training(parts),
        *_of_switches(parts),
    )


def _of_bases(inputs: Sequence[InputArms]) -> Iterator[Dimension]:
    for one in inputs:
        yield from _chosen(one.dimension, [arm.base.spec for arm in one.arms], [()])
    for one in inputs:
        found: dict[str, tuple[Space, list[object]]] = {}
        for arm in one.arms:
            spaces = spaces_of(type(arm.base))
            for setting, name in arm.searched.items():
                found.setdefault(name, (spaces[setting], []))[1].append(arm.base.spec)
        for name, (space, bases) in found.items():
            every = len(bases) == len(one.arms)
            yield Dimension(name, space, () if every else ((one.dimension, tuple(bases)),))


def _of_tuning(parts: Parts) -> Iterator[Dimension]:
    yield from _chosen(TUNING, list(parts.frame.tunings), parts.when.get("tuned", ()))
    for name, techniques in parts.frame.tunings.items():
        if any(isinstance(one, Partial) and Partial.name in parts.searched for one in techniques):
            yield from _each(parts.tuned([name]), BLOCKS, Choice(parts.frame.shares))
        for one in techniques:
            yield from _settings(parts, one, parts.tuned([name]))


def _of_heads(parts: Parts) -> Iterator[Dimension]:
    for solved, conditions in enumerate((parts.trained, parts.probed)):
        heads = parts.heads[solved]
        yield from _chosen(HEAD[solved], heads, conditions)
        for head in heads:
            more: When = ((HEAD[solved], (head,)),) if len(heads) > 1 else ()
            for setting, space in spaces_of(HEADS[head]).items():
                yield from _each([(*when, *more) for when in conditions], f"{head}.{setting}", space)


def _of_fusion(parts: Parts) -> Iterator[Dimension]:
    for solved, conditions in enumerate((parts.trained, parts.probed)):
        names = parts.fusions[solved]
        yield from _chosen(FUSION[solved], [NO_FUSION, *names] if names else [], conditions)
        for name in names if not solved else ():  # their settings say nothing of a head that is solved
            fused = [(*when, (FUSION[solved], (name,))) for when in conditions]
            yield from _settings(parts, parts.frame.fusions[name], fused)


def _of_training(parts: Parts) -> Iterator[Dimension]:
    """Rates and passes around those that are usual for the bases, where the recipe says none."""
    frame, own = parts.frame, parts.frame.recipe.training
    ways = [name for name in frame.tunings if not frame.is_probe(name)]
    wheres: tuple[tuple[Regime, Sequence[When]], ...] = (
        ("tuned", parts.tuned(ways)),
        ("scratch", parts.when.get("scratch", ())),
    )
    for regime, conditions in wheres:
        rates, passes = _usual(frame, regime)
        if own.lr is None and rates:
            low, high = (float(f"{rate:.2g}") for rate in (min(rates) / SLOWER, max(rates) * FASTER))
            yield from _each(conditions, LR[regime], _within(Training.searched["lr"], low, high))
        if own.epochs is None and own.steps is None and passes:
            least, most = max(1, min(passes) // 2), 2 * max(passes)
            yield from _each(conditions, EPOCHS[regime], _within(Training.searched["epochs"], least, most))


def _usual(frame: Frame, regime: Regime) -> tuple[list[float], list[int]]:
    """Learning rates and passes over the rows that are usual for the bases of a regime."""
    rates, passes = list[float](), list[int]()
    for arms in product(*(one.arms for one in frame.inputs)):
        if regime_of(arm.kind for arm in arms) != regime:
            continue
        rates.append(usual_lr(list(arms)))
        if regime == "tuned":
            rates.append(min(arm.base.tuned_lr for arm in arms if arm.kind == "tuned"))
        training = frame.training if regime == "tuned" else frame.recipe.training
        suggested = max(arm.base.suggested_epochs for arm in arms)
        passes.append(round(fitted_epochs(training, rows=frame.rows, outputs=frame.outputs, epochs=suggested)))
    return rates, passes


def _within(outer: Space, low: float, high: float) -> Range:
    """The part of a range between two numbers, whole ones where it is of whole ones."""
    assert isinstance(outer, Range)
    kind = int if outer.whole else float
    low, high = kind(min(max(low, outer.low), outer.high)), kind(max(min(high, outer.high), outer.low))
    return Range(low, high, outer.log) if low < high else outer


def _of_switches(parts: Parts) -> Iterator[Dimension]:
    frame, before = parts.frame, list[Technique]()
    for name, technique in frame.switches.items():
        conditions = _where(parts, technique)
        clashing = [other for other in before if parts.reason([*frame.recipe.listed, other, technique])]
        free = tuple((WITH + other.name, (False, None)) for other in clashing)
        conditions = [(*when, *free) for when in conditions]
        yield from _each(conditions, WITH + name, Choice((False, True)))
        yield from _settings(parts, technique, [(*when, (WITH + name, (True,))) for when in conditions])
        before.append(technique)


def _where(parts: Parts, technique: Technique) -> list[When]:
    """Where a technique can be switched on: with what solves a head only if it needs no steps to act in."""
    frame = parts.frame
    runs = [name for name in frame.tunings if switched_on(frame, name, technique, parts.reason) == ""]
    found = parts.tuned(runs)
    if "scratch" in parts.when and not parts.reason([*frame.recipe.listed, technique]):
        found += parts.when["scratch"]
    if "solved" in parts.when and not technique.acts_in_steps:
        found += [] if parts.reason([*frame.recipe.listed, *frame.solved, technique]) else parts.when["solved"]
    return found


def switched_on(frame: Frame, tuning: str, technique: Technique, reason: Reason) -> str:
    """Why a technique can't run beside a tuning; "" where it can."""
    if frame.is_probe(tuning) and technique.acts_in_steps:
        return f"{technique.name} acts in steps, and {tuning} makes none."
    beside = [*frame.recipe.listed, *frame.tunings[tuning], technique]
    solves = any("head initialisation" in one.claims for one in beside)
    return reason(beside if solves else [*beside, *frame.starts])


def _settings(parts: Parts, technique: Technique, conditions: Sequence[When]) -> Iterator[Dimension]:
    """The settings of a technique that are searched."""
    for setting, space in parts.searched.get(technique.name, {}).items():
        yield from _each(conditions, f"{technique.name}.{setting}", space)


def _chosen(name: str, values: Sequence[str], conditions: Sequence[When]) -> Iterator[Dimension]:
    """A choice among names, where there are two."""
    if len(values) > 1:
        yield from _each(conditions, name, Choice(tuple(values)))


def _each(conditions: Sequence[When], name: str, space: Space) -> Iterator[Dimension]:
    """A dimension where any of the conditions holds."""
    yield from (Dimension(name, space, when) for when in conditions)
