"""Candidates beside the usual ones, by name: other settings of the fine-tune, plain heads on tables, other bases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from graftwork.core.settings import Training
from graftwork.core.technique import Technique
from graftwork.data.table import Input
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import BASES, parse_base, written
from graftwork.recipe import Recipe
from graftwork.runs.candidates.orders import ON, base_in
from graftwork.runs.candidates.tables import on_plain_columns, reads_columns_alone
from graftwork.runs.candidates.tuned import filled, many_rows, smooths
from graftwork.runs.candidates.usual import accompanied, usual_recipes
from graftwork.runs.job.base_choice import sampled_texts
from graftwork.runs.job.choice import Choice, at_hand
from graftwork.runs.job.job import Job
from graftwork.runs.job.text_choice import fitted_to_lengths
from graftwork.techniques.metric.supervised_contrastive import SupervisedContrastive
from graftwork.techniques.transfer.lora import LoRA
from graftwork.techniques.transfer.partial import Partial
from graftwork.techniques.transfer.refit import Refit
from graftwork.techniques.transfer.warm_start import WarmStart

PLAIN_FINE_TUNING = "plain fine-tuning"
PLAIN_EPOCHS = 3
"""Passes of usual fine-tuning."""


def candidate(job: Job, recipe: Recipe, name: str, usual: Mapping[str, Recipe]) -> Recipe | None:
    """The recipe of a candidate; None where it can't be tried here. recipe: with the bases that were chosen. usual:
    those of the usual order, by name."""
    if name in usual:
        return usual[name]
    if base := base_in(name):
        other, inner = on_base(job, recipe, base), name.removesuffix(f"{ON}{base}")
        return None if other is None else candidate(job, other, inner, dict(usual_recipes(job, other)))
    if name in PLAIN_HEADS and reads_columns_alone(job, recipe):
        return accompanied(job, on_plain_columns(recipe, recipe.bases(job.train.schema), PLAIN_HEADS[name]))
    if name in FINE_TUNES and "tune" in usual:
        return accompanied(job, FINE_TUNES[name](job, recipe))
    return None


def is_other(name: str) -> bool:
    """Whether a candidate is none of the usual ones, so that a call goes on where its plan is refused."""
    return bool(base_in(name)) or name in FINE_TUNES or name in PLAIN_HEADS


def on_base(job: Job, recipe: Recipe, name: str) -> Recipe | None:
    """The recipe with a base at hand for every input of its kind; None where the user named one for any of them, or
    where it reads none of the inputs."""
    if not is_here(name):
        return None
    inputs = [one for one in recipe.read(job.train.schema) if one.modality == BASES[name].modality]
    if not inputs or not all(one.name in job.bases.free for one in inputs):
        return None
    chosen = {one.name: _reading(job, recipe, one, name) for one in inputs}
    return replace(recipe, base=written({**recipe.bases(job.train.schema), **chosen}))


def is_here(base: str) -> bool:
    """Whether a base can be used without fetching anything: it begins from scratch, or is at hand."""
    return base in BASES and (not BASES[base].pretrained or at_hand(base))


def _reading(job: Job, recipe: Recipe, one: Input, name: str) -> BaseSettings:
    """A base as it would read an input, long texts in windows."""
    base = parse_base(name)
    if one.modality != "text":
        return base
    return fitted_to_lengths(one, Choice(base), sampled_texts(job.train, one.columns, recipe.text)).base


def _half(job: Job, recipe: Recipe) -> Recipe:
    """Half as many upper blocks."""
    return _tuned(job, recipe, Partial(max(1, _usual_blocks(job, recipe) // 2)))


def _twice(job: Job, recipe: Recipe) -> Recipe:
    """Twice as many upper blocks, at half the learning rate. A base that has fewer refuses it."""
    return _tuned(job, _at_rate(job, recipe, 0.5), Partial(2 * _usual_blocks(job, recipe)))


def _usual_blocks(job: Job, recipe: Recipe) -> int:
    return next(one.blocks for one in many_rows(job, recipe).listed if isinstance(one, Partial))


def _low_rank(job: Job, recipe: Recipe) -> Recipe:
    return _tuned(job, recipe, LoRA())


def _all_blocks(job: Job, recipe: Recipe) -> Recipe:
    return _tuned(job, _at_rate(job, recipe, 0.5))


def _longer(job: Job, recipe: Recipe) -> Recipe:
    """Twice the passes over the rows, unless the recipe sets them."""
    usual = many_rows(job, recipe)
    if usual.training.epochs is None or recipe.training.epochs is not None:
        return usual
    return replace(usual, training=replace(usual.training, epochs=2 * usual.training.epochs))


def _contrast(job: Job, recipe: Recipe) -> Recipe:
    """With a contrast of classes within the batch, and the head solved again at the end; of numbers only the latter."""
    usual = many_rows(job, recipe)
    kept = tuple(one for one in usual.listed if isinstance(one, WarmStart | Partial))
    return replace(usual, techniques=(*kept, *([SupervisedContrastive()] if smooths(job) else []), Refit()))


def _plain(_: Job, recipe: Recipe) -> Recipe:
    """The plain loop on all of the base."""
    return replace(recipe, techniques=(), training=filled(recipe.training, Training(epochs=PLAIN_EPOCHS)))


def _tuned(job: Job, recipe: Recipe, *instead: Technique) -> Recipe:
    """The usual fine-tune with something else in place of its upper blocks."""
    usual = many_rows(job, recipe)
    kept = [one for one in usual.listed if not isinstance(one, Partial)]
    return replace(usual, techniques=(kept[0], *instead, *kept[1:]))


def _at_rate(job: Job, recipe: Recipe, rate: float) -> Recipe:
    """With a part of the learning rate that is usual for upper blocks, unless the recipe sets one."""
    usual = many_rows(job, recipe).training.lr
    return replace(recipe, training=filled(recipe.training, Training(lr=None if usual is None else usual * rate)))


FINE_TUNES: dict[str, Callable[[Job, Recipe], Recipe]] = {
    "tune, half the blocks": _half,
    "tune, twice the blocks": _twice,
    "tune, all blocks": _all_blocks,
    "tune, low rank": _low_rank,
    "tune, twice as long": _longer,
    "tune with contrast": _contrast,
    PLAIN_FINE_TUNING: _plain,
}
PLAIN_HEADS = {"plain kernel probe": "kernel", "plain mlp probe": "mlp"}
"""By name, heads on numbers as they are, not spread out over bins."""
