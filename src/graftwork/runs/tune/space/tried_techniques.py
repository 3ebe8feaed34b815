"""Which techniques a tune switches on and off: those that suit the inputs, the task and the rows, or the user's own.

What can't run together is found by the facts and claims of the techniques, on one network, so that the search never
proposes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from graftwork import specs
from graftwork.core.plan import base_facts, check, order
from graftwork.core.technique import Technique
from graftwork.data.table import Modality
from graftwork.errors import GraftworkError, UsageError
from graftwork.evidence.advice.fitting import fitting
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.advice.techniques import facts_of
from graftwork.runs.job.job import Job
from graftwork.spaces import Spaces, spaces_of
from graftwork.techniques import TECHNIQUES

SEVERAL_INPUTS, SEVERAL_TARGETS = ("modality-dropout",), ("uncertainty",)
BY_INPUT: dict[Modality, tuple[str, ...]] = {
    "text": ("mixup", "layer-decay"),
    "image": ("flip", "crop", "cutmix"),
    "audio": ("spec-augment", "mixup"),
    "table": ("mixup",),
}
"""Tried where such an input is read."""
USUAL = ("supervised-contrastive", "refit", "ema")
"""Tried whatever is read."""
FOR_RARE, RARE_COUNTS = ("class-weights", "balanced-sampling"), frozenset({"macro_f1", "balanced_accuracy"})
"""Techniques by which rare classes count for more, and the metrics by which they do: others lose by them."""
MOST = 6
"""So many are tried at most where the user names none: each doubles what has to be searched."""
Reason = Callable[[Sequence[Technique]], str]
"""Why some techniques can't run together on a job; "" where they can."""


@dataclass(frozen=True)
class Tried:
    """A technique that is tried, and where its settings are searched; those that the user wrote stay."""

    technique: Technique
    searched: Spaces

    @property
    def name(self) -> str:
        return self.technique.name


def techniques_tried(
    job: Job, recipe: Recipe, wanted: Sequence[str], beside: Sequence[Technique], reason: Reason
) -> list[Tried]:
    """Those that may be switched on, in the order in which they are asked for; none that the recipe has already.

    wanted: as the user wrote them; empty for those that suit. beside: those that the default has in a fine-tune, which
    come first. Raises UsageError for an unknown one or setting, and for one that is named twice.
    """
    has = {technique.name for technique in recipe.listed}
    named = [written_as(spec) for spec in wanted]
    names = [one.name for one in named]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled is not None:
        raise UsageError(f"--try-with names {doubled} {names.count(doubled)} times. Name each technique once.")
    already = next((name for name in names if wanted and name in has), None)
    if already is not None:
        raise UsageError(f"--try-with {already}: the recipe has {already} already, so every trial has it. Drop one.")
    usual = {one.name: Tried(one, spaces_of(type(one))) for one in beside}
    suiting = [] if wanted else [written_as(name) for name in _suiting(job, recipe) if name not in usual]
    found = {one.name: one for one in (*usual.values(), *named, *suiting) if one.name not in has}
    runs = [one for name, one in found.items() if name in names or not reason([one.technique])]
    return runs if wanted else runs[:MOST]


def written_as(spec: str) -> Tried:
    """What a technique's written form names; what it says of settings stays so."""
    technique = specs.parse(spec, TECHNIQUES, "technique")
    said = {name.replace("-", "_") for name in specs.settings_of(spec.partition(":")[2], f"technique '{spec}'")}
    spaces = {name: space for name, space in spaces_of(type(technique)).items() if name not in said}
    return Tried(technique, spaces)


def _suiting(job: Job, recipe: Recipe) -> list[str]:
    """Names, the most telling first."""
    facts = facts_of(job, recipe, None)
    names = [specs.name_of(one.technique) for one in fitting(facts)]
    if not RARE_COUNTS & set(job.metrics.values()):
        names = [name for name in names if name not in FOR_RARE]
    names += [*(SEVERAL_INPUTS if len(facts.modalities) > 1 else ())]
    names += [*(SEVERAL_TARGETS if len(job.tasks) > 1 else ())]
    return [*names, *_by_inputs(job, recipe), *USUAL]


def _by_inputs(job: Job, recipe: Recipe) -> list[str]:
    """Those of the kinds that are read."""
    kinds = dict.fromkeys(one.modality for one in recipe.read(job.train.schema))
    return [name for kind in kinds for name in BY_INPUT[kind]]


def reasons(job: Job, network: Network) -> Reason:
    """Why some techniques can't run together on a network of the job, by their facts and claims."""
    roles = [role for role in _ROLES if job.train.schema.role(role) is not None]
    facts = base_facts(network, job.tasks, roles)

    def reason(techniques: Sequence[Technique]) -> str:
        try:
            check(order(techniques), facts)
        except GraftworkError as error:
            return " ".join(str(error).split())
        return ""

    return reason


_ROLES: tuple[Literal["domain", "group"], ...] = ("domain", "group")
