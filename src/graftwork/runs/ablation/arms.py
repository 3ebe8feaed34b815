"""Which runs an ablation makes: a recipe less a technique, with one alone, of every coalition; less an input column;
with another value of a setting."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graftwork.core.plan import order
from graftwork.data.table import Schema
from graftwork.errors import UsageError
from graftwork.evidence.ablation.cells import Comparison, Design, Method
from graftwork.evidence.ablation.shapley import MOST_EXACT, coalitions, coalitions_of, passes
from graftwork.recipe import Recipe
from graftwork.runs.ablation.between import Between, with_value
from graftwork.runs.ablation.inputs import columns_by_input, recipe_without
from graftwork.shown import counted, listed

ALL, NONE = "all", "none"
"""The arm with every technique and input, and the one without a technique."""


@dataclass(frozen=True)
class Arm:
    """One way to train. without: input columns that it does not read."""

    recipe: Recipe
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arms:
    """each: by name. design: how they are compared."""

    each: Mapping[str, Arm]
    design: Design

    def refused(self, why: Mapping[str, str]) -> Arms:
        """Less the arms that can't be run; what would be compared with them is not."""
        each = {name: arm for name, arm in self.each.items() if name not in why}
        return replace(self, each=each, design=replace(self.design, refused=dict(why)))


@dataclass
class _Making:
    """The arms so far. none is made twice: what has the same recipe and columns is the same arm."""

    each: dict[str, Arm] = field(default_factory=dict)
    players: dict[str, frozenset[str]] = field(default_factory=dict)
    comparisons: list[Comparison] = field(default_factory=list)

    def arm(self, name: str, arm: Arm, players: Collection[str]) -> str:
        """What the arm is called: `name`, or that of one that is the same."""
        same = next((known for known, one in self.each.items() if one == arm), None)
        if same is not None:
            return same
        self.each[name], self.players[name] = arm, frozenset(players)
        return name


def arms_of(
    recipe: Recipe, schema: Schema, method: Method, between: Sequence[Between] = (), *, columns: bool = False
) -> Arms:
    """The arms of a method, and beside them those without each input column, and with each value of a setting.

    recipe: its techniques listed. Raises UsageError where there is nothing to compare, with what there could be.
    """
    techniques = order(recipe.listed)
    making, names = _Making(), tuple(technique.name for technique in techniques)
    groups = columns_by_input(schema, recipe)
    _check(recipe, method, names, groups, between, columns)
    orders: tuple[tuple[str, ...], ...] = ()
    if method in ("leave-one-out", "add-one-in"):
        _one_at_a_time(making, recipe, names, method)
    elif method == "shapley":
        orders = _coalitions(making, recipe, names)
    if columns:
        whole = making.arm(ALL, Arm(recipe), names)
        for name, left_out in groups.items():
            part = Arm(recipe_without(recipe, schema, left_out), left_out)
            lesser = making.arm(f"without {name}", part, names)
            making.comparisons.append(Comparison(name, "input", whole, lesser))
    for one in between:
        arms = [
            making.arm(one.called(value), Arm(with_value(recipe, one.setting, value)), names) for value in one.values
        ]
        first = one.called(one.values[0])
        making.comparisons += [
            Comparison(f"{one.called(value)} over {first}", "setting", arm, arms[0])
            for value, arm in zip(one.values[1:], arms[1:], strict=True)
        ]
    design = Design(method, making.players, names, tuple(making.comparisons), orders)
    return Arms(making.each, design)


def with_techniques(recipe: Recipe, names: Collection[str]) -> Recipe:
    """The recipe with those of its techniques that are named."""
    return replace(recipe, techniques=tuple(one for one in order(recipe.listed) if one.name in names))


def _one_at_a_time(making: _Making, recipe: Recipe, names: Sequence[str], method: Method) -> None:
    """Each technique left out of all, or added to none."""
    if method == "leave-one-out":
        whole = making.arm(ALL, Arm(recipe), names)
        for name in names:
            others = [one for one in names if one != name]
            lesser = making.arm(f"without {name}", Arm(with_techniques(recipe, others)), others)
            making.comparisons.append(Comparison(name, "technique", whole, lesser))
        return
    bare = making.arm(NONE, Arm(with_techniques(recipe, ())), ())
    for name in names:
        alone = making.arm(f"{name} alone", Arm(with_techniques(recipe, [name])), [name])
        making.comparisons.append(Comparison(name, "technique", alone, bare))


def _coalitions(making: _Making, recipe: Recipe, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Every coalition of few techniques; of more those of some orders, which are given."""
    orders = () if len(names) <= MOST_EXACT else passes(names, seed=recipe.seed)
    for some in coalitions_of(orders) if orders else coalitions(names):
        listed = [name for name in names if name in some]
        called = ALL if len(some) == len(names) else " + ".join(listed) or NONE
        making.arm(called, Arm(with_techniques(recipe, some)), some)
    return orders


def _check(
    recipe: Recipe,
    method: Method,
    names: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    between: Sequence[Between],
    columns: bool,
) -> None:
    if recipe.techniques == "auto":
        raise UsageError(
            "The recipe leaves its techniques to be chosen (auto), so that there is nothing to leave out. Name them "
            "(--with lora --with mixup), or fit first and name the run."
        )
    if columns and len(groups) < 2:
        raise UsageError(
            f"--columns leaves out one input column at a time, but only {next(iter(groups), 'none')} is read. Drop "
            "--columns, or name a run that reads several."
        )
    if method == "shapley" and (columns or between):
        raise UsageError(
            "--method shapley is about techniques. Compare --columns and --between in a call of their own."
        )
    least = 2 if method == "shapley" else 1
    if method != "between" and len(names) < least:
        could = f"--columns (columns: {listed(list(groups))}), " if len(groups) > 1 else ""
        has = "no technique" if not names else f"{counted(len(names), 'technique')} ({', '.join(names)})"
        how = "Shapley values are for two or more" if names else "there is nothing to leave out"
        raise UsageError(
            f"The recipe has {has}, so {how}. What can be compared: {could}--between SETTING=VALUE+VALUE (such as "
            "lr=1e-4+3e-4); or techniques: --with NAME for each (graft list techniques)."
        )
    if method == "between" and not (columns or between):
        raise UsageError("--method between compares values of settings. Give --between SETTING=VALUE+VALUE.")
