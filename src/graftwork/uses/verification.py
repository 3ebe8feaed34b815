"""Is it the same person, and who is it? Rows are compared by the cosine of their embeddings, with a saved model.

A gallery holds one embedding an identity; nothing is trained for it, so it can hold people that training never had.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from graftwork.core.checkpoint import disk_errors
from graftwork.core.examples import held_rows, prepare
from graftwork.core.scoring import Watch, part_of, predict_examples, scored
from graftwork.data.load import load_like
from graftwork.data.store.cache import digest, storing
from graftwork.data.store.locks import claimed
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import clean_beside, replacing
from graftwork.data.table import Table
from graftwork.errors import DataError, ModelError, UsageError
from graftwork.saving import Saved
from graftwork.tasks.embedding.identity import Identity
from graftwork.tasks.metrics.pair_calibration import PairCalibration
from graftwork.tasks.metrics.verification_metrics import unit

CHUNK = 16_384
"""Rows embedded at a time, at most."""


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
class Gallery:
    """Enrolled identities. names (K); embeddings (K, E), of length 1, the mean direction of each one's items.

    model: fingerprint of the model that made them; another model's embeddings can't be compared.
    """

    names: tuple[str, ...]
    embeddings: np.ndarray
    model: str

    def __len__(self) -> int:
        return len(self.names)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one file (safetensors); it holds embeddings and names, none of the photos or sounds."""
        file = Path(path)
        embeddings = np.ascontiguousarray(self.embeddings, np.float32)
        about = {"graftwork_gallery": "2", "model": self.model, "names": json.dumps(self.names)}
        about["checksum"] = digest(about["model"], about["names"], embeddings)
        with claimed(file), storing(file):
            clean_beside(file)
            with replacing(file) as temporary, disk_errors():
                save_file({"embeddings": embeddings}, temporary, about)
        return file


def load_gallery(path: str | os.PathLike[str]) -> Gallery:
    """Read what `Gallery.save` wrote. Raises ModelError for a file that is missing, damaged or something else."""
    file = Path(path)
    if not file.is_file():
        raise ModelError(f"There is no gallery {file}. Make one: graft enroll MODEL TABLE --out {file}")
    try:
        with safe_open(file, framework="numpy") as opened:
            about = opened.metadata() or {}
            version = about.get("graftwork_gallery")
            if version not in ("1", "2"):
                raise ModelError(f"{file} is not a gallery of this version of graftwork.")
            names = tuple(json.loads(about["names"]))
            embeddings = opened.get_tensor("embeddings")
        made_by = about["model"]
        if version == "2" and about["checksum"] != digest(made_by, about["names"], embeddings):
            raise ValueError("it is not as it was written")
        if misfit(names, tuple[str, ...]):
            raise ValueError("its names are no texts")
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError, OSError) as error:
        raise ModelError(f"{file} is a damaged gallery: {error}. Enroll again.") from None
    if embeddings.ndim != 2 or len(embeddings) != len(names):
        raise ModelError(f"{file} is a damaged gallery: {len(names)} names for {len(embeddings)} rows. Enroll again.")
    return Gallery(names, embeddings, made_by)


def verify(model: Saved, first: Any, second: Any, far: float | None = None) -> Verdict:
    """Whether two items show one identity; see `graftwork.model.Model.verify`."""
    one, other = embed(model, [first, second])
    return verdicts(model, one, other[None], far)[0]


def verdicts(model: Saved, first: np.ndarray, others: np.ndarray, far: float | None = None) -> list[Verdict]:
    """Whether one item shows the identity of each of others; embeddings (E) and (N, E)."""
    calibration = _calibration(model)
    threshold = calibration.threshold_at(far)
    scores = [float(score) for score in others @ first]
    return [Verdict(score >= threshold, score, calibration.probability(score), threshold) for score in scores]


def enroll(model: Saved, people: Mapping[str, Sequence[Any]]) -> Gallery:
    """A gallery of these identities, each with one item or more; see `graftwork.model.Model.enroll`."""
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
    return _gallery(model, embed(model, items), np.repeat(list(map(str, people)), counts).tolist())


def enroll_rows(model: Saved, table: Table, watch: Watch | None = None) -> Gallery:
    """As `enroll`, of a table (or a folder of folders) that names each row's identity in the column that the model was
    trained on. watch: told how many rows are done."""
    target, _ = _target(model)
    return _gallery(model, embed_rows(model, table, watch), [str(name) for name in table.values(target)])


def _gallery(model: Saved, embeddings: np.ndarray, names: Sequence[str]) -> Gallery:
    """The mean direction of each name's rows (N, E), names in the order in which they first come."""
    order = {name: at for at, name in enumerate(dict.fromkeys(names))}
    sums = np.zeros((len(order), embeddings.shape[1]), np.float32)
    np.add.at(sums, [order[name] for name in names], embeddings)
    return Gallery(tuple(order), unit(sums), fingerprint(model))


def identify(model: Saved, items: Sequence[Any], gallery: Gallery, far: float | None = None) -> list[Identified]:
    """Who of the gallery each item shows; see `graftwork.model.Model.identify`."""
    return nearest_of(model, embed(model, items), gallery, far)


def nearest_of(model: Saved, embeddings: np.ndarray, gallery: Gallery, far: float | None = None) -> list[Identified]:
    """Who of the gallery each of these embeddings (N, E) shows."""
    if gallery.model != fingerprint(model):
        raise UsageError(
            "This gallery was made by another model, whose embeddings mean something else. Enroll its people again."
        )
    calibration = _calibration(model)
    threshold = calibration.threshold_at(far)
    scores = embeddings @ gallery.embeddings.T
    found = []
    for row, best in zip(scores, scores.argmax(axis=1).tolist(), strict=True):
        score, name = float(row[best]), gallery.names[best]
        known = name if score >= threshold else None
        found.append(Identified(known, name, score, calibration.probability(score), threshold))
    return found


def embed(model: Saved, items: Sequence[Any]) -> np.ndarray:
    """Embeddings of length 1 (N, E) of items: values of the one input (a text, a path, an image), or dicts by column.

    Raises DataError for an item that can't be read, UsageError for a model of another task.
    """
    _target(model)
    inputs = [column.name for column in model.schema.inputs]
    rows = [_row(item, inputs) for item in items]
    loaded = load_like(rows, model.schema, with_target=False, on_bad_rows="keep", name="the items")
    for bad in loaded.bad[:1]:
        raise DataError(f"Item {bad.row} of {len(items)} can't be used as '{bad.column}': {bad.reason}.")
    return embed_rows(model, loaded.table)


def embed_rows(model: Saved, table: Table, watch: Watch | None = None) -> np.ndarray:
    """The same of the rows of a table that is read already, some at a time. watch: told how many are done."""
    target, task = _target(model)
    size, found = held_rows(model.network, CHUNK), list[np.ndarray]()
    for start in range(0, max(len(table), 1), size):
        chunk = table.take(np.arange(start, min(start + size, len(table))))
        examples = prepare(chunk, model.network, {}, model.recipe.text, keep_on_disk=False)
        own = part_of(watch, start, len(table))
        values = predict_examples(model.network, examples, model.recipe.listed, embedded=[target], watch=own)
        found.append(scored(task, values[target]))
    return np.concatenate(found)


def fingerprint(model: Saved) -> str:
    """Changes with anything that changes an embedding: weights, inputs, techniques at prediction."""
    weights = [f"{name} {digest(value.cpu().numpy())}" for name, value in model.network.state_dict().items()]
    return digest(*weights, repr(model.recipe.to_dict()), repr(model.schema))


def _row(item: Any, inputs: Iterable[str]) -> dict[str, Any]:
    if isinstance(item, Mapping):
        return dict(item)
    names = list(inputs)
    if len(names) != 1:
        raise UsageError(f"An item must be a dict, since there are {len(names)} inputs ({', '.join(names)}).")
    return {names[0]: os.fspath(item) if isinstance(item, os.PathLike) else item}


def _target(model: Saved) -> tuple[str, Identity]:
    """The target whose embeddings are compared, and its task."""
    for name, task in model.tasks.items():
        if isinstance(task, Identity):
            return name, task
    kinds = ", ".join(task.name for task in model.tasks.values())
    raise UsageError(f"This model's task is {kinds}, which compares no identities. Fit one with --task identity.")


def _calibration(model: Saved) -> PairCalibration:
    found = _target(model)[1].calibration
    if found is None:
        raise UsageError("This model has no threshold: no pair of its held-out rows could be compared.")
    return found
