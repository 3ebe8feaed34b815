"""One run of one recipe on a job: build the network, make the plan, fit, and keep what the next stage needs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from graftwork.core.examples import prepare
from graftwork.core.few_shot import with_training_classes
from graftwork.core.fit import Fitted, fit
from graftwork.core.plan import Plan, order
from graftwork.core.run import Run, make_run
from graftwork.core.scoring import open_sets, predict_examples
from graftwork.core.settings import resolve, resolve_precision
from graftwork.core.timing import affordable_steps
from graftwork.data.cache import digest
from graftwork.data.table import Input
from graftwork.errors import CheckpointError
from graftwork.networks.encoder import Encoder
from graftwork.networks.head import Head
from graftwork.networks.network import Network
from graftwork.recipe import Recipe
from graftwork.runs.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.teachers import answers
from graftwork.runs.workspace import Workspace
from graftwork.tasks.registry import head_of

TIMED_ROWS = 256
PASS_SHARE = 2 / 3
"""Of what is left of a budget, for the pass of the base over the rows; the rest is for heads and steps."""
HEAD_LR = 1e-3
"""Learning rate of the heads where no base has anything to train."""
FEWEST = 500
"""Training rows that a budget leaves at least."""


@dataclass(frozen=True)
class Candidate:
    """A finished run. network: folded, in eval mode. predictions: on validation, by target (of open sets embeddings),
    None without validation.

    score: on validation, more is better. wall, cpu: seconds from building the network to the last step.
    """

    name: str
    recipe: Recipe
    plan: Plan
    network: Network
    fitted: Fitted
    score: float | None
    predictions: Mapping[str, np.ndarray] | None
    wall: float
    cpu: float


def plan_single(job: Job, recipe: Recipe, *, timed: bool = True) -> Plan:
    """The plan of a recipe with its techniques listed; nothing is trained."""
    run = _make_run(job, recipe, started=False, listener=Listener())
    return run.plan if not timed else replace(run.plan, seconds=affordable_steps(run, None).seconds)


def run_single(
    job: Job,
    recipe: Recipe,
    *,
    name: str,
    workspace: Workspace,
    listener: Listener,
    deadline: float | None = None,
) -> Candidate:
    """Run `recipe`, whose techniques are listed. deadline: `time.monotonic()` at which training should be over; it is
    turned into a number of steps before the first one, and kept in the workspace."""
    wall, cpu = time.monotonic(), time.process_time()
    known, asked = workspace.recall(name), [recipe.training.steps, recipe.training.epochs]
    if known is not None:
        if known.get("asked", asked) != asked:
            raise CheckpointError(
                f"The unfinished run in {workspace.place} was begun with other steps or epochs. "
                "Repeat the command that began it, or choose another --out."
            )
        recipe = replace(recipe, training=replace(recipe.training, steps=known["steps"]))
    run = _make_run(job, recipe, started=True, listener=listener)
    if deadline is not None and known is None:
        timed = affordable_steps(run, deadline - time.monotonic())
        if timed.steps < run.plan.total_steps:
            listener.note(f"{name}: {timed.steps} of {run.plan.total_steps} steps fit into the budget")
            run = run.with_steps(timed.steps)
    workspace.remember(name, {"steps": run.plan.total_steps, "asked": asked})
    resolved = replace(recipe, training=replace(run.plan.training, steps=run.plan.total_steps))
    listener.planned(name, run.plan.explain())
    fitted = fit(
        run,
        observers=[lambda progress: listener.stepped(name, progress)],
        checkpoints=workspace.checkpoints(name, fingerprint(resolved, run)),
    )
    network = run.stages.fold(fitted.network)
    network = with_training_classes(network, run.train, run.tasks, run.plan.techniques)
    predictions = None
    if run.valid:
        predictions = predict_examples(network, run.valid, run.plan.techniques, run.valid_cached, open_sets(run.tasks))
    seconds = time.monotonic() - wall
    listener.finished(name, fitted.best_score, seconds)
    spent = time.process_time() - cpu
    return Candidate(name, resolved, run.plan, network, fitted, fitted.best_score, predictions, seconds, spent)


def build_network(job: Job, recipe: Recipe) -> Network:
    """Encoders and heads of a recipe, with seeded random weights where there are no pretrained ones."""
    schema, bases = job.train.schema, recipe.bases(job.train.schema)
    readers: dict[str, list[Input]] = {}
    for one in schema.modalities:
        readers.setdefault(bases[one.name].spec, []).append(one)
    encoders: dict[str, Encoder] = {}
    for inputs in readers.values():
        base = bases[inputs[0].name]
        encoder = base.build(job.rows(inputs, recipe), recipe.seed)
        encoder.pretrained = base.pretrained
        encoders.update(dict.fromkeys((one.name for one in inputs), encoder))
    ordered = {one.name: encoders[one.name] for one in schema.modalities}
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        widths = [encoder.width for encoder in ordered.values()]
        heads = {
            target: Head(sum(widths), task.outputs, head_of(task, recipe.head), widths)
            for target, task in job.tasks.items()
        }
    network = Network(ordered, heads, sources={one.name: one.columns for one in schema.modalities})
    return network.to("cuda") if torch.cuda.is_available() else network


def affordable_rows(job: Job, recipe: Recipe, seconds: float) -> int:
    """How many training rows the base can read in `PASS_SHARE` of `seconds`, found by reading a few."""
    sample = job.sample(TIMED_ROWS, recipe.seed).train
    if len(sample) == len(job.train):
        return len(job.train)
    network = build_network(job, recipe)
    network.autocast = torch.bfloat16 if resolve_precision(recipe.training.precision) == "bf16" else None
    began = time.monotonic()
    examples = prepare(sample, network, {}, recipe.text, keep_on_disk=False)
    predict_examples(network, examples)
    each = (time.monotonic() - began) / len(sample)
    validated = 1.0 + (min(len(job.valid), len(job.train) // 3) / len(job.train) if job.valid else 0.0)
    return max(FEWEST, int(seconds * PASS_SHARE / each / validated))


def fingerprint(recipe: Recipe, run: Run) -> str:
    """Of a run: changes with the recipe, the rows and the weights it begins with; not with the order of techniques."""
    plain = replace(recipe, techniques=order(recipe.listed)).to_dict()
    parts: list[str | np.ndarray] = [repr(plain)]
    for examples in (run.train, run.valid):
        if examples is not None:
            roles = (examples.weight, examples.domain, examples.group)
            parts += [
                *examples.keys.values(),
                *examples.targets.values(),
                *(role for role in roles if role is not None),
            ]
    parts += [taught.key for _, taught in sorted(run.taught.items())]
    weights = [tensor.detach().cpu().numpy() for tensor in run.network.state_dict().values()]
    return digest(*parts, *weights)


def _make_run(job: Job, recipe: Recipe, *, started: bool, listener: Listener) -> Run:
    network = build_network(job, recipe)
    train = prepare(job.train, network, job.tasks, recipe.text)
    valid = prepare(job.valid, network, job.tasks, recipe.text) if job.valid else None
    bases = list(recipe.bases(job.train.schema).values())
    learning = [base for base in bases if base.suggested_lr]
    slow = [base for base in learning if base.pretrained] or learning
    return make_run(
        network,
        job.tasks,
        recipe.listed,
        resolve(recipe.training, lr=min((base.suggested_lr for base in slow), default=HEAD_LR)),
        train,
        valid,
        metrics=job.metrics,
        epochs=max(base.suggested_epochs for base in bases),
        seed=recipe.seed,
        started=started,
        watch=listener.computed,
        ask=lambda teacher: answers(job, teacher, listener if started else None),
    )
