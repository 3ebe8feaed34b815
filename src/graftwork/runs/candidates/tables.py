"""What the default tries where numbers and categories are all that is read, beside the heads on every base; and by what
it chooses between them where few rows validate.

On tables no kind of model is best everywhere: boosted trees ask for one column after the other, a linear model on the
plain numbers is hard to beat on few rows with noise, and a network wants many rows (Grinsztajn et al. 2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import TRAINED_INSTEAD, parse_base, written
from graftwork.networks.heads.boosting import Boosting
from graftwork.networks.heads.solving.boosting import installed
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.tasks.registry import USUAL_HEAD, fits
from graftwork.techniques.transfer.probe import Probe

PLAIN = {"columns": "columns:numbers=standard"}
"""By a base that spreads numbers out over bins, the one that leaves them as they are."""
FEW_L2 = 1 / 16
"""The penalty of few rows: too few are left to choose it by, if some of them have to choose."""
FEW_VALIDATE = 100
"""Validation rows below which their score is mostly luck: heads are then chosen by cross-validation of the training
rows, and no network is trained from scratch."""


def reads_columns_alone(job: Job, recipe: Recipe) -> bool:
    """Whether all inputs are numbers and categories on a base that has nothing to train."""
    bases = recipe.bases(job.train.schema).values()
    return all(base.modality == "table" and not base.suggested_lr for base in bases)


def few_validate(job: Job) -> bool:
    """Whether rows are held out, and so few that they should not choose."""
    return job.valid is not None and len(job.valid) < FEW_VALIDATE


def on_columns(job: Job, recipe: Recipe, probes: list[tuple[str, Recipe]]) -> list[tuple[str, Recipe]]:
    """The probes between a linear head on plain numbers, the simplest one and the first, and boosting, where it is
    installed; the probes alone where the recipe names a head."""
    tasks = job.tasks.values()
    if recipe.head != USUAL_HEAD or any(task.usual_head != "linear" for task in tasks):
        return probes
    bases = recipe.bases(job.train.schema)
    linear = on_plain_columns(recipe, bases, "linear")
    if few_validate(job):
        usual = replace(linear, techniques=(Probe(l2=FEW_L2),))
        first = [("plain linear probe", usual), ("plain linear probe, own l2", linear)]
    else:
        first = [("plain linear probe", linear)] if linear.base != written(bases) else []
    boosted = (Boosting.name, replace(recipe, base=written(bases), head=Boosting.name, techniques=(Probe(),)))
    last = [boosted] if installed() and all(fits(task, Boosting) for task in tasks) else []
    return [*first, *probes, *last]


def on_plain_columns(recipe: Recipe, bases: Mapping[str, BaseSettings], head: str) -> Recipe:
    """A head on the numbers as they are. bases: of the inputs, as they are by default."""
    plain = {name: parse_base(PLAIN.get(base.spec, base.spec)) for name, base in bases.items()}
    return replace(recipe, base=written(plain), head=head, techniques=(Probe(),))


def could_be_tried(job: Job, recipe: Recipe) -> tuple[str, ...]:
    """A line where boosting would be tried, and is not installed."""
    wanted = recipe.techniques == "auto" and recipe.head == USUAL_HEAD and job.valid is not None
    if installed() or not wanted or not reads_columns_alone(job, recipe):
        return ()
    if not all(fits(task, Boosting) for task in job.tasks.values()):
        return ()
    return ("boosting: not tried, because LightGBM is not installed; pip install 'graftwork[tables]' (about 15 MB)",)


def trained_instead(job: Job, recipe: Recipe) -> Recipe | None:
    """The recipe with a base that is trained from scratch in place of one with nothing to train; None where there is
    none, or rows are too few for it."""
    bases = recipe.bases(job.train.schema)
    instead = {name: parse_base(TRAINED_INSTEAD.get(base.spec, base.spec)) for name, base in bases.items()}
    if written(instead) == written(bases) or (few_validate(job) and reads_columns_alone(job, recipe)):
        return None
    return replace(recipe, base=written(instead))
