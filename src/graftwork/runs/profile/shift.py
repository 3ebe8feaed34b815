"""Whether a probe can tell the rows of another table from the training rows: half of both teach it, half are asked."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from graftwork.core.scoring import probabilities
from graftwork.data.table import Column, Schema, Table
from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.profile.two_sample import two_sample
from graftwork.networks.heads.rows import RowHead
from graftwork.runs.profile.features import RowFeatures
from graftwork.runs.profile.probes import answers, probe
from graftwork.tasks.registry import infer_task
from graftwork.tasks.task import Task

MOST = 4000
"""Rows of each table that are looked at; a shift worth a word shows in fewer."""
LEAST = 40
"""Rows of each table below which nothing is said."""
TRAIN = "training"


def table_shift(train: RowFeatures, test: RowFeatures, seed: int, name: str = "test") -> Finding | None:
    """The classifier two-sample test of two tables; None where one has fewer than `LEAST` rows."""
    count = min(len(train), len(test), MOST) // 2 * 2
    if count < LEAST:
        return None
    generator = np.random.default_rng(seed)
    picked = [generator.choice(len(rows), count, replace=False) for rows in (train, test)]
    values = np.concatenate([train.values[picked[0]], test.values[picked[1]]])
    numbers = np.concatenate([train.numbers[picked[0]], test.numbers[picked[1]]])
    task = _telling_apart(name)
    classes = np.repeat([task.classes.index(TRAIN), task.classes.index(name)], count)
    halves = np.arange(2 * count) % 2 == 0  # each table was drawn in random order
    asked = np.flatnonzero(~halves)
    start = RowHead(values.shape[1], len(task.classes))
    solved = probe(start, values, classes, task, np.flatnonzero(halves), seed)
    of_test = probabilities(task, answers(solved.head, values, asked))[:, task.classes.index(name)]
    return two_sample(of_test, asked >= count, numbers[asked], name=name)


def _telling_apart(name: str) -> Task:
    """The task whose two classes are the tables."""
    labels = pa.table({"table": [TRAIN, name] * 2})
    table = Table(labels, Schema((Column("table", "category", "target"),)), "tables", np.arange(4) + 1)
    task, _ = infer_task(table.column("table"), "category", "table")
    return task.learn_rows(table, "table")
