"""Where the model of a call comes from: its bases, the tables that it was given, and the versions at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from graftwork.bases.provenance import Provenance, without_folders
from graftwork.networks.bases.origins import made_from
from graftwork.recipe import Recipe
from graftwork.runs.finished.costs import versions
from graftwork.runs.job.job import Job
from graftwork.runs.single.old_rows import old_tables_read


def licence_notes(job: Job, recipe: Recipe) -> list[str]:
    """A line for each base of `recipe` whose licence is not known to allow commercial use."""
    found = made_from(recipe.bases(job.train.schema), hashed=False)
    return [f"licence: {warning}" for warning in found.warnings]


def provenance_of(job: Job, *recipes: Recipe) -> Provenance:
    """Of a model that a recipe makes on `job`, of an ensemble each its own: hashes of weights and tables are computed
    here. The tables of the job come first."""
    return together([_of_recipe(job, recipe) for recipe in recipes])


def together(each: Sequence[Provenance]) -> Provenance:
    """Of models that learned from the same tables, as one."""
    bases, tables, models = list(each[0].bases), list(each[0].tables), list(each[0].models)
    for other in each[1:]:
        bases += [base for base in other.bases if base not in bases]
        tables += [table for table in other.tables if table not in tables]
        models += [model for model in other.models if model not in models]
    return replace(each[0], bases=tuple(bases), tables=tuple(tables), models=tuple(models))


def _of_recipe(job: Job, recipe: Recipe) -> Provenance:
    found = made_from(recipe.bases(job.train.schema))
    taught = (without_folders(teacher) for technique in recipe.listed for teacher in technique.teachers)
    return replace(
        found,
        tables=(*(table.hashed() for table in (*job.tables, *old_tables_read(job, recipe))), *found.tables),
        versions=versions(),
        models=tuple(dict.fromkeys((*found.models, *taught))),
    )
