"""A teacher that is a saved model: the rows as it reads them, its predictions and its features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from graftwork import saving
from graftwork.core.rows.examples import Examples, prepare
from graftwork.core.run import features_of
from graftwork.core.scoring import predict_examples
from graftwork.core.technique import Technique
from graftwork.data.batch import Batch
from graftwork.data.columns.convert import to_kinds
from graftwork.data.store.cache import digest
from graftwork.data.table import Schema, Table
from graftwork.devices import chosen
from graftwork.errors import DataError, nearest
from graftwork.networks.features import Features
from graftwork.networks.manifest import MANIFEST, WEIGHTS
from graftwork.saving import Saved
from graftwork.tasks.task import Task

EXPECTED = (
    "Expected a folder that graft fit wrote, or a transformers classifier (a folder, or a hub id such as org/name)."
)
"""What a teacher is, for messages where there is none."""
ROWS = 4096
"""Rows whose features go through the heads at a time."""


@dataclass(frozen=True)
class Answers:
    """What a teacher says, as it says it. predictions: by its own targets (N, outputs), before softmax."""

    predictions: Mapping[str, np.ndarray]
    features: np.ndarray


Opened = tuple[Mapping[str, Task], int, Callable[[], str], Callable[[], Answers]]
"""Tasks by target, width of the features, a key, and what is said of the rows."""


def open_model(source: str, folder: Path, table: Table) -> Opened:
    """A teacher of the rows of `table`: the model in `folder`. The rows are prepared for it only when it is asked."""
    model = saving.load(folder)
    rows = _as_read(model, source, table)

    def key() -> str:
        return digest(*((folder / name).read_bytes() for name in (MANIFEST, WEIGHTS)), _content(model, rows))

    def ask() -> Answers:
        network = model.network.to(chosen())
        return _asked(replace(model, network=network), prepare(rows, network, {}, model.recipe.text))

    return model.tasks, model.network.width, key, ask


def _as_read(model: Saved, source: str, table: Table) -> Table:
    """The rows with the columns that the teacher reads, each as the kind that it knows."""
    for column in model.schema.inputs:
        if column.name not in table.data.column_names:
            raise DataError(
                f"The teacher {source} reads the column '{column.name}', which {table.source} does not have. "
                f"{nearest(column.name, table.data.column_names)} Add it, or choose a teacher that does without."
            )
    columns = (c for c in model.schema.columns if c.role in (None, "domain") and c.name in table.data.column_names)
    return to_kinds(replace(table, schema=Schema(tuple(columns))))[0]


def _content(model: Saved, rows: Table) -> str:
    examples = prepare(rows, model.network, {}, model.recipe.text)
    domain = np.zeros(0) if examples.domain is None else examples.domain
    return digest(*examples.keys.values(), domain)


def _asked(model: Saved, examples: Examples) -> Answers:
    """One pass of the encoders; another where techniques of the teacher change how it predicts (views)."""
    features = features_of(model.network, examples, {})
    reads_more = any(head.reads != "rows" for _, head in model.network.each_head())
    if reads_more or any(type(technique).predict is not Technique.predict for technique in model.recipe.listed):
        return Answers(predict_examples(model.network, examples, model.recipe.listed, tasks=model.tasks), features)
    return Answers(_predicted(model, features), features)


def _predicted(model: Saved, features: np.ndarray) -> dict[str, np.ndarray]:
    network = model.network
    found: dict[str, list[np.ndarray]] = {name: [] for name, _ in network.each_head()}
    with torch.inference_mode():
        for start in range(0, len(features), ROWS):
            seen = torch.from_numpy(features[start : start + ROWS]).to(network.device)
            nothing = Batch({}, torch.arange(len(seen), device=seen.device))
            for name, values in network.eval().generated(Features(seen), nothing).items():
                found[name].append(np.asarray(model.tasks[name].keep(values)))
    return {name: np.concatenate(values) for name, values in found.items()}
