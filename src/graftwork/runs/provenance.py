"""Where the model of a call comes from: its bases, the tables that it was given, and the versions at hand."""

from __future__ import annotations

from dataclasses import replace

from graftwork.bases.provenance import Provenance, without_folders
from graftwork.networks.bases.origins import made_from
from graftwork.recipe import Recipe
from graftwork.runs.costs import versions
from graftwork.runs.job.job import Job
from graftwork.runs.old_rows import old_tables_read


def licence_notes(job: Job, recipe: Recipe) -> list[str]:
    """A line for each base of `recipe` whose licence is not known to allow commercial use."""
    found = made_from(recipe.bases(job.train.schema), hashed=False)
    return [f"licence: {warning}" for warning in found.warnings]


def provenance_of(job: Job, recipe: Recipe) -> Provenance:
    """Of a model that `recipe` makes on `job`: hashes of weights and tables are computed here."""
    found = made_from(recipe.bases(job.train.schema))
    taught = (without_folders(teacher) for technique in recipe.listed for teacher in technique.teachers)
    return replace(
        found,
        tables=(*(table.hashed() for table in (*job.tables, *old_tables_read(job, recipe))), *found.tables),
        versions=versions(),
        models=tuple(dict.fromkeys((*found.models, *taught))),
    )
