"""The choice among bases of which several would do: a large one if it can be afforded, of sounds the best by a probe.

What is decided is kept in the workspace, so that a resumed call goes on with the same bases, and stands in the resolved
recipe.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

from graftwork.recipe import Recipe
from graftwork.runs.bases.affordable import afforded
from graftwork.runs.bases.probing import probed
from graftwork.runs.clock import Deadline
from graftwork.runs.job.base_choice import Bases, bases_from_json
from graftwork.runs.job.choice import Choice
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.workspace import Workspace

FILE = "bases"


class _LaterSettled(TypedDict, total=False):
    """Earlier versions kept nothing of it."""

    slower: tuple[str, float] | None


class _Settled(_LaterSettled):
    """A base that was settled, as `Choice.to_json` has it."""

    base: str
    modality: str
    warning: str
    reason: str


class _Later(TypedDict, total=False):
    """Earlier versions kept nothing of it."""

    free: list[str]


class _Kept(_Later):
    """What a workspace keeps. named: what the recipe says of bases. each: by input."""

    named: str | dict[str, str]
    each: dict[str, _Settled]


def known_bases(recipe: Recipe, workspace: Workspace) -> Bases | None:
    """Those that the call chose which is resumed, where it named the same ones."""
    known = workspace.recall(FILE, _Kept)
    if known is None or known["named"] != _named(recipe):
        return None
    return bases_from_json(known["each"], known.get("free", ()))


def settled(job: Job, recipe: Recipe, workspace: Workspace, listener: Listener, budget: Deadline | None) -> Job:
    """The job with one base for each input; what is decided here is told to the listener. recipe: as it was given.

    budget: when the whole call must be over.
    """
    for name in job.bases.open:
        choice = job.bases.each[name]
        settle = probed if choice.base.modality == "audio" else afforded
        decided = settle(job, replace(recipe, base=job.bases.named), name, listener, budget)
        job = replace(job, bases=job.bases.settled(name, decided))
        for note in _lines(decided):
            listener.note(note)
    workspace.remember(FILE, {"named": _named(recipe), "each": job.bases.to_json(), "free": sorted(job.bases.free)})
    return job


def _named(recipe: Recipe) -> object:
    """What a recipe says of bases, as plain data."""
    return recipe.base if isinstance(recipe.base, str) else dict(recipe.base)


def _lines(choice: Choice) -> list[str]:
    return [line for note in choice.notes for line in note.split("\n")]
