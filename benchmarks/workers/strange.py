"""How unusual rows of another set are, and how often the drift test is wrong and right, by one model.

Settings: own (a file for train, validation, test), other (a file, or none: every fourth class), base, column, way
(probe or tuned), rows (training rows), draws, alphas.
"""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

import graftwork as gw
from graftwork.core.rows.examples import prepare
from graftwork.core.scoring import ROW_FEATURES, predict_examples
from graftwork.data.load import load_like
from graftwork.evidence.strange.aspects import Aspect, column_aspects, prediction_aspects
from graftwork.evidence.strange.drift import About, drift_of
from harness.measure import settings_and_answer

Row = dict[str, Any]
PART = 500
"""Rows of the set's own, of either half in a draw of the drift test, and of the other set."""


def main() -> None:
    settings, answer = settings_and_answer()
    answer.write_text(json.dumps(measured(**settings)), encoding="utf-8")


def measured(
    own: dict[str, str],
    other: str,
    base: str,
    column: str,
    way: str,
    rows: int,
    draws: int,
    alphas: list[float],
) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    train, test = _some(_read(own["train"], column), rows, draw), _read(own["test"], column)
    pool = [*_read(own["validation"], column), *test]
    strange = _read(other, column) if other else []
    if not other:
        held = set(sorted({row["label"] for row in train})[::4])
        strange = [row for row in test if row["label"] in held]
        train, test, pool = ([row for row in part if row["label"] not in held] for part in (train, test, pool))
    test, strange, pool = (_some(part, most, draw) for part, most in ((test, PART), (strange, PART), (pool, 2 * PART)))
    recipe = gw.Recipe(base=base, techniques=["probe"] if way == "probe" else ["partial:blocks=1"])
    kinds = {"image": "image"} if column == "image" else None
    model = gw.fit(train, target="label", recipe=recipe, kinds=kinds, on_bad_rows="skip", verbose=False)
    unusual = [model.unusual(_inputs(part, column)) for part in (test, strange)]
    doubt = [1 - model.predict_proba(_inputs(part, column)).max(axis=1) for part in (test, strange)]
    return {
        "auroc": _auroc(*unusual),
        "confidence": _auroc(*doubt),
        "beyond": float(np.mean(unusual[0] >= 0.95)),
        "strange_beyond": float(np.mean(unusual[1] >= 0.95)),
        **_drifts(model, _inputs(pool, column), _inputs(strange, column), draws, alphas),
    }


def _drifts(model: gw.Model, pool: list[Row], strange: list[Row], draws: int, alphas: list[float]) -> dict[str, Any]:
    """In how many draws halves of the pool are said to differ, and a half of which half is strange, by its features."""
    known, odd = _Seen(model, pool), _Seen(model, strange).features
    errors, found = dict.fromkeys(map(str, alphas), 0), 0
    assert model.reference is not None
    near = model.reference.near
    for number in range(draws):
        order = np.random.default_rng(number).permutation(len(pool))
        first, second = order[: len(pool) // 2], order[len(pool) // 2 :]
        features = known.features[first]
        reference = replace(
            model.reference,
            ordinary=np.sort(near.distances(features)),
            fresh=near.standardised(features),
            aspects=known.aspects(first),
        )
        about = About("half", len(second), len(second))
        made = drift_of(reference, known.features[second], known.aspects(second), about)
        surest = min(one.corrected for one in made.comparisons)
        for alpha in alphas:
            errors[str(alpha)] += surest <= alpha
        mixed = np.concatenate([known.features[second][::2], odd[: len(second) // 2]])
        found += drift_of(replace(reference, aspects=()), mixed, [], about).drifted
    return {"draws": draws, "errors": errors, "found": found}


class _Seen:
    """Rows as a model sees them, of which some are looked at in each draw."""

    def __init__(self, model: gw.Model, rows: list[Row]) -> None:
        self.model, self.table = model, load_like(rows, model.schema, with_target=False).table
        self.examples = prepare(self.table, model.network, {}, model.recipe.text)
        found = predict_examples(model.network, self.examples, model.recipe.listed, tasks=model.tasks, features=True)
        self.features = np.asarray(found[ROW_FEATURES])
        self.probabilities = model.tasks["label"].in_units(found["label"], model.temperature.get("label", 1.0))

    def aspects(self, rows: np.ndarray) -> tuple[Aspect, ...]:
        columns = column_aspects(self.table, self.model.network, self.examples, rows)
        return (*columns, *prediction_aspects("label", self.model.tasks["label"], self.probabilities[rows]))


def _read(path: str, column: str) -> list[Row]:
    """Rows with the column that is read, and the label."""
    if path.endswith(".parquet"):
        rows = pq.read_table(path, columns=[column, "label"]).to_pylist()
        plain = [row[column]["bytes"] if isinstance(row[column], dict) else row[column] for row in rows]
        return [{column: value, "label": str(row["label"])} for value, row in zip(plain, rows, strict=True)]
    opened = gzip.open if path.endswith(".gz") else open
    with opened(Path(path), "rt", encoding="utf-8", newline="") as file:
        return [{column: row[column], "label": row["label"]} for row in csv.DictReader(file)]


def _some(rows: list[Row], most: int, draw: np.random.Generator) -> list[Row]:
    return [rows[at] for at in draw.permutation(len(rows))[:most]]


def _inputs(rows: list[Row], column: str) -> list[Row]:
    return [{column: row[column]} for row in rows]


def _auroc(first: np.ndarray, second: np.ndarray) -> float:
    """The chance that one of the second rows has more than one of the first; ties count half."""
    ordered = np.sort(first)
    below, up_to = (np.searchsorted(ordered, second, side=side) for side in ("left", "right"))
    return float(np.mean((below + up_to) / 2) / len(first))


if __name__ == "__main__":
    main()
