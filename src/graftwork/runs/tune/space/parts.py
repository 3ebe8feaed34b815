"""What a search space is made of: bases of each input, ways to tune them, heads and fusions that can run on a job."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from graftwork import specs
from graftwork.core.settings import Training
from graftwork.core.technique import Technique
from graftwork.data.table import Input
from graftwork.errors import GraftworkError, UsageError
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import build, written
from graftwork.networks.heads.boosting import Boosting
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.heads.solving.boosting import installed
from graftwork.networks.heads.solving.problem import L2
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.candidates.tables import FEW_L2
from graftwork.runs.candidates.tuned import few_rows, many_rows, without_probe
from graftwork.runs.job.job import Job
from graftwork.runs.tune.space.arms import SHARES, BaseArm, InputArms, blocks_of
from graftwork.runs.tune.space.proposals import Frame
from graftwork.runs.tune.space.tried_bases import kind_of
from graftwork.runs.tune.space.tried_techniques import Reason, Tried, written_as
from graftwork.spaces import spaces_of
from graftwork.tasks.registry import USUAL_HEAD, fits
from graftwork.techniques.transfer.full import Full
from graftwork.techniques.transfer.partial import Partial
from graftwork.techniques.transfer.probe import Probe
from graftwork.techniques.transfer.warm_start import WarmStart

TRAINED_HEADS, SOLVED_HEADS = ("linear", "mlp"), ("linear", "kernel", "mlp")
"""Heads that are trained together with the base, and those that are solved on frozen features; on the columns of a
table boosted trees too."""
TRAINED_FUSIONS, SOLVED_FUSIONS = ("late", "gated", "weighted-sum"), ("late",)
"""Of several inputs, beside their features side by side."""
ADAPTERS = "lora"
NAMED = "as named"
"""The tuning that the user's own techniques say."""


def inputs_tried(
    small: Job, recipe: Recipe, tried: Mapping[str, Sequence[BaseSettings]], network: Network, *, strict: bool
) -> tuple[InputArms, ...]:
    """The bases of each input. strict: one that can't be loaded is an error, not left out, since the user named it."""
    heads = [head for _, head in network.each_head()]
    claims = frozenset[str]().union(*(one.claims for one in recipe.listed))
    trains = all(head.has_gradient and not head.must_be_solved for head in heads)
    scratch = trains and "trainable parameters" not in claims
    found = []
    for one in recipe.read(small.train.schema):
        depths, bases = dict[str, int](), list[BaseSettings]()
        for at, base in enumerate(tried[one.name]):
            if at and kind_of(base) == "scratch" and not scratch:
                continue
            try:
                depths[base.spec] = _depth(small, recipe, one, base)
            except GraftworkError:
                if strict or not at:
                    raise
                continue
            bases.append(base)
        dimension = "base" if len(tried) == 1 else f"base.{one.name}"
        found.append(InputArms(one, dimension, _arms(dimension, bases, depths)))
    return tuple(found)


def _depth(small: Job, recipe: Recipe, one: Input, base: BaseSettings) -> int:
    """How many blocks a base has that is tuned in parts; it is loaded for that, unless its files say so."""
    if kind_of(base) != "tuned":
        return 0
    return base.told_depth() or build(base, small.rows([one], recipe), recipe.seed).depth


def _arms(dimension: str, bases: Sequence[BaseSettings], depths: Mapping[str, int]) -> tuple[BaseArm, ...]:
    """The bases with the names of the dimensions of their settings, which those share that search one at the same
    values; what the user wrote of a base stays."""
    open_settings = {
        base.spec: {
            name: space for name, space in spaces_of(type(base)).items() if name not in specs.changed_settings(base)
        }
        for base in bases
    }
    arms = []
    for base in bases:
        named = {}
        for setting, space in open_settings[base.spec].items():
            others = [spaces[setting] for spaces in open_settings.values() if setting in spaces]
            shared = all(other == space for other in others)
            named[setting] = f"{dimension}.{setting}" if shared else f"{dimension}.{base.name}.{setting}"
        arms.append(BaseArm(base, depths[base.spec] if kind_of(base) == "tuned" else 0, named))
    return tuple(arms)


def _l2(job: Job) -> L2:
    """The penalty of heads that are solved: as the default has it."""
    return FEW_L2 if job.valid is None else "auto"


def solving(job: Job, recipe: Recipe) -> tuple[Technique, ...]:
    """What solves a head where nothing else is trained."""
    claims = frozenset[str]().union(*(one.claims for one in recipe.listed))
    return () if claims & {"head initialisation", "trainable parameters"} else (Probe(_l2(job)),)


def starting(job: Job, recipe: Recipe, network: Network) -> tuple[Technique, ...]:
    """What solves a head before the base is tuned."""
    solvable = all(head.can_be_solved for _, head in network.each_head())
    return (WarmStart(_l2(job)),) if solvable and solving(job, recipe) else ()


def usual_tuned(job: Job, recipe: Recipe, inputs: Sequence[InputArms], network: Network) -> Recipe:
    """The fine-tune that the default makes of the job's own bases; from scratch what it has beside them."""
    own = replace(recipe, base=written({one.input.name: one.arms[0].base for one in inputs}))
    solvable = all(head.can_be_solved for _, head in network.each_head())
    return (without_probe if not solvable else few_rows if job.valid is None else many_rows)(job, own)


def beside_it(usual: Recipe) -> list[Technique]:
    """What a fine-tune has beside what is trained and what the head starts from."""
    deciding = {"trainable parameters", "head initialisation"}
    return [one for one in usual.listed if not one.claims & deciding]


def tuned_training(job: Job, recipe: Recipe, usual: Recipe) -> Training:
    """The settings of a fine-tune as the default has them, its steps as passes over the rows."""
    training = usual.training
    if recipe.training.steps is None and training.steps is not None:
        passes = math.ceil(training.steps * training.batch / len(job.train))
        training = replace(training, steps=None, epochs=float(passes))
    named = {one.name for one in recipe.listed if "trainable parameters" in one.claims}
    return recipe.training if named else training


def tunings_tried(
    frame: Frame, network: Network, deciding: Mapping[str, Tried], reason: Reason
) -> dict[str, tuple[Technique, ...]]:
    """Ways to train pretrained bases: those that are usual and those that the user names; none that can't run here."""
    if not any(arm.kind == "tuned" for one in frame.inputs for arm in one.arms):
        return {}
    if any("trainable parameters" in one.claims for one in frame.recipe.listed):
        return {NAMED: ()}
    heads = [head for _, head in network.each_head()]
    usual: list[Technique] = [*(frame.solved if frame.starts else ())]
    usual += [Partial(), written_as(ADAPTERS).technique, Full()] if all(head.has_gradient for head in heads) else []
    every = {one.name: one for one in usual} | {name: one.technique for name, one in deciding.items()}
    found = dict[str, tuple[Technique, ...]]()
    for name, technique in every.items():
        solves = "head initialisation" in technique.claims
        told = reason([*frame.recipe.listed, technique, *(() if solves else frame.starts)])
        if told and name in deciding:
            raise UsageError(f"--try-with {name} can't run on this job: {told}")
        found |= {} if told else {name: (technique,)}
    return found


def shares_tried(usual: Recipe, inputs: Sequence[InputArms]) -> tuple[float, ...]:
    """Shares of the blocks of a base that are trained, those among them that the default trains of each."""
    own = [one.arms[0].depth for one in inputs if one.arms[0].depth]
    pairs = [(one.blocks, own) for one in usual.listed if isinstance(one, Partial) and own]
    pairs += [(arm.base.tuned_blocks(), [arm.depth]) for one in inputs for arm in one.arms[1:] if arm.depth]
    more = {
        round(blocks / min(depths), 2)
        for blocks, depths in pairs
        if blocks not in [blocks_of(share, depths) for share in SHARES]
    }
    return tuple(sorted({*SHARES, *more}))


def heads_tried(job: Job, recipe: Recipe) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Heads to be trained on, and heads to be solved. One that the recipe names is the only one, and with settings
    stays as it is; none where a task says which."""
    tasks = job.tasks.values()
    if recipe.head in HEADS and recipe.head != USUAL_HEAD:
        return (recipe.head,), (recipe.head,)
    if recipe.head != USUAL_HEAD or any(task.usual_head != "linear" for task in tasks):
        return (), ()
    columns = any(one.modality == "table" for one in recipe.read(job.train.schema))
    solved = (*SOLVED_HEADS, *((Boosting.name,) if columns and installed() else ()))
    trained, solved = (
        tuple(name for name in names if all(fits(task, HEADS[name]) for task in tasks))
        for names in (TRAINED_HEADS, solved)
    )
    return trained, solved


def fusions_tried(
    frame: Frame, names: Sequence[str], reason: Reason, more: Mapping[str, Tried] | None = None
) -> dict[str, Technique]:
    """Fusions of several inputs that can run here, besides their features side by side. more: that the user names."""
    claimed = any("fusion" in one.claims for one in frame.recipe.listed)
    if len(frame.inputs) < 2 or claimed:
        return {}
    wanted = {name: written_as(name) for name in names} | dict(more or {})
    return {name: one.technique for name, one in wanted.items() if not reason([*frame.recipe.listed, one.technique])}
