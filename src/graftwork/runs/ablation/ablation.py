"""What an ablation came to: findings, and the recipe without what did not earn its place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.core.plan import order
from graftwork.data.store.cache import storing
from graftwork.data.table import Schema
from graftwork.evidence.ablation.cells import Cell, Design
from graftwork.evidence.ablation.finding import Finding, Interaction
from graftwork.evidence.ablation.outcome import Outcome, outcome
from graftwork.evidence.ablation.page.figures import figure
from graftwork.evidence.ablation.page.files import HTML, write
from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.ablation.table import table_lines
from graftwork.recipe import Recipe
from graftwork.runs.ablation.arms import Arm, with_techniques
from graftwork.runs.ablation.between import Between, with_value
from graftwork.runs.ablation.inputs import columns_by_input, recipe_without

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Ablation:
    """What each technique, input column or value of a setting brought.

    recipe: that was ablated. schema: of the table, with all columns. design: which runs are compared. arms: what each
    is. cells: the runs, one an arm and repeat, failed ones too. scale: what scores are scores of. between: the settings
    that were compared. looks: the numbers of repeats at which a race looked. table: what the rows are called.
    command: that made it.
    """

    recipe: Recipe
    schema: Schema
    design: Design
    arms: Mapping[str, Arm]
    cells: tuple[Cell, ...]
    scale: Scale
    between: tuple[Between, ...] = ()
    looks: tuple[int, ...] = ()
    table: str = ""
    notes: tuple[str, ...] = ()
    command: str = ""

    @cached_property
    def outcome(self) -> Outcome:
        """What the cells say, as it is shown."""
        return outcome(
            self.design, self.cells, title=f"Ablation on {self.table}", scale=self.scale, looks=self.looks,
            notes=self.notes, command=self.command,
        )  # fmt: skip

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One a comparison: what it brings with its 95 % interval, and the verdict in words."""
        return self.outcome.findings

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """Of Shapley values, one a pair of techniques: what both bring beyond what each brings."""
        return self.outcome.interactions

    @property
    def repeats(self) -> int:
        """On how many repeats runs were made."""
        return len({cell.repeat for cell in self.cells})

    @property
    def failed(self) -> tuple[Cell, ...]:
        """The runs that came to nothing."""
        return tuple(cell for cell in self.cells if cell.score is None)

    @property
    def reused(self) -> float:
        """The share of the finished runs that had been finished before, by an earlier ablation or before a stop."""
        done = [cell for cell in self.cells if cell.score is not None]
        return sum(cell.reused for cell in done) / max(1, len(done))

    @property
    def dropped(self) -> tuple[str, ...]:
        """The techniques that did not earn their place: no verdict from 5 repeats or more says that they help."""
        return self._without("technique")

    @property
    def ignored(self) -> tuple[str, ...]:
        """The columns that did not earn their place; the best one stays where none did."""
        groups = columns_by_input(self.schema, self.recipe)
        left_out = [name for name in self._without("input") if name in groups]
        if len(left_out) == len(groups):
            values = {one.name: one.value or 0.0 for one in self.findings if one.kind == "input"}
            left_out.remove(max(left_out, key=values.__getitem__))
        return tuple(column for name in left_out for column in groups[name])

    def pruned(self) -> Recipe:
        """The recipe without the techniques that did not earn their place, with the values of settings that helped.

        Where columns are left out, too (`ignored`), it is for a table without them.
        """
        kept = [one.name for one in order(self.recipe.listed) if one.name not in self.dropped]
        recipe = with_techniques(self.recipe, kept)
        for one in self.between:
            value = self._better(one)
            owner, dot, _ = one.setting.partition(".")
            if value is not None and (not dot or owner == "text" or owner in kept):
                recipe = with_value(recipe, one.setting, value)
        return recipe_without(recipe, self.schema, self.ignored) if self.ignored else recipe

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data; what `ablation.json` holds."""
        return {
            "table": self.table,
            "method": self.design.method,
            **self.scale.to_json(),
            "repeats": self.repeats,
            "looks": list(self.looks),
            "reused": round(self.reused, 4),
            "failed": len(self.failed),
            "findings": [one.to_json() for one in self.findings],
            "interactions": [one.to_json() for one in self.interactions],
            "note": self.outcome.check,
            "refused": dict(self.design.refused),
            "recipe": self.recipe.to_dict(),
            "pruned": self.pruned().to_dict(),
            "ignored": list(self.ignored),
            "arms": {
                name: {"recipe": arm.recipe.to_dict(), "without": list(arm.without)} for name, arm in self.arms.items()
            },
            "cells": [vars(cell) for cell in self.cells],
        }

    def figure(self) -> Figure:
        """What each brought, as a waterfall; of Shapley values with a heat map of what techniques bring together."""
        return figure(self.outcome)

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write ablation.html, ablation.csv and ablation.json into the folder, each whole or not at all. Returns the
        path of the page."""
        place = Path(folder)
        with storing(place):
            write(place, self.outcome, self.to_json())
        return place / HTML

    def __repr__(self) -> str:
        return "\n".join([*table_lines(self.findings, self.scale), *(one.sentence for one in self.findings)])

    def _without(self, kind: str) -> tuple[str, ...]:
        return tuple(
            one.name for one in self.findings if one.kind == kind and one.holm is not None and one.verdict != "helps"
        )

    def _better(self, one: Between) -> str | None:
        """The value that a verdict speaks for; None where none does."""
        by_name = {found.name: found for found in self.findings}
        told = {value: by_name.get(f"{one.called(value)} over {one.called(one.values[0])}") for value in one.values[1:]}
        helping = {value: found.value or 0.0 for value, found in told.items() if found and found.verdict == "helps"}
        if helping:
            return max(helping, key=helping.__getitem__)
        hurting = [value for value, found in told.items() if found and found.verdict == "hurts"]
        if any(with_value(self.recipe, one.setting, value) == self.recipe for value in hurting):
            return one.values[0]
        return None
