"""The bases among which a tune chooses, by input, and what becomes of them: solved, tuned, or trained from scratch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import product
from typing import Any, Literal, cast

from graftwork.data.table import Input
from graftwork.networks.base_settings import BaseSettings
from graftwork.runs.tune.space.dimensions import When
from graftwork.runs.tune.space.tried_bases import Kind, kind_of

SHARES = (0.15, 0.3, 0.45, 0.65, 0.85)
"""Of a base's blocks, those that a partial fine-tune trains, from the top."""
DEPTH = "depth"
"""A setting by which a base may be cut to so many layers."""
LAYERS = "layers"
"""A setting of which a base may have fewer than a space says: those that have `with_layers`."""
Regime = Literal["solved", "tuned", "scratch"]
"""solved: nothing but a head. tuned: pretrained bases, left frozen or trained in part or whole. scratch: everything is
trained, since some input begins from nothing."""


@dataclass(frozen=True)
class BaseArm:
    """One base of one input. depth: its blocks; 0 where it is not trained in parts. searched: its settings that are
    searched, with the names of their dimensions."""

    base: BaseSettings
    depth: int = 0
    searched: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        return kind_of(self.base)

    def with_values(self, params: Mapping[str, object]) -> BaseSettings:
        """The base at the values of its dimensions."""
        values = {name: params[at] for name, at in self.searched.items() if at in params}
        layers = values.pop(LAYERS, None) if type(self.base).with_layers is not BaseSettings.with_layers else None
        base = cast(BaseSettings, replace(cast(Any, self.base), **values)) if values else self.base
        return base.with_layers(layers) if isinstance(layers, int) else base

    def blocks_at(self, base: BaseSettings) -> int:
        """The blocks of this base at some values of its dimensions."""
        cut = getattr(base, DEPTH, None) if DEPTH in self.searched and self.depth else None
        return self.depth if cut is None else int(cut) + 1

    def values_of(self, base: BaseSettings) -> dict[str, object] | None:
        """The values at which this base is that one; None where it is another."""
        if type(base) is not type(self.base):
            return None
        same = all(
            getattr(base, one.name) == getattr(self.base, one.name)
            for one in fields(cast(Any, base))
            if one.name not in self.searched
        )
        return {at: getattr(base, name) for name, at in self.searched.items()} if same else None


@dataclass(frozen=True)
class InputArms:
    """The bases of one input. dimension: the name of the one that chooses among them, by their specs."""

    input: Input
    dimension: str
    arms: tuple[BaseArm, ...]

    def chosen(self, params: Mapping[str, object]) -> BaseArm:
        """The base of some values; the only one where there is no choice."""
        spec = params.get(self.dimension, self.arms[0].base.spec)
        return next(arm for arm in self.arms if arm.base.spec == spec)

    def of_kinds(self, kinds: Iterable[Kind]) -> tuple[object, ...]:
        """What the dimension may say for a base of these kinds."""
        return tuple(arm.base.spec for arm in self.arms if arm.kind in set(kinds))


def regime_of(kinds: Iterable[Kind]) -> Regime:
    """What becomes of bases of these kinds, one an input.

    >>> regime_of(["tuned", "solved"]), regime_of(["tuned", "scratch"]), regime_of(["solved"])
    ('tuned', 'scratch', 'solved')
    """
    found = set(kinds)
    return "scratch" if "scratch" in found else "tuned" if "tuned" in found else "solved"


def regimes(inputs: Sequence[InputArms]) -> dict[Regime, tuple[When, ...]]:
    """By regime, the conditions on which it holds, any of them; only those that can come."""
    kinds: list[list[Kind]] = [list(dict.fromkeys(arm.kind for arm in one.arms)) for one in inputs]
    found: dict[Regime, list[When]] = {}
    for each in product(*kinds):
        asked = [
            (one.dimension, one.of_kinds([kind]))
            for one, kind, all_kinds in zip(inputs, each, kinds, strict=True)
            if len(all_kinds) > 1
        ]
        found.setdefault(regime_of(each), []).append(tuple(asked))
    if len(found) == 1:
        return dict.fromkeys(found, ((),))
    return {regime: tuple(conditions) for regime, conditions in found.items()}


def blocks_of(share: float, depths: Iterable[int]) -> int:
    """So many blocks are trained of bases of these depths: a share of the shallowest one, never all of it.

    >>> [blocks_of(share, [7]) for share in SHARES]
    [1, 2, 3, 5, 6]
    """
    least = min(depths)
    return min(max(1, round(share * least)), max(1, least - 1))
