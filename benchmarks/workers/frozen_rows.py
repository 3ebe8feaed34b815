"""Rows of a data set as a frozen base sees them, computed once for all that is measured on them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.measure import settings_and_answer


@dataclass(frozen=True)
class Set:
    """A data set. target, inputs: columns. base: what reads it. most: rows of each table at most, drawn by class."""

    target: str
    inputs: tuple[str, ...]
    base: str
    most: int | None = None


SETS = {
    "trec": Set("label", ("text",), "minilm"),
    "banking77": Set("label", ("text",), "minilm"),
    "sst2": Set("label", ("text",), "minilm"),
    "ag_news_small": Set("label", ("title", "description"), "minilm"),
    "cifar10": Set("label", ("image",), "efficientnet-lite0", 4000),
    "fsdd": Set("label", ("audio",), "whisper-base"),
}


@dataclass(frozen=True)
class Rows:
    """base: a `FrozenBase`. train, test: `RowFeatures`. target: the one there is."""

    base: Any
    train: Any
    test: Any
    target: str

    def accuracy(self, rows: np.ndarray, l2: Any = "auto") -> tuple[float, Any]:
        """On the test rows, of a probe that learned from these training rows; and the probe."""
        from graftwork.networks.heads.solving.fitting import fit_linear
        from graftwork.networks.heads.solving.problem import Problem
        from graftwork.runs.profile.probes import answers

        learned, task = copy.deepcopy(self.base.heads[self.target]).eval(), self.base.job.tasks[self.target]
        fit_linear(learned, Problem(self.train.values[rows], self.train.targets[self.target][rows], task, l2=l2))
        told = answers(learned, self.test.values, np.arange(len(self.test))).argmax(axis=1)
        return float((told == self.test.targets[self.target]).mean()), learned


def rows_of(name: str, train: str, test: str, few: int | None) -> Rows:
    """few: rows of each table at most, for a quick run."""
    import graftwork as gw
    from graftwork.runs.job.data_arguments import DataArguments
    from graftwork.runs.job.held_out import drawn
    from graftwork.runs.job.job import make_job
    from graftwork.runs.profile.features import frozen_base

    one = SETS[name]
    recipe = gw.Recipe(base=one.base)
    arguments = DataArguments(train=train, valid=test, test=test, target=one.target, inputs=one.inputs)
    job = make_job(arguments, recipe)  # every training row trains
    base = frozen_base(job, recipe)
    tables = [job.train, job.test]
    most = one.most if few is None else few
    if most is not None:
        tables = [drawn(table, job.tasks, most, 0) if len(table) > most else table for table in tables]
    return Rows(base, base.features(tables[0]), base.features(tables[1]), one.target)


def worked(measured: Callable[..., dict[str, Any]]) -> None:
    """Run a worker: its settings in, its answer out."""
    settings, answer = settings_and_answer()
    Path(answer).write_text(json.dumps(measured(**settings)), encoding="utf-8")
