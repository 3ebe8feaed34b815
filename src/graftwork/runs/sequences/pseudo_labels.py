"""Pseudo-labels: the rows of a table of which a model is sure, with what it predicts for them."""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path

import numpy as np

from graftwork.data.load import Source
from graftwork.data.store.cache import storing
from graftwork.data.store.writing import replacing
from graftwork.data.unlabelled import Labelled
from graftwork.errors import RefusedError
from graftwork.model import Model


def sure_rows(probabilities: np.ndarray, threshold: float, balance: bool) -> np.ndarray:
    """Indices of the rows to keep, in order, by their probabilities (N, C); rows of NaN are left out.

    Those whose largest probability is at least `threshold`. With `balance`, as many in all, but of every predicted
    class the same share of its rows (rounded up), the surest ones (Zou et al. 2018).
    """
    known = ~np.isnan(probabilities).any(axis=1)
    surest = np.where(known, np.nan_to_num(probabilities).max(axis=1, initial=0.0), -1.0)
    sure = np.flatnonzero(surest >= threshold)
    if not balance or not len(sure):
        return sure
    share, predicted = len(sure) / known.sum(), np.nan_to_num(probabilities).argmax(axis=1)
    kept = []
    for label in np.unique(predicted[known]):
        rows = np.flatnonzero(known & (predicted == label))
        most = math.ceil(share * len(rows) - 1e-9)
        kept.append(rows[np.argsort(-surest[rows], kind="stable")[:most]])
    return np.sort(np.concatenate(kept))


def pseudo_labelled(
    model: Model, source: Source, threshold: float, balance: bool, kept_in: Path
) -> tuple[Labelled | None, str]:
    """What the model is sure of, and a note. None where it is sure of no row.

    kept_in: the csv to write, with the number, the label and the probability of each row.
    Raises RefusedError for a model whose target is not one class a row.
    """
    task = model.task
    if task.answer != "class":
        raise RefusedError(
            f"Pseudo-labels need a target with one class a row, but '{model.target}' is a target for {task.name}. "
            "For others, distil the model on the unlabelled rows instead (--with distil)."
        )
    probabilities = model.predict_rows(source).each_probabilities[model.target]
    kept = sure_rows(probabilities, threshold, balance)
    labels = task.decode(probabilities[kept])
    _write(kept_in, kept + 1, labels, probabilities[kept].max(axis=1, initial=0.0))
    note = f"pseudo-labels: {len(kept):,} of {len(probabilities):,} rows, {'balanced, ' if balance else ''}"
    if not len(kept):
        return None, f"{note}none is sure at {threshold:g}: this step trains on the labelled rows alone"
    counts = ", ".join(f"{label} {count:,}" for label, count in Counter(map(str, labels)).most_common(10))
    return Labelled(source, kept + 1, {model.target: labels}), f"{note}sure at {threshold:g} ({counts})"


def _write(path: Path, rows: np.ndarray, labels: list[object], sure: np.ndarray) -> None:
    with storing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("row", "label", "probability"))
            for row, label, value in zip(rows.tolist(), labels, sure.tolist(), strict=True):
                writer.writerow((row, label, f"{value:.4f}"))
