"""Steps of a fit that several processes make together, or one alone: what each took, and its loss.

Partial tuning of the base with a linear head, as `graft fit --workers` runs it; without dropout, which each worker
draws for itself. Settings: train (file), steps, blocks (trained from the top), batch, rows (at most), seed.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch

from graftwork import Recipe, Training
from graftwork.core.fit import Progress, fit
from graftwork.core.parallel.workers import Workers, joined
from graftwork.core.rows.examples import prepare
from graftwork.core.run import Run, make_run
from graftwork.core.settings import resolve
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import make_job
from graftwork.runs.single.run import build_network
from graftwork.techniques import Partial
from harness.measure import settings_and_answer

WARM = 3
"""Steps that are not counted: the first ones allocate."""
LR = 1e-4


def main() -> None:
    settings, answer = settings_and_answer()
    with joined() as workers:
        run = make(settings, workers)
        seen = list[tuple[float, float, float]]()
        workers.wait()
        fit(run, observers=[lambda progress: seen.append(_now(progress))])
        drawn = [len(rows) for rows in run.rows_from(0)][WARM + 1 :]
        counted = seen[WARM:]  # the last step also ends in the last evaluation, of no row here
        measured = {
            "losses": [loss for _, _, loss in seen],
            "rows": sum(drawn),
            "wall": counted[-1][0] - counted[0][0],
            "cpu": float(workers.sum(torch.tensor([counted[-1][1] - counted[0][1]], dtype=torch.float64)).item()),
            "gradients": run.plan.trained,
        }
        if workers.leads:
            answer.write_text(json.dumps(measured))


def _now(progress: Progress) -> tuple[float, float, float]:
    return time.monotonic(), time.process_time(), progress.loss


def make(settings: dict[str, Any], workers: Workers) -> Run:
    training = Training(lr=LR, steps=settings["steps"], batch=settings["batch"], precision="fp32")
    recipe = Recipe(techniques=(Partial(settings["blocks"]),), training=training, seed=settings["seed"])
    job = make_job(DataArguments(train=Path(settings["train"]), target="label", inputs=("description",)), recipe)
    job = job.sample(settings["rows"], recipe.seed, 1)
    network = build_network(job, recipe)
    for module in network.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    train = prepare(job.train, network, job.tasks, recipe.text)
    ready = resolve(training, lr=LR)
    return make_run(
        network, job.tasks, recipe.named, ready, train, None, metrics=job.metrics, seed=recipe.seed, workers=workers
    )


if __name__ == "__main__":
    main()
