"""Training steps with different techniques, in turns, on the same rows: CPU seconds, and what each plan announces.

Settings: train (file), base, target, inputs, roles, training, sets (techniques by name), seed.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from graftwork import Recipe, Training
from graftwork.core.rows.examples import make_batch, prepare
from graftwork.core.run import Run, make_run
from graftwork.core.settings import resolve
from graftwork.core.training.optimizer import clip, make_optimizer
from graftwork.recipe import parse_techniques
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import make_job
from graftwork.runs.single.run import build_network
from harness.measure import settings_and_answer

WARM = 3


def main() -> None:
    given, answer = settings_and_answer()
    steps = {name: Step(made(given, listed)) for name, listed in given["sets"].items()}
    for indices in next(iter(steps.values())).run.rows_from(0):
        for step in steps.values():
            step(indices)
    found = {
        name: {"seconds": step.spent[WARM:], "cost": asdict(step.run.plan.cost), "passes": step.passes / step.rows}
        for name, step in steps.items()
    }
    answer.write_text(json.dumps({"sets": found}))


def made(given: dict[str, Any], listed: list[str]) -> Run:
    """The run as `graft fit` would make it, without validation rows."""
    training = Training(**given["training"])
    recipe = Recipe(base=given["base"], techniques=parse_techniques(listed), training=training, seed=given["seed"])
    columns = {key: given[key] for key in ("target", "inputs", "roles")}
    job = make_job(DataArguments(train=Path(given["train"]), **columns), recipe)
    network = build_network(job, recipe)
    train = prepare(job.train, network, job.tasks, recipe.text)
    ready = resolve(training, lr=training.lr or 1e-4)
    return make_run(network, job.tasks, recipe.listed, ready, train, None, metrics=job.metrics, seed=recipe.seed)


class Step:
    """One step of a run at a time, as `core.fit` makes it, and the rows that its base has read."""

    def __init__(self, run: Run) -> None:
        self.run, self.optimizer = run, make_optimizer(run.network, run.stages, run.training)
        self.spent, self.rows, self.passes = list[float](), 0, 0
        run.network.train()
        for head in run.network.heads:
            head.register_forward_hook(lambda *seen: self._count(len(seen[-1])))

    def __call__(self, indices: np.ndarray) -> None:
        begun, run = time.process_time(), self.run
        batch = make_batch(run.train, run.network, indices, run.cached)
        self.optimizer.zero_grad(set_to_none=True)
        run.stages.gradient(run.stages.objective, run.network, run.stages.inputs(batch))
        clip(self.optimizer, run.training.clip)
        self.optimizer.step()
        run.stages.after_step(run.network)
        self.spent.append(time.process_time() - begun)
        self.rows += len(indices)

    def _count(self, rows: int) -> None:
        self.passes += rows


if __name__ == "__main__":
    main()
