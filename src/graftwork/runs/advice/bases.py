"""Other bases that are here, each tried by its probe on the same rows as the run's own."""

from __future__ import annotations

from dataclasses import replace

from graftwork import specs
from graftwork.bases.listing import listed
from graftwork.data.table import Modality
from graftwork.errors import GraftworkError
from graftwork.evidence.advice.advice import Item
from graftwork.evidence.words import quoted
from graftwork.networks.bases.registry import BASES, parse_base, written
from graftwork.recipe import Recipe
from graftwork.runs.advice.commands import Commands
from graftwork.runs.advice.probe import better, probed
from graftwork.runs.job.base_choice import Bases
from graftwork.runs.job.choice import Choice
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.shown import counted

TRIED: dict[Modality, int] = {"text": 600, "image": 600, "audio": 160}
"""Rows on which bases are compared, at most: reading them takes longest."""


def other_bases(job: Job, recipe: Recipe, commands: Commands, listener: Listener) -> tuple[list[Item], list[str]]:
    """Items, and notes of those that are not better. For one input at a time; the others keep their base."""
    items, notes = list[Item](), list[str]()
    bases = recipe.bases(job.train.schema)
    for one in recipe.read(job.train.schema):
        options = [name for name in here(one.modality) if specs.name_of(bases[one.name].spec) != name]
        if not options:
            continue
        some = job.sample(TRIED[one.modality], recipe.seed)
        own = probed(with_bases(some, recipe), recipe, listener)
        if not own:
            continue
        measured = f"by its probe beside that of the run's base, cross-validated on {counted(len(some.train))}"
        for name in options:
            listener.doing(f"trying {name} on {counted(len(some.train))}")
            other = replace(recipe, base=written({**bases, one.name: parse_base(name, one.modality)}))
            try:
                found = probed(with_bases(some, other), other, listener)
            except GraftworkError as error:
                notes.append(f"The base {quoted(name)} could not be tried: {error}")
                continue
            gain = better(job, found, own, len(options))
            if gain is None or gain.value <= 0:
                notes.append(f"The base {quoted(name)} is not better ({measured}).")
                continue
            several = len(recipe.read(job.train.schema)) > 1
            spec = f"{one.name}={name}" if several else name
            text = f"Take the base {quoted(name)} for {quoted(one.name)}, which is here."
            items.append(Item("base", text, commands.fit("--base", spec), gain, measured))
    return items, notes


def here(modality: Modality) -> list[str]:
    """Names of the pretrained bases for such an input that are fetched or installed."""
    if modality not in TRIED:
        return []
    return [one.name for one in listed() if one.folder is not None and one.reads == modality and one.name in BASES]


def with_bases(job: Job, recipe: Recipe) -> Job:
    """The job with the bases that a recipe names, and none to be chosen."""
    bases = recipe.bases(job.train.schema)
    return replace(job, bases=Bases({name: Choice(base) for name, base in bases.items()}))
