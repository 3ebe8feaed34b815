"""Tiny runs on a Transformer, an RNN and a CNN: what the tests of the core and the conformance suite train.

`worlds(base, task, unlabelled)` builds a network and its examples once; `World.run` makes a run on a copy.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from graftwork.core.checkpoint import Checkpointing
from graftwork.core.examples import Examples, prepare
from graftwork.core.fit import Fitted, Observer, fit
from graftwork.core.run import Run, make_run
from graftwork.core.settings import Training
from graftwork.core.technique import Technique
from graftwork.data.table import Column, Schema, Table
from graftwork.data.text import TextSettings
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases import parse_base
from graftwork.networks.head import Head
from graftwork.networks.network import Network
from graftwork.tasks.classification import Classification
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.regression import Regression
from graftwork.tasks.task import Task
from tiny import tiny_bert, tiny_rows

BASES = ("transformer", "rnn", "cnn")
TASKS = ("classes", "many", "number")
DEPTH = 3
"""Blocks of every tiny base."""
TRAINING = Training(
    lr=3e-3, head_lr=1e-2, steps=6, batch=8, evaluations=2, warmup=0.25, weight_decay=0.05, precision="fp32"
)
SEED = 3
METRICS = {"classes": "log_loss", "many": "log_loss", "number": "rmse"}

Worlds = Callable[..., "World"]


@dataclass(frozen=True)
class World:
    """A network as it comes from its base, its task, and examples of 40 training and 16 validation rows."""

    network: Network
    tasks: dict[str, Task]
    train: Examples
    valid: Examples
    metric: str
    spec: str
    schema: Schema

    def run(self, techniques: Sequence[Technique] = (), *, started: bool = True, **changes: Any) -> Run:
        """A run on a copy of the network; `changes` are training settings."""
        return make_run(
            copy.deepcopy(self.network),
            self.tasks,
            techniques,
            replace(TRAINING, **changes),
            self.train,
            self.valid,
            metric=self.metric,
            seed=SEED,
            started=started,
        )

    def fit(
        self,
        techniques: Sequence[Technique] = (),
        *,
        observers: Sequence[Observer] = (),
        checkpoints: Checkpointing | None = None,
        **changes: Any,
    ) -> tuple[Run, Fitted]:
        run = self.run(techniques, **changes)
        return run, fit(run, observers=observers, checkpoints=checkpoints)


class Killed(Exception):
    """Stands for a process that is stopped."""


def kill_at(step: int) -> Observer:
    """An observer that stops the run after this step, before its checkpoint is written."""

    def observe(progress: Any) -> None:
        if progress.step == step:
            raise Killed

    return observe


def weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Whether two sets of weights are equal to the bit."""
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())


def make_worlds(folder: Path) -> Worlds:
    """The builder of worlds; `folder` takes the files of the tiny Transformer."""
    bert = tiny_bert(folder / "bert", num_hidden_layers=DEPTH - 1, hidden_size=16, num_attention_heads=2)
    specs = {
        "transformer": str(bert),
        "rnn": "gru:width=16,layers=2,dropout=0.2",
        "cnn": "cnn:width=16,layers=2,widths=2+3,dropout=0.2",
    }

    @cache
    def build(base: str = "transformer", task: str = "classes", unlabelled: bool = False) -> World:
        rows = [(text, topic) for at, (text, topic) in enumerate(tiny_rows(78)) if topic != "food" or at % 4 == 0]
        table = _table(rows, task)
        train, valid = table.take(np.arange(40)), table.take(np.arange(40, 56))
        kind: Task = {"classes": Classification(), "many": Multilabel(), "number": Regression()}[task]
        tasks = {"label": kind.learn(train.column("label"), "train")}
        train = _without_labels(train) if unlabelled else train
        encoder = parse_base(specs[base]).build(TrainingRows(lambda: [text for text, _ in rows]), SEED)
        with torch.random.fork_rng():
            torch.manual_seed(SEED)
            head = Head(encoder.width, tasks["label"].outputs)
        network = Network({"text": encoder}, {"label": head})
        text = TextSettings()
        examples = [prepare(part, network, tasks, text) for part in (train, valid)]
        return World(network, tasks, *examples, METRICS[task], specs[base], table.schema)

    return build


def _table(rows: Sequence[tuple[str, str]], task: str) -> Table:
    targets: dict[str, list[Any]] = {
        "classes": [topic for _, topic in rows],
        "many": [topic + (";long" if len(text) > 20 else "") for text, topic in rows],
        "number": [float(len(text)) for text, _ in rows],
    }
    data = pa.table({"text": [text for text, _ in rows], "label": targets[task]})
    schema = Schema((Column("text", "text"), Column("label", "number" if task == "number" else "category", "target")))
    return Table(data, schema, "tiny", np.arange(1, len(rows) + 1))


def _without_labels(table: Table) -> Table:
    """Every fourth row without a label."""
    labels = [None if at % 4 == 1 else value for at, value in enumerate(table.values("label"))]
    place = table.data.column_names.index("label")
    data = table.data.set_column(place, "label", pa.array(labels, table.column("label").type))
    return replace(table, data=data)
