"""Is it the same person, and who is it? Rows are compared by the cosine of their embeddings, with a saved model.

A gallery holds one embedding an identity; nothing is trained for it, so it can hold people that training never had.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from graftwork.core.rows.examples import held_rows, prepare
from graftwork.core.scoring import Watch, part_of, predict_examples, scored
from graftwork.data.load import load_like
from graftwork.data.store.cache import digest
from graftwork.data.table import Schema, Table
from graftwork.errors import DataError, UsageError
from graftwork.networks.likeness import unit
from graftwork.saving import Saved
from graftwork.tasks.capabilities import Verifies
from graftwork.tasks.metrics.pair_calibration import PairCalibration
from graftwork.uses.gallery import Gallery

CHUNK = 16_384
"""Rows embedded at a time, at most."""
_FIRST_FIELDS = ("name", "kind", "role", "levels", "scale", "form")
"""Of a column, in version 0.1."""


@dataclass(frozen=True)
class Verdict:
    """same: whether the score reaches the threshold. score: cosine of the embeddings, -1 to 1. probability: that both
    show one identity, if before looking both answers were as likely."""

    same: bool
    score: float
    probability: float
    threshold: float


@dataclass(frozen=True)
class Identified:
    """name: of the most similar identity of the gallery, None where even that is below the threshold. nearest: its
    name in any case. score, probability, threshold: as in `Verdict`."""

    name: str | None
    nearest: str
    score: float
    probability: float
    threshold: float


@dataclass(frozen=True)
class Verifier:
    """Compares identities, also ones that training never had: what `Model.verifier` hands out.

    An item is a value of the one input (a text, a path, an image), or a dict by column. far: share of pairs of
    different identities that may be accepted, of those that were held out; None is the equal error rate.

    Raises UsageError for a model of another task than identity.
    """

    model: Saved

    def __post_init__(self) -> None:
        _target(self.model)

    def verify(self, first: Any, second: Any, *, far: float | None = None) -> Verdict:
        """Whether two items show one identity. Raises DataError for an item that can't be read."""
        one, other = self.embed([first, second])
        return self.verdicts(one, other[None], far)[0]

    def enroll(self, people: Mapping[str, Sequence[Any]]) -> Gallery:
        """A gallery, `{name: [item, ...]}` as embeddings, for `identify`; save it with its `save`. Trains nothing."""
        if not people:
            raise UsageError("There is nobody to enroll. Expected names with one item or more each.")
        items: list[Any] = []
        counts: list[int] = []
        for name, own in people.items():
            listed = [own] if isinstance(own, str | bytes | Mapping) or not isinstance(own, Sequence) else list(own)
            if not listed:
                raise UsageError(f"'{name}' has nothing to be enrolled by. Expected one item or more.")
            items += listed
            counts.append(len(listed))
        return self._gallery(self.embed(items), np.repeat(list(map(str, people)), counts).tolist())

    def enroll_rows(self, table: Table, watch: Watch | None = None) -> Gallery:
        """As `enroll`, of a table (or a folder of folders) that names each row's identity in the column that the model
        was trained on. watch: told how many rows are done."""
        target, _ = _target(self.model)
        return self._gallery(self.embed_rows(table, watch), [str(name) for name in table.values(target)])

    def identify(self, item: Any, gallery: Gallery, *, far: float | None = None) -> Identified:
        """Who of the gallery an item shows; the name is None where the most similar one is below the threshold.

        The threshold is that of one comparison: the more people in the gallery, the more strangers reach it, so give
        a lower `far`. Raises UsageError for a gallery that another model made.
        """
        return self.nearest(self.embed([item]), gallery, far)[0]

    def embed(self, items: Sequence[Any]) -> np.ndarray:
        """Embeddings of items, of length 1 (N, E). Raises DataError for an item that can't be read."""
        inputs = [column.name for column in self.model.schema.inputs]
        rows = [_row(item, inputs) for item in items]
        loaded = load_like(rows, self.model.schema, with_target=False, on_bad_rows="keep", name="the items")
        for bad in loaded.bad[:1]:
            raise DataError(f"Item {bad.row} of {len(items)} can't be used as '{bad.column}': {bad.reason}.")
        return self.embed_rows(loaded.table)

    def embed_rows(self, table: Table, watch: Watch | None = None) -> np.ndarray:
        """The same of the rows of a table that is read already, some at a time. watch: told how many are done."""
        model, (target, _) = self.model, _target(self.model)
        size, found = held_rows(model.network, CHUNK), list[np.ndarray]()
        for start in range(0, max(len(table), 1), size):
            chunk = table.take(np.arange(start, min(start + size, len(table))))
            examples = prepare(chunk, model.network, {}, model.recipe.text, keep_on_disk=False)
            own = part_of(watch, start, len(table))
            values = predict_examples(model.network, examples, model.recipe.listed, embedded=[target], watch=own)
            found.append(scored(model.tasks[target], values[target]))
        return np.concatenate(found)

    def verdicts(self, first: np.ndarray, others: np.ndarray, far: float | None = None) -> list[Verdict]:
        """Whether one item shows the identity of each of others; embeddings (E) and (N, E)."""
        threshold = self._calibration.threshold_at(far)
        scores = [float(score) for score in others @ first]
        known = self._calibration.probability
        return [Verdict(score >= threshold, score, known(score), threshold) for score in scores]

    def nearest(self, embeddings: np.ndarray, gallery: Gallery, far: float | None = None) -> list[Identified]:
        """Who of the gallery each of these embeddings (N, E) shows."""
        if gallery.model != self.fingerprint:
            raise UsageError(
                "This gallery was made by another model, whose embeddings mean something else. Enroll its people again."
            )
        threshold = self._calibration.threshold_at(far)
        scores = embeddings @ gallery.embeddings.T
        found = []
        for row, best in zip(scores, scores.argmax(axis=1).tolist(), strict=True):
            score, name = float(row[best]), gallery.names[best]
            known = name if score >= threshold else None
            found.append(Identified(known, name, score, self._calibration.probability(score), threshold))
        return found

    @cached_property
    def fingerprint(self) -> str:
        """Changes with anything that changes an embedding: weights, inputs, techniques at prediction."""
        tensors = self.model.network.state_dict().items()
        weights = [f"{name} {digest(value.cpu().numpy())}" for name, value in tensors]
        return digest(*weights, repr(self.model.recipe.to_dict()), written(self.model.schema))

    def _gallery(self, embeddings: np.ndarray, names: Sequence[str]) -> Gallery:
        """The mean direction of each name's rows (N, E), names in the order in which they first come."""
        order = {name: at for at, name in enumerate(dict.fromkeys(names))}
        sums = np.zeros((len(order), embeddings.shape[1]), np.float32)
        np.add.at(sums, [order[name] for name in names], embeddings)
        return Gallery(tuple(order), unit(sums), self.fingerprint)

    @property
    def _calibration(self) -> PairCalibration:
        found = _target(self.model)[1].calibration
        if found is None:
            raise UsageError("This model has no threshold: no pair of its held-out rows could be compared.")
        return found


def written(schema: Schema) -> str:
    """All of a schema, as version 0.1 wrote it into fingerprints: what came to columns later stands there only where it
    is set, so that galleries of before can still be compared."""
    columns = [
        ", ".join(
            f"{one.name}={getattr(column, one.name)!r}"
            for one in fields(column)
            if one.name in _FIRST_FIELDS or getattr(column, one.name) != one.default
        )
        for column in schema.columns
    ]
    end = "," if len(columns) == 1 else ""
    return f"Schema(columns=({', '.join(f'Column({each})' for each in columns)}{end}))"


def _row(item: Any, inputs: Iterable[str]) -> dict[str, Any]:
    if isinstance(item, Mapping):
        return dict(item)
    names = list(inputs)
    if len(names) != 1:
        raise UsageError(f"An item must be a dict, since there are {len(names)} inputs ({', '.join(names)}).")
    return {names[0]: os.fspath(item) if isinstance(item, os.PathLike) else item}


def _target(model: Saved) -> tuple[str, Verifies]:
    """The target whose embeddings are compared, and its task."""
    for name, task in model.tasks.items():
        if isinstance(task, Verifies):
            return name, task
    kinds = ", ".join(task.name for task in model.tasks.values())
    raise UsageError(f"This model's task is {kinds}, which compares no identities. Fit one with --task identity.")
