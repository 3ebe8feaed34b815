"""What to do next with a run, measured where that can be done on its frozen base, and ranked."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from graftwork.data.load import Source
from graftwork.data.table import Table
from graftwork.errors import DataError, UsageError
from graftwork.evidence.ablation.scale import scale_of
from graftwork.evidence.advice.advice import Advice, Item, ToLabel, ranked
from graftwork.model import load
from graftwork.recipe import Recipe
from graftwork.runs.ablation.asked import is_run, recipe_of_run
from graftwork.runs.advice.bases import other_bases, with_bases
from graftwork.runs.advice.classes import class_items
from graftwork.runs.advice.commands import Commands
from graftwork.runs.advice.labels import label_items
from graftwork.runs.advice.pool import choose
from graftwork.runs.advice.probe import Probed, probed
from graftwork.runs.advice.rows import LABEL, row_items
from graftwork.runs.advice.techniques import ablated_items, fitting_items
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.data_file import read_data
from graftwork.runs.job.job import Job, make_job
from graftwork.runs.listener import Listener
from graftwork.runs.profile.curve import learning_curve
from graftwork.runs.profile.findings import label_findings
from graftwork.shown import counted


def advise_run(
    run: str | os.PathLike[str],
    *,
    data: Source | Mapping[str, Source] | None = None,
    pool: Table | None = None,
    label: int = LABEL,
    listener: Listener | None = None,
) -> Advice:
    """`graftwork.advise` of a pool that was read."""
    folder, hearing = Path(run).expanduser(), listener or Listener()
    if not is_run(folder):
        raise UsageError(f"{folder} is not the folder of a run. Name the folder that graft fit wrote (--out).")
    recipe = recipe_of_run(folder)
    hearing.doing(f"reading the tables of {folder}")
    arguments = _tables(folder, data)
    job = make_job(replace(arguments, test=None, unlabelled=None, remember=None), recipe)
    found = _advised(job, recipe, Commands(folder, arguments, recipe), pool, label, hearing)
    if pool is None:
        return found
    hearing.doing(f"choosing {counted(label)} of {pool.source}")
    chosen = choose(load(folder).on(), pool, label, recipe.seed)
    return replace(found, to_label=tuple(ToLabel(one.row, one.reason) for one in chosen))


def _tables(folder: Path, data: Source | Mapping[str, Source] | None) -> DataArguments:
    """All tables of the run, which commands name; without those that are not read here, where one of them is gone."""
    try:
        return read_data(folder, data)
    except (DataError, UsageError):
        return read_data(folder, data, ("test", "unlabelled", "remember"))


def _advised(
    job: Job, recipe: Recipe, commands: Commands, pool: Table | None, label: int, listener: Listener
) -> Advice:
    read = replace(recipe, base=job.bases.named) if job.bases.each else recipe
    items, notes, compared = ablated_items(commands.run, recipe, commands)
    own, doubted = list[Probed](), None
    if _learned(job, read):
        own = probed(with_bases(job, read), read, listener)
    else:
        notes.append("No pretrained base reads the rows, so nothing is measured by probes of it.")
    if own:
        source = None if pool is None else pool.source
        more, doubted = _of_features(job, own, commands, source, label, notes, listener)
        items += more
    others, said = other_bases(job, read, commands, listener)
    items += others
    notes += said
    listener.doing("looking at techniques")
    items += fitting_items(job, recipe, doubted, compared, commands)
    return Advice(ranked(items), str(commands.run), scale_of(job.bound_metrics), tuple(notes))


def _of_features(
    job: Job,
    own: list[Probed],
    commands: Commands,
    pool: str | None,
    label: int,
    notes: list[str],
    listener: Listener,
) -> tuple[list[Item], float | None]:
    """What the frozen features say: labels in doubt, more rows, classes; and the share of labels in doubt."""
    base, features = own[0].base, own[0].features
    listener.doing("looking for labels in doubt")
    findings = list(label_findings(base, features))
    items = label_items(job, own, findings, commands)
    doubted = max((float(one.numbers.get("share", 0.0)) for one in findings), default=None)
    listener.doing("measuring the learning curve")
    more, said = row_items(learning_curve(base, features), commands, pool, label)
    notes += said
    listener.doing("looking at what is taken for what")
    return [*items, *more, *class_items(own, _texts(job.train, commands.recipe), commands)], doubted


def _learned(job: Job, recipe: Recipe) -> bool:
    bases = recipe.bases(job.train.schema).values()
    return all(base.pretrained or base.modality == "table" for base in bases)


def _texts(table: Table, recipe: Recipe) -> list[str] | None:
    """What is read of each row as text; None where no text is read."""
    columns = [name for one in recipe.read(table.schema) if one.modality == "text" for name in one.columns]
    if not columns:
        return None
    rows: Any = zip(*(table.values(name) for name in columns), strict=True)
    return [" ".join(str(value) for value in row if value is not None) for row in rows]
