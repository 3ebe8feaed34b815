"""Which runs an ablation of learning by reward makes: the recipe whole, and without each of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from graftwork.errors import UsageError
from graftwork.evidence.ablation.cells import Comparison, Design, Kind
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.shown.reporting import parts_of

ALL = "all"


@dataclass(frozen=True)
class Arms:
    """each: by name, the recipe. design: how they are compared."""

    each: Mapping[str, RLRecipe]
    design: Design

    def refused(self, why: Mapping[str, str]) -> Arms:
        """Less the arms that can't be run."""
        each = {name: arm for name, arm in self.each.items() if name not in why}
        return replace(self, each=each, design=replace(self.design, refused=dict(why)))


def arms_of(recipe: RLRecipe) -> Arms:
    """The recipe, and one without each part. Without the base its techniques are gone too, since they adapt it.

    Raises UsageError where there is nothing to leave out.
    """
    parts = parts_of(recipe)
    if not parts:
        raise UsageError(
            f"There is nothing to leave out: the recipe for {recipe.env_name} has no base, technique, demonstrations "
            "or normalisation. Give what you want to know the worth of, such as --normalise or --base NAME."
        )
    arms, players, comparisons = {ALL: recipe}, {ALL: frozenset(parts)}, list[Comparison]()
    for part in parts:
        lesser = without(recipe, part)
        name = f"without {part}"
        arms[name], players[name] = lesser, frozenset(parts_of(lesser))
        comparisons.append(Comparison(part, _kind(recipe, part), ALL, name))
    return Arms(arms, Design("leave-one-out", players, parts, tuple(comparisons)))


def without(recipe: RLRecipe, part: str) -> RLRecipe:
    """The recipe less one of its parts, as `parts_of` names them."""
    if part == "base":
        return replace(recipe, base=None, techniques=())
    if part == "demonstrations":
        return replace(recipe, demonstrations=None)
    if part == "normalisation":
        return replace(recipe, normalise=False)
    return replace(recipe, techniques=tuple(one for one in recipe.techniques if one.name != part))


def _kind(recipe: RLRecipe, part: str) -> Kind:
    return "technique" if any(one.name == part for one in recipe.techniques) else "part"
