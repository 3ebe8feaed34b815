"""What the default tries in its usual order: probes first, then a fine-tune that begins from one."""

from __future__ import annotations

from dataclasses import replace

from graftwork import specs
from graftwork.core.settings import Training
from graftwork.data.table import Modality
from graftwork.networks.bases.registry import written
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.heads.rows import RowHeadSettings
from graftwork.recipe import Recipe
from graftwork.runs.candidates.tables import FEW_L2, on_columns, reads_columns_alone, trained_instead
from graftwork.runs.candidates.tuned import (
    TRAINED_ON,
    accompanying,
    beside,
    compares,
    few_rows,
    filled,
    many_rows,
    with_batch,
    without_probe,
)
from graftwork.runs.job.job import Job
from graftwork.tasks.registry import USUAL_HEAD, fits, head_of
from graftwork.tasks.task import Task
from graftwork.techniques.fusion.late import Late
from graftwork.techniques.transfer.probe import Probe

PROBED_LAYERS = 3
"""Layers whose features the probes read: lower ones hold what the last one has given up."""
WORDS: dict[Modality, str] = {"text": "texts", "image": "images", "audio": "sounds", "table": "numbers and categories"}
"""How the inputs of a kind are called."""
KINDS_ALONE = frozenset(f"{word} alone" for word in WORDS.values())
"""Names of the runs that read one kind of several inputs."""


def usual_recipes(job: Job, recipe: Recipe) -> list[tuple[str, Recipe]]:
    """The runs of `techniques: auto` in the order that was set by hand, with what the tasks bring themselves. A base
    from scratch is one run."""
    return [(name, accompanied(job, one)) for name, one in _usual(job, recipe)]


def _usual(job: Job, recipe: Recipe) -> list[tuple[str, Recipe]]:
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


def accompanied(job: Job, recipe: Recipe) -> Recipe:
    """The recipe with the techniques beside which its tasks are learned best: without them a run learns something else,
    and its scores would not show that. A head that a probe has solved is trained on, since they change what it learns;
    it is not solved again at the end."""
    own = accompanying(job)
    lacking = [technique for technique in own if technique not in recipe.named]
    if not lacking:
        return recipe
    kept = [technique for technique in recipe.named if "final head" not in technique.claims]
    solved = any(isinstance(technique, Probe) for technique in kept) and _descended(recipe)
    training = filled(recipe.training, TRAINED_ON) if solved else recipe.training
    return replace(recipe, techniques=(*kept, *lacking), training=training)


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
            found.append((f"{WORDS[kind]} alone", probes(job, some)[0][1]))
    if len(found) == len(kinds):
        last = probes(job, recipe)[-1][1]
        found.append(("late fusion", replace(last, techniques=(Late(), Probe()))))
    return found


def from_scratch(job: Job, recipe: Recipe) -> Recipe:
    """All of the base is trained."""
    return replace(recipe, techniques=beside(job))


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
    return [*made, ("trained probe", trained_probe(made[-1][1]))] if compares(job) else made


def trained_probe(probe: Recipe) -> Recipe:
    """A probe whose head is trained on from its solution, on the frozen base: quick, so that batches can be large."""
    training = filled(probe.training, Training(head_lr=2e-4, epochs=20))
    return replace(probe, training=with_batch(training, 256))


def has_probes(job: Job, recipe: Recipe) -> bool:
    """Whether heads can be solved on the features of all bases, before anything is trained."""
    pretrained = all(base.pretrained for base in recipe.bases(job.train.schema).values())
    return pretrained and all(_probed(task, recipe) for task in job.tasks.values())


def _probed(task: Task, recipe: Recipe) -> bool:
    """Whether the head reads a vector a row, on which it can be solved."""
    return issubclass(HEADS[specs.name_of(head_of(task, recipe.head))], RowHeadSettings)


def _descended(recipe: Recipe) -> bool:
    """Whether a head that the recipe names has a gradient, so that something can be trained below it."""
    head = HEADS[specs.name_of(recipe.head)] if recipe.head != USUAL_HEAD else None
    return head is None or not issubclass(head, RowHeadSettings) or head.has_gradient
