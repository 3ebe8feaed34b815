"""Techniques to take or to leave: by an ablation in the folder of the run, else by the facts of the table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from graftwork import specs
from graftwork.data.domains import domain_names
from graftwork.errors import GraftworkError
from graftwork.evidence.advice.ablated import ablations_in, findings_in, of_findings
from graftwork.evidence.advice.advice import Item
from graftwork.evidence.advice.fitting import Fitting, TableFacts, fitting
from graftwork.recipe import Recipe
from graftwork.runs.advice.commands import Commands
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import make_ready
from graftwork.tasks.labels import label_counts
from graftwork.techniques import TECHNIQUES

MOST = 3
"""Techniques that are named without having been measured."""
_PLANNED = 64
"""Rows of the sample by which it is seen whether a technique composes."""


def ablated_items(run: Path, recipe: Recipe, commands: Commands) -> tuple[list[Item], list[str], set[str]]:
    """Items and notes of the ablations in the folder of a run, and the names of what they compared."""
    items, notes, compared = list[Item](), list[str](), set[str]()
    used = {technique.name for technique in recipe.listed}
    for file in ablations_in(run):
        found = findings_in(file)
        more, said = of_findings(
            found,
            used,
            without=lambda: commands.ablate(keep=True),
            taken=lambda name: commands.fit(*_with(recipe, name), again=True),
            repeated=lambda repeats: commands.ablate(repeats=repeats),
        )
        items += more
        notes += said
        compared |= {str(one["name"]) for one in found}
    return items, notes, compared


def fitting_items(
    job: Job, recipe: Recipe, doubted: float | None, compared: set[str], commands: Commands
) -> list[Item]:
    """Techniques that facts speak for, that the run does not have, no ablation compared, and that compose with it."""
    used = {technique.name for technique in recipe.listed}
    items = list[Item]()
    for one in fitting(facts_of(job, recipe, doubted)):
        if one.technique in used | compared or len(items) == MOST or not _composes(job, recipe, one.technique):
            continue
        items.append(_item(one, recipe, commands))
    return items


def facts_of(job: Job, recipe: Recipe, doubted: float | None) -> TableFacts:
    """doubted: the share of labels in doubt."""
    target = next((name for name, task in job.tasks.items() if task.single_label and task.answer == "class"), None)
    names, inputs = domain_names(job.train), recipe.read(job.train.schema)
    lacking = [one.name for one in inputs if _lacks(job, one.columns)] if len(inputs) > 1 else []
    return TableFacts(
        rows=len(job.train),
        counts=label_counts(job.train.column(target)) if target is not None else {},
        doubted=doubted,
        domains=0 if names is None else len({name for name in names.tolist() if name is not None}),
        lacking=tuple(lacking),
        modalities=tuple(one.modality for one in inputs),
    )


def _lacks(job: Job, columns: tuple[str, ...]) -> bool:
    """Whether some row has nothing in all of these columns."""
    empty = [np.asarray(job.train.column(name).is_null()) for name in columns]
    return bool(np.all(empty, axis=0).any())


def _item(one: Fitting, recipe: Recipe, commands: Commands) -> Item:
    text = f"Try {one.technique}. {one.why} The command measures what it brings."
    listed = [specs.write(technique, technique.name) for technique in recipe.listed]
    return Item("technique", text, commands.ablate([*listed, one.technique]))


def _with(recipe: Recipe, name: str) -> list[str]:
    """The options of a fit with one more technique."""
    listed = [specs.write(technique, technique.name) for technique in recipe.listed]
    return [word for one in (*listed, name) for word in ("--with", one)]


def _composes(job: Job, recipe: Recipe, name: str) -> bool:
    """Whether a run with one more technique is not refused. What would import code of the user's is left out: the
    recipe may come from elsewhere."""
    more, listed = specs.parse(name, TECHNIQUES, "technique"), [one for one in recipe.listed if not one.code]
    some = job.sample(_PLANNED, recipe.seed, _PLANNED)
    try:
        make_ready(some, replace(recipe, techniques=(*listed, more), rows=None, valid_rows=None), sketched=True)
    except GraftworkError:
        return False
    return True
