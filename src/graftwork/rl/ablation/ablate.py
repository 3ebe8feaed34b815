"""`graftwork.ablate_rl`: what the base, each technique, demonstrations and normalisation bring to a policy's return."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from graftwork.data.store.cache import storing
from graftwork.errors import GraftworkError, NumericalError, RefusedError, UsageError
from graftwork.evidence.ablation.cells import Cell, Design
from graftwork.evidence.ablation.corrected_t import FEWEST
from graftwork.evidence.ablation.finding import Finding
from graftwork.evidence.ablation.outcome import Outcome, outcome
from graftwork.evidence.ablation.page.files import HTML, write
from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.ablation.table import live_table, table_lines
from graftwork.evidence.words import duration
from graftwork.progress import SILENT, Screen, screen
from graftwork.rl.ablation.arms import ALL, Arms, arms_of
from graftwork.rl.ablation.cells import Cells
from graftwork.rl.recipe import RLRecipe
from graftwork.runs import finished_store
from graftwork.runs.ablation.ablate import STORE_BYTES, check_out
from graftwork.runs.one_at_a_time import one_at_a_time
from graftwork.shown import counted, shown_line

REPEATS = 5
"""Seeds where none are asked for: the fewest that say anything."""
GIVEN_UP = 2
"""Repeats after which nothing more is tried, where every run has failed."""
_SCALE = Scale("mean return", "plain")
_MADE = (
    "Each repeat is a seed; its runs, with and without each part, begin from it, learn for the same steps, and are "
    "scored on the same episodes, which none of them learned from and nothing was chosen by. Intervals and p-values "
    "are those of a paired t test over the seeds, which have nothing in common.",
    "A verdict is told where the p-value, adjusted for all comparisons (Holm 1979), is at most 0.05, and from "
    f"{FEWEST} seeds on. Returns vary more between seeds than scores do between rows: expect to need more of them.",
)


@dataclass(frozen=True)
class RLAblation:
    """What each part of a recipe brought, in mean return.

    recipe: that was ablated. design: which runs are compared. arms: by name, the recipe of each. cells: the runs, one
    an arm and seed, failed ones too. command: that made it.
    """

    recipe: RLRecipe
    design: Design
    arms: Mapping[str, RLRecipe]
    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    command: str = ""

    @cached_property
    def outcome(self) -> Outcome:
        """What the cells say, as it is shown."""
        title = f"Ablation in {shown_line(self.recipe.env_name)}"
        return outcome(
            self.design, self.cells, title=title, scale=_SCALE, notes=self.notes, command=self.command, made=_MADE
        )

    @property
    def findings(self) -> tuple[Finding, ...]:
        """One a part: what it brings with its 95 % interval, and the verdict in words."""
        return self.outcome.findings

    @property
    def repeats(self) -> int:
        """With how many seeds runs were made."""
        return len({cell.repeat for cell in self.cells})

    @property
    def failed(self) -> tuple[Cell, ...]:
        """The runs that came to nothing."""
        return tuple(cell for cell in self.cells if cell.score is None)

    def to_json(self) -> dict[str, Any]:
        """All of it as plain data; what `ablation.json` holds."""
        plain: dict[str, Any] = {
            "env": self.recipe.env_name,
            "method": self.design.method,
            **_SCALE.to_json(),
            "repeats": self.repeats,
            "failed": len(self.failed),
            "findings": [one.to_json() for one in self.findings],
            "refused": dict(self.design.refused),
            "recipe": self.recipe.to_dict(),
            "arms": {name: arm.to_dict() for name, arm in self.arms.items()},
            "cells": [vars(cell) for cell in self.cells],
        }
        told: dict[str, Any] = json.loads(json.dumps(plain, default=str))
        return told

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write ablation.html, ablation.csv and ablation.json into the folder, each whole or not at all. Returns the
        path of the page."""
        place = Path(folder)
        with storing(place):
            write(place, self.outcome, self.to_json())
        return place / HTML

    def __repr__(self) -> str:
        return "\n".join([*table_lines(self.findings, _SCALE), *(one.sentence for one in self.findings)])


def ablate_rl(
    recipe: RLRecipe,
    *,
    repeats: int = REPEATS,
    budget: float | None = None,
    out: str | os.PathLike[str] | None = None,
    verbose: bool = True,
) -> RLAblation:
    """What each part of a recipe of learning by reward brings: its base, each technique, demonstrations, normalisation.
    Runs with and without it learn from the same seeds, for the same steps.

    repeats: seeds, beginning with the recipe's; no verdict comes from fewer than 5. budget: seconds after which no
    further seed is begun. out: folder for the page, the table and the data. verbose: show how far it is.

    Finished runs are kept below `GRAFTWORK_HOME`: the same call goes on after a stop, and another one makes none twice.

    Raises UsageError where there is nothing to leave out or no number of steps, RefusedError where no two runs can be
    made, NumericalError where every run fails.
    """
    if not verbose:
        return ablate_recipe(recipe, repeats=repeats, budget=budget, out=out)
    with screen() as on:
        return ablate_recipe(recipe, repeats=repeats, budget=budget, out=out, listener=on)


def ablate_recipe(
    recipe: RLRecipe,
    *,
    repeats: int = REPEATS,
    budget: float | None = None,
    out: str | os.PathLike[str] | None = None,
    listener: Screen = SILENT,
    command: str = "",
) -> RLAblation:
    """`ablate_rl`. listener: told how far it is. command: for the page."""
    if repeats < 1:
        raise UsageError(f"repeats is {repeats}. Expected 1 or more; verdicts are given from {FEWEST} on.")
    check_out(out)
    return _ablated(recipe, repeats, budget, out, command, listener)


@one_at_a_time
def _ablated(
    recipe: RLRecipe,
    repeats: int,
    budget: float | None,
    out: str | os.PathLike[str] | None,
    command: str,
    listener: Screen,
) -> RLAblation:
    arms, makes = arms_of(recipe), Cells(listener)
    arms = _checked(arms, makes, listener)
    began = time.monotonic()
    cells, notes = list[Cell](), list[str]()

    def so_far() -> Outcome:
        return outcome(arms.design, cells, scale=_SCALE)

    for repeat in range(repeats):
        spent = time.monotonic() - began
        if budget is not None and repeat and spent + spent / repeat > budget:
            notes.append(f"the budget is used up after {counted(repeat, 'seed')}")
            listener.note(notes[-1])
            break
        for name, arm in arms.each.items():
            cell = makes.cell(name, arm, repeat)
            cells.append(cell)
            if cell.failed:
                listener.note(f"seed {recipe.seed + repeat}, {name}: failed. {cell.failed}")
            state = f"seed {repeat + 1} of {repeats}, {counted(len(cells), 'run')}"
            listener.table(lambda state=state: live_table(so_far(), state))  # type: ignore[misc]
        if repeat == 0 and repeats > 1 and any(not cell.reused for cell in cells):
            each = time.monotonic() - began
            listener.note(
                f"a seed of {counted(len(arms.each), 'run')} takes about {duration(each)}, {repeats} take about "
                f"{duration(each * repeats)}"
            )
        if repeat + 1 == GIVEN_UP and all(cell.score is None for cell in cells):
            raise NumericalError(
                f"Not one of the {len(cells)} runs of the first {GIVEN_UP} seeds could be finished. {cells[0].arm}: "
                f"{cells[0].failed}"
            )
    finished_store.prune(STORE_BYTES)
    found = RLAblation(recipe, arms.design, arms.each, tuple(cells), tuple(notes), command)
    if out is not None:
        found.write(out)
    return found


def _checked(arms: Arms, makes: Cells, listener: Screen) -> Arms:
    """The arms that can be run; nothing is learned. Raises what refuses the whole recipe, or RefusedError where nothing
    is left to hold it against."""
    refused = dict[str, str]()
    for name, arm in arms.each.items():
        listener.doing(f"checking: {name}")
        try:
            makes.check(name, arm)
        except GraftworkError as error:
            if name == ALL:
                raise
            refused[name] = shown_line(str(error))
            listener.note(f"{name}: can't be run. {refused[name]}")
    if len(refused) == len(arms.each) - 1:
        told = "; ".join(f"'{name}': {why}" for name, why in refused.items())
        raise RefusedError(f"There is nothing left to compare, because these runs can't be made: {told}")
    return arms.refused(refused)
