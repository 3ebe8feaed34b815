"""A model that was trained plainly or by a reward: its answers on test rows, and those of ways without training.

Settings: train, validation, test (files), techniques, training, seed, confusions: pairs (true, said) that cost 20, each
other wrong answer 1; none where costs play no part. `COSTS` in a technique stands for the file of that matrix.
"""

from __future__ import annotations

import csv
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import graftwork as gw
from graftwork.evidence.sure.class_thresholds import class_weights, weighted_choices
from graftwork.tasks.costs import CostMatrix, bayes, mean_cost
from graftwork.tasks.metrics.registry import METRICS
from harness import data
from harness.measure import settings_and_answer

DEAR, WRONG, COMMONEST = 20.0, 1.0, 10


def main() -> None:
    given, answer = settings_and_answer()
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        classes = sorted({row["label"] for row in data.read(Path(given["train"]))})
        costs = matrix(classes, given["confusions"])
        file = written(costs, Path(folder) / "costs.csv")
        listed = [spec.replace("COSTS", str(file)) for spec in given["techniques"]]
        recipe = gw.Recipe(
            base="minilm",
            techniques=listed,
            training=gw.Training(**given["training"]),
            seed=given["seed"],
            reference=False,
        )
        model = gw.fit(given["train"], target="label", valid=given["validation"], recipe=recipe, verbose=False)
        truth, chances = {}, {}
        for part in ("validation", "test"):
            truth[part] = np.array([classes.index(row["label"]) for row in data.read(Path(given[part]))])
            chances[part] = model.predict_rows(given[part]).each_probabilities["label"]
    said = chances["validation"].argmax(axis=1)
    wrong = Counter((int(true), int(one)) for true, one in zip(truth["validation"], said, strict=True) if true != one)
    found = {"confusions": [[classes[true], classes[one]] for (true, one), _ in wrong.most_common(COMMONEST)]}
    answer.write_text(json.dumps({**found, **scores(truth, chances, costs)}))


def scores(truth: dict[str, np.ndarray], chances: dict[str, np.ndarray], costs: CostMatrix) -> dict[str, Any]:
    """Of test rows, by the most probable answer, by the least expected cost, and by weights of the classes."""
    macro, test = METRICS["macro_f1"], truth["test"]
    weights = class_weights(chances["validation"], truth["validation"], macro)
    ways = {
        "plain": chances["test"].argmax(axis=1),
        "bayes": bayes(chances["test"], costs),
        "weights": weighted_choices(chances["test"], weights),
    }
    return {
        name: {
            "macro_f1": macro(test, chosen),
            "accuracy": float((test == chosen).mean()),
            "cost": mean_cost(test, chosen, costs),
        }
        for name, chosen in ways.items()
    }


def matrix(classes: Sequence[str], confusions: Sequence[Sequence[str]] | None) -> CostMatrix:
    costs = WRONG - np.eye(len(classes))
    for true, said in confusions or ():
        costs[classes.index(true), classes.index(said)] = DEAR
    return CostMatrix(tuple(classes), costs)


def written(costs: CostMatrix, file: Path) -> Path:
    with file.open("w", encoding="utf-8", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(["true", *costs.classes])
        table.writerows([name, *row] for name, row in zip(costs.classes, costs.costs.tolist(), strict=True))
    return file


if __name__ == "__main__":
    main()
