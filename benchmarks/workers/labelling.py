"""Rows of a pool that are labelled by advice, and as many at random: what a probe scores with either."""

from __future__ import annotations

from typing import Any

import numpy as np

from workers.frozen_rows import rows_of, worked


def measured(name: str, train: str, test: str, few: int | None, start: int, rows: int, seeds: int) -> dict[str, Any]:
    """start: labelled rows to begin with, drawn by class; one of each class at least. rows: how many are chosen."""
    from graftwork.core.scoring import probabilities
    from graftwork.networks.heads.solving.fitting import USUAL
    from graftwork.runs.advice.choosing import chosen_rows
    from graftwork.runs.job.held_out import drawing_order
    from graftwork.runs.profile.probes import answers

    known = rows_of(name, train, test, few)
    labels, task = known.train.targets[known.target], known.base.job.tasks[known.target]
    begun = max(start, task.outputs)
    runs = []
    for seed in range(seeds):
        order = drawing_order(labels, len(labels), seed)
        labelled, pool = order[:begun], order[begun:]
        before, head = known.accuracy(labelled, USUAL)
        told = probabilities(task, answers(head, known.train.values, pool))
        drawn = np.random.default_rng(seed).choice(len(pool), rows, replace=False)
        scores = {"before": before, "random": known.accuracy(np.concatenate([labelled, pool[drawn]]), USUAL)[0]}
        for strategy in ("badge", "clusters"):
            advised = chosen_rows([told], known.train.values[pool], rows, seed, strategy)
            scores[strategy] = known.accuracy(np.concatenate([labelled, pool[advised]]), USUAL)[0]
        runs.append(scores)
    return {"start": begun, "labelled": rows, "pool": len(labels) - begun, "runs": runs}


if __name__ == "__main__":
    worked(measured)
