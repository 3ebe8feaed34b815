"""Fine-tunes that the default may try: of many rows, of few, and with heads that no probe can begin."""

from __future__ import annotations

from dataclasses import replace

from graftwork import specs
from graftwork.core.settings import Training
from graftwork.core.technique import Technique
from graftwork.recipe import Recipe
from graftwork.runs.candidates.tables import FEW_L2
from graftwork.runs.job.job import Job
from graftwork.tasks.capabilities import Accompanied
from graftwork.techniques import TECHNIQUES
from graftwork.techniques.labels.label_smoothing import LabelSmoothing
from graftwork.techniques.metric.supervised_contrastive import SupervisedContrastive
from graftwork.techniques.transfer.partial import Partial
from graftwork.techniques.transfer.refit import Refit
from graftwork.techniques.transfer.warm_start import WarmStart

TUNE_STEPS, TUNE_EPOCHS = 600, (3, 6)
"""Steps that a fine-tune should have, in so many passes over the rows."""
FEW_STEPS = 20
TRAINED_ON = Training(head_lr=1e-3, epochs=10)
"""Of probes that are trained on from their solution, since a technique changes what their head learns."""


def many_rows(job: Job, recipe: Recipe) -> Recipe:
    """The fine-tune of the upper blocks that begins from a probe."""
    bases = [base for base in recipe.bases(job.train.schema).values() if base.suggested_lr]
    blocks = min((base.tuned_blocks() for base in bases), default=2)
    training = with_batch(recipe.training, 128) if compares(job) else recipe.training
    passes = round(TUNE_STEPS / max(1.0, len(job.train) / training.batch))
    epochs = min(max(passes, TUNE_EPOCHS[0]), TUNE_EPOCHS[1])
    lr = min((base.tuned_lr for base in bases), default=1e-4)
    training = filled(training, Training(lr=lr, head_lr=1e-3, epochs=epochs))
    return replace(recipe, techniques=(WarmStart(), Partial(blocks), *beside(job)), training=training)


def without_probe(job: Job, recipe: Recipe) -> Recipe:
    """The fine-tune of heads that no probe can begin, such as those on tokens: they need more passes over few rows."""
    tuned = many_rows(job, recipe)
    passes = round(TUNE_STEPS / max(1.0, len(job.train) / tuned.training.batch))
    longer = filled(recipe.training, Training(lr=1e-4, head_lr=1e-3, epochs=min(max(passes, 3), 20)))
    kept = (technique for technique in tuned.listed if "head initialisation" not in technique.claims)
    return replace(tuned, techniques=tuple(kept), training=longer)


def few_rows(job: Job, recipe: Recipe) -> Recipe:
    """The fine-tune of all blocks for a handful of rows a class: contrast within the batch, the head solved again."""
    contrast = (SupervisedContrastive(),) if smooths(job) else ()
    steps = max(FEW_STEPS, 5 * round(len(job.train) / recipe.training.batch))
    return replace(
        recipe,
        techniques=(WarmStart(l2=FEW_L2), *contrast, Refit(l2=FEW_L2)),
        training=filled(recipe.training, Training(lr=1e-4, head_lr=1e-3, steps=steps)),
    )


def beside(job: Job) -> tuple[Technique, ...]:
    """What a tuned base takes along: for an open set contrast and a head that is solved at the end, else smoothing."""
    if any(task.holds_out == "classes" for task in job.tasks.values()):
        return SupervisedContrastive(), Refit()
    return (LabelSmoothing(0.1),) if smooths(job) else ()


def accompanying(job: Job) -> tuple[Technique, ...]:
    """The techniques beside which its tasks are learned best."""
    names = dict.fromkeys(
        name for task in job.tasks.values() if isinstance(task, Accompanied) for name in task.usual_techniques
    )
    return tuple(specs.parse(name, TECHNIQUES, "technique") for name in names)


def smooths(job: Job) -> bool:
    return any(task.single_label for task in job.tasks.values())


def compares(job: Job) -> bool:
    """Whether the loss compares the rows of a batch, so that it should be large."""
    return any(task.couples_rows for task in job.tasks.values())


def with_batch(training: Training, rows: int) -> Training:
    """`rows` a step, unless the recipe asks for something else than the usual."""
    return replace(training, batch=rows) if training.batch == Training().batch else training


def filled(training: Training, suggested: Training) -> Training:
    """`training` with the settings it leaves open taken from `suggested`; steps only where it sets no epochs."""
    names = ["lr", "head_lr", "epochs"] + (["steps"] if training.epochs is None else [])
    return replace(training, **{name: getattr(suggested, name) for name in names if getattr(training, name) is None})
