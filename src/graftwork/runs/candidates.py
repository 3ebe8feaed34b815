"""Which recipes `techniques: auto` tries, in their order: probes first, then a fine-tune that begins from one.

Each is an ordinary recipe; `runs/default.py` runs them while the budget lasts and keeps the best one.
"""

from __future__ import annotations

from dataclasses import replace

from graftwork import specs
from graftwork.core.settings import Training
from graftwork.core.technique import Technique
from graftwork.data.table import Modality
from graftwork.networks.bases.registry import written
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.heads.rows import RowHeadSettings
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.table_candidates import FEW_L2, on_columns, reads_columns_alone, trained_instead
from graftwork.tasks.registry import USUAL_HEAD, fits, head_of
from graftwork.tasks.task import Task
from graftwork.techniques.fusion.late import Late
from graftwork.techniques.labels.label_smoothing import LabelSmoothing
from graftwork.techniques.metric.supervised_contrastive import SupervisedContrastive
from graftwork.techniques.transfer.partial import Partial
from graftwork.techniques.transfer.probe import Probe
from graftwork.techniques.transfer.refit import Refit
from graftwork.techniques.transfer.warm_start import WarmStart

PROBED_LAYERS = 3
"""Layers whose features the probes read: lower ones hold what the last one has given up."""
TUNE_STEPS, TUNE_EPOCHS = 600, (3, 6)
"""Steps that a fine-tune should have, in so many passes over the rows."""
FEW_STEPS = 20
_WORDS: dict[Modality, str] = {"text": "texts", "image": "images", "audio": "sounds", "table": "numbers and categories"}
"""How the inputs of a kind are called."""


def planned_recipes(job: Job, recipe: Recipe) -> list[tuple[str, Recipe]]:
    """The runs in their order. A recipe with its own techniques is one run; so is a base without pretrained weights."""
    if recipe.techniques != "auto":
        return [("run", recipe)]
    bases = recipe.bases(job.train.schema)
    if not all(base.pretrained for base in bases.values()):
        return [*alone(job, recipe), ("train", from_scratch(job, recipe))]
    if any(not _probed(task, recipe) for task in job.tasks.values()):
        return [("tune", without_probe(job, recipe))]
    few = job.valid is None
    probed = [("probe", replace(recipe, techniques=(Probe(l2=FEW_L2),)))] if few else probes(job, recipe)
    probed += alone(job, recipe)
    if any(base.suggested_lr for base in bases.values()) and _descended(recipe):
        return [*probed, ("tune", few_rows(job, recipe) if few else many_rows(job, recipe))]
    if few:
        return probed
    if reads_columns_alone(job, recipe):
        probed = on_columns(job, recipe, probed)
    instead = trained_instead(job, recipe)
    if instead is None or not _descended(recipe):
        return probed
    return [*probed, ("train", from_scratch(job, instead))]


def alone(job: Job, recipe: Recipe) -> list[tuple[str, Recipe]]:
    """Of inputs of several kinds, each kind by itself on its frozen base, and a head for each, averaged:
    more inputs are not always better.

    Nothing without validation, which has to choose, nor where the task compares inputs.
    """
    kinds = dict.fromkeys(one.modality for one in recipe.read(job.train.schema))
    own = any(task.usual_head != "linear" or task.holds_out == "classes" for task in job.tasks.values())
    if len(kinds) < 2 or job.valid is None or own:
        return []
    found, bases = [], recipe.bases(job.train.schema)
    for kind in kinds:
        names = tuple(one.name for one in recipe.read(job.train.schema) if one.modality == kind)
        if all(bases[name].pretrained for name in names):
            some = replace(recipe, base=written({name: bases[name] for name in names}), inputs=names)
            found.append((f"{_WORDS[kind]} alone", probes(job, some)[0][1]))
    if len(found) == len(kinds):
        last = probes(job, recipe)[-1][1]
        found.append(("late fusion", replace(last, techniques=(Late(), Probe()))))
    return found


def from_scratch(job: Job, recipe: Recipe) -> Recipe:
    """All of the base is trained."""
    return replace(recipe, techniques=_beside(job))


def probes(job: Job, recipe: Recipe) -> list[tuple[str, Recipe]]:
    """Heads on the frozen base's last layers; only the recipe's own head, if it names one."""
    bases = {
        name: base if "layers" in specs.changed_settings(base) else base.with_layers(PROBED_LAYERS)
        for name, base in recipe.bases(job.train.schema).items()
    }
    named = {"kernel probe": "kernel", "mlp probe": "mlp", "linear probe": "linear"}
    tasks = job.tasks.values()
    heads = {name: head for name, head in named.items() if all(fits(task, HEADS[head]) for task in tasks)}
    own = any(task.usual_head != "linear" for task in job.tasks.values())
    if recipe.head != USUAL_HEAD or own:
        heads = {"probe": recipe.head}
    made = [
        (name, replace(recipe, base=written(bases), head=head, techniques=(Probe(),))) for name, head in heads.items()
    ]
    return [*made, ("trained probe", trained_probe(made[-1][1]))] if _compares(job) else made


def trained_probe(probe: Recipe) -> Recipe:
    """A probe whose head is trained on from its solution, on the frozen base: quick, so that batches can be large."""
    training = _filled(probe.training, Training(head_lr=2e-4, epochs=20))
    return replace(probe, training=_with_batch(training, 256))


def many_rows(job: Job, recipe: Recipe) -> Recipe:
    """The fine-tune of the upper blocks that begins from a probe."""
    bases = [base for base in recipe.bases(job.train.schema).values() if base.suggested_lr]
    blocks = min((base.tuned_blocks() for base in bases), default=2)
    training = _with_batch(recipe.training, 128) if _compares(job) else recipe.training
    passes = round(TUNE_STEPS / max(1.0, len(job.train) / training.batch))
    epochs = min(max(passes, TUNE_EPOCHS[0]), TUNE_EPOCHS[1])
    lr = min((base.tuned_lr for base in bases), default=1e-4)
    training = _filled(training, Training(lr=lr, head_lr=1e-3, epochs=epochs))
    return replace(recipe, techniques=(WarmStart(), Partial(blocks), *_beside(job)), training=training)


def without_probe(job: Job, recipe: Recipe) -> Recipe:
    """The fine-tune of heads that no probe can begin, such as those on tokens: they need more passes over few rows."""
    tuned = many_rows(job, recipe)
    passes = round(TUNE_STEPS / max(1.0, len(job.train) / tuned.training.batch))
    longer = _filled(recipe.training, Training(lr=1e-4, head_lr=1e-3, epochs=min(max(passes, 3), 20)))
    kept = (technique for technique in tuned.listed if "head initialisation" not in technique.claims)
    return replace(tuned, techniques=tuple(kept), training=longer)


def _probed(task: Task, recipe: Recipe) -> bool:
    """Whether the head reads a vector a row, on which it can be solved."""
    return issubclass(HEADS[specs.name_of(head_of(task, recipe.head))], RowHeadSettings)


def _descended(recipe: Recipe) -> bool:
    """Whether a head that the recipe names has a gradient, so that something can be trained below it."""
    head = HEADS[specs.name_of(recipe.head)] if recipe.head != USUAL_HEAD else None
    return head is None or not issubclass(head, RowHeadSettings) or head.has_gradient


def few_rows(job: Job, recipe: Recipe) -> Recipe:
    """The fine-tune of all blocks for a handful of rows a class: contrast within the batch, the head solved again."""
    contrast = (SupervisedContrastive(),) if _smooths(job) else ()
    steps = max(FEW_STEPS, 5 * round(len(job.train) / recipe.training.batch))
    return replace(
        recipe,
        techniques=(WarmStart(l2=FEW_L2), *contrast, Refit(l2=FEW_L2)),
        training=_filled(recipe.training, Training(lr=1e-4, head_lr=1e-3, steps=steps)),
    )


def _beside(job: Job) -> tuple[Technique, ...]:
    """What a tuned base takes along: for an open set contrast and a head that is solved at the end, else smoothing."""
    if any(task.holds_out == "classes" for task in job.tasks.values()):
        return SupervisedContrastive(), Refit()
    return (LabelSmoothing(0.1),) if _smooths(job) else ()


def _smooths(job: Job) -> bool:
    return any(task.single_label for task in job.tasks.values())


def _compares(job: Job) -> bool:
    """Whether the loss compares the rows of a batch, so that it should be large."""
    return any(task.couples_rows for task in job.tasks.values())


def _with_batch(training: Training, rows: int) -> Training:
    """`rows` a step, unless the recipe asks for something else than the usual."""
    return replace(training, batch=rows) if training.batch == Training().batch else training


def _filled(training: Training, suggested: Training) -> Training:
    """`training` with the settings it leaves open taken from `suggested`; steps only where it sets no epochs."""
    names = ["lr", "head_lr", "epochs"] + (["steps"] if training.epochs is None else [])
    return replace(training, **{name: getattr(suggested, name) for name in names if getattr(training, name) is None})
