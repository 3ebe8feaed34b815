"""What a workspace keeps of a run that was begun: its steps, so that it is gone on with as it was decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from graftwork.errors import CheckpointError, UsageError
from graftwork.recipe import Recipe
from graftwork.runs.workspace import Workspace

Asked = list[int | float | None]
"""Steps and epochs of a recipe."""


@dataclass(frozen=True)
class _Begun:
    """steps: that were planned. asked: of the recipe that began it. cuts: of its course."""

    steps: int
    asked: Asked | None = None
    cuts: tuple[int, ...] = ()


def asked_of(recipe: Recipe) -> Asked:
    return [recipe.training.steps, recipe.training.epochs]


def remember_begun(workspace: Workspace, name: str, recipe: Recipe, steps: int, cuts: tuple[int, ...] = ()) -> None:
    """Keep what was decided of the run `name`. recipe: as it was asked for."""
    workspace.remember(name, {"steps": steps, "asked": asked_of(recipe), "cuts": list(cuts)})


def as_begun(recipe: Recipe, name: str, workspace: Workspace) -> Recipe | None:
    """The recipe with the steps that were decided when the run began, and on its way; None where it was not begun.

    Raises CheckpointError for a run that was begun with other steps or epochs, and where what is kept is damaged.
    """
    known: Any = workspace.recall(name, _Begun)
    if known is None:
        return None
    if known.get("asked", asked_of(recipe)) != asked_of(recipe):
        raise CheckpointError(
            f"The unfinished run in {workspace.place} was begun with other steps or epochs. "
            "Repeat the command that began it, or choose another --out."
        )
    cuts = tuple(known.get("cuts") or recipe.training.cuts)
    try:
        return replace(recipe, training=replace(recipe.training, steps=known["steps"], cuts=cuts))
    except UsageError as error:
        raise workspace.damaged(name, str(error)) from None
