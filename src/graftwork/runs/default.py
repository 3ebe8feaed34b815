"""The anytime default, for `techniques: auto`: a sequence of runs, each a plain recipe, and the best one is kept.

First probes on the frozen base, which are there within seconds: similarity to the training rows, a small MLP, a linear
head, all on the same features. Then, while the budget lasts, a fine-tune that begins from a probe, with the lower
blocks frozen and cached. Validation chooses. With too few rows to hold some out, a rule chooses: the fine-tune for few
rows. Where the base has nothing to train (the columns of a table), another one is trained in its place.
The winner's resolved recipe is an ordinary recipe that repeats it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from graftwork import specs
from graftwork.core.settings import Training
from graftwork.core.technique import Technique
from graftwork.errors import NonFiniteLossError
from graftwork.networks.bases import TRAINED_INSTEAD, parse_base, written
from graftwork.recipe import Recipe
from graftwork.runs.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single import Candidate, run_single
from graftwork.runs.workspace import Workspace
from graftwork.techniques import LabelSmoothing, Partial, Probe, Refit, SupervisedContrastive, WarmStart

PROBED_LAYERS = 3
"""Layers whose features the probes read: lower ones hold what the last one has given up."""
LEFT = 0.1
"""A run is begun only if this share of the budget is left for it, and the time of one run like the last."""
TUNE_STEPS, TUNE_EPOCHS = 600, (3, 6)
"""Steps that a fine-tune should have, in so many passes over the rows."""
FEW_L2 = 1 / 16
FEW_STEPS = 20


def planned_recipes(job: Job, recipe: Recipe) -> list[tuple[str, Recipe]]:
    """The runs in their order. A recipe with its own techniques is one run; so is a base without pretrained weights."""
    if recipe.techniques != "auto":
        return [("run", recipe)]
    bases = recipe.bases(job.train.schema)
    if not all(base.pretrained for base in bases.values()):
        return [("train", from_scratch(job, recipe))]
    few = job.valid is None
    probed = [("probe", replace(recipe, techniques=(Probe(l2=FEW_L2),)))] if few else probes(job, recipe)
    if any(base.suggested_lr for base in bases.values()):
        return [*probed, ("tune", few_rows(job, recipe) if few else many_rows(job, recipe))]
    instead = {name: parse_base(TRAINED_INSTEAD.get(base.spec, base.spec)) for name, base in bases.items()}
    if few or written(instead) == written(bases):
        return probed
    return [*probed, ("train", from_scratch(job, replace(recipe, base=written(instead))))]


def from_scratch(job: Job, recipe: Recipe) -> Recipe:
    """All of the base is trained."""
    return replace(recipe, techniques=_beside(job))


def probes(job: Job, recipe: Recipe) -> list[tuple[str, Recipe]]:
    """Heads on the frozen base's last layers; only the recipe's own head, if it names one."""
    bases = {
        name: base if "layers" in specs.changed_settings(base) else base.with_layers(PROBED_LAYERS)
        for name, base in recipe.bases(job.train.schema).items()
    }
    heads = {"kernel probe": "kernel", "mlp probe": "mlp", "linear probe": "linear"}
    own = any(task.heads for task in job.tasks.values())
    if recipe.head != "linear" or own:
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
    training = _filled(training, Training(lr=1e-4, head_lr=1e-3, epochs=epochs))
    return replace(recipe, techniques=(WarmStart(), Partial(blocks), *_beside(job)), training=training)


def few_rows(job: Job, recipe: Recipe) -> Recipe:
    """The fine-tune of all blocks for a handful of rows a class: contrast within the batch, the head solved again."""
    contrast = (SupervisedContrastive(),) if _smooths(job) else ()
    steps = max(FEW_STEPS, 5 * round(len(job.train) / recipe.training.batch))
    return replace(
        recipe,
        techniques=(WarmStart(l2=FEW_L2), *contrast, Refit(l2=FEW_L2)),
        training=_filled(recipe.training, Training(lr=1e-4, head_lr=1e-3, steps=steps)),
    )


def run_all(
    job: Job, recipe: Recipe, workspace: Workspace, listener: Listener, deadline: float | None
) -> tuple[list[Candidate], Candidate]:
    """Run what is planned while time lasts; the candidates in order, and the one to keep.

    Ctrl-C ends the sequence with what there is, and a run whose loss is not finite is left out; before the first
    candidate is done both are raised again. Only the network of the best candidate keeps its weights in memory.
    """
    began, candidates = time.monotonic(), list[Candidate]()
    for name, one in planned_recipes(job, recipe):
        if candidates and not _time_left(name, candidates, workspace, began, deadline):
            listener.note(f"{name}: left out, the budget is used up")
            continue
        try:
            done = run_single(job, one, name=name, workspace=workspace, listener=listener, deadline=deadline)
            candidates.append(done)
        except NonFiniteLossError as error:
            if not candidates:
                raise
            listener.note(f"{name}: left out. {error}")
            continue
        except KeyboardInterrupt:
            if not candidates:
                raise
            last = candidates[-1]
            candidates[-1] = replace(last, fitted=replace(last.fitted, interrupted=True))
        for candidate in candidates:
            if candidate is not best(candidates):
                candidate.network.to("meta")
        if candidates[-1].fitted.interrupted:
            break
    kept = best(candidates)
    if len(candidates) > 1:
        listener.note(f"kept: {kept.name}")
    return candidates, kept


def best(candidates: Sequence[Candidate]) -> Candidate:
    """The highest score on validation; without validation the last one, which is built to be better on few rows."""
    if any(candidate.score is None for candidate in candidates):
        return candidates[-1]
    return max(candidates, key=lambda candidate: candidate.score if candidate.score is not None else 0.0)


def _time_left(
    name: str, candidates: Sequence[Candidate], workspace: Workspace, began: float, deadline: float | None
) -> bool:
    """Whether there is time for one more run; a resumed call runs what it ran before."""
    decided = workspace.recall(f"{name}-begun")
    if decided is None:
        left = float("inf") if deadline is None else deadline - time.monotonic()
        whole = 0.0 if deadline is None else deadline - began
        decided = left > max(LEFT * whole, candidates[-1].wall if len(candidates) > 1 else 0.0)
    workspace.remember(f"{name}-begun", decided)
    return bool(decided)


def _beside(job: Job) -> tuple[Technique, ...]:
    """What a tuned base takes along: for an open set contrast and a head that is solved at the end, else smoothing."""
    if any(task.open_set for task in job.tasks.values()):
        return SupervisedContrastive(), Refit()
    return (LabelSmoothing(0.1),) if _smooths(job) else ()


def _smooths(job: Job) -> bool:
    return any("hard_labels" in task.facts for task in job.tasks.values())


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
