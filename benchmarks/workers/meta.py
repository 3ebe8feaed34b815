"""One method on Omniglot: trained on three alphabets, asked for the characters of one that it never saw, by episodes.

Settings: method (a key of `METHODS` of benchmarks/meta.py, with its techniques, steps and base), train, valid, test
(parquet files of prepared pictures), seed, episodes. Accuracy of 5-way 1-shot and 5-shot episodes, drawn by one seed
for all methods, with 95 % intervals over the episodes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.clock import Clock
from harness.measure import settings_and_answer

SHOTS, WAY, QUERY = (1, 5), 5, 15


def main() -> None:
    settings, answer = settings_and_answer()
    found = pixels(settings) if settings["base"] == "pixels" else ours(settings)
    answer.write_text(json.dumps(found), encoding="utf-8")


def ours(settings: dict[str, Any]) -> dict[str, Any]:
    import graftwork as gw
    from graftwork.recipe import parse_techniques

    recipe = gw.Recipe(
        base=settings["base"],
        task="few-shot:episodes=150",  # of the validation score alone
        techniques=parse_techniques(settings["techniques"] or "none"),
        training=gw.Training(**{"evaluations": 4, "precision": "fp32"} | settings["training"]),
        seed=settings["seed"],
    )
    clock = Clock()
    model = gw.fit(settings["train"], target="character", valid=settings["valid"], recipe=recipe)
    spent = clock.read()
    found: dict[str, Any] = dict(spent)
    for shot in SHOTS:
        scores = (
            model.few_shot().evaluate_episodes(settings["test"], shot=shot, episodes=settings["episodes"]).to_json()
        )
        found[f"shot_{shot}"] = scores["episode_accuracy"]["value"]
        found[f"interval_{shot}"] = [scores["episode_accuracy"][end] for end in ("low", "high")]
    found["validation"] = model.report.evaluations["validation"].to_json()["episode_accuracy"]["value"]
    return found


def pixels(settings: dict[str, Any]) -> dict[str, Any]:
    """Nothing is learned: the nearest support picture, by the cosine of the pixels; by scikit-learn."""
    from sklearn.neighbors import KNeighborsClassifier

    from graftwork.data.episodes import Episodes, draw, rows_by_class

    clock = Clock()
    pictures, names = read(settings["test"])
    classes = rows_by_class(np.unique(names, return_inverse=True)[1])
    found: dict[str, Any] = {}
    for shot in SHOTS:
        shape, generator = Episodes(WAY, shot, QUERY), np.random.default_rng([0, WAY, shot])
        scores = []
        for _ in range(settings["episodes"]):
            rows = draw(classes, shape, generator)
            own = np.arange(len(rows)) % WAY
            known, asked = np.split(np.arange(len(rows)), [shape.support_rows])
            nearest = KNeighborsClassifier(1, metric="cosine").fit(pictures[rows[known]], own[known])
            scores.append(float((nearest.predict(pictures[rows[asked]]) == own[asked]).mean()))
        half = 1.96 * float(np.std(scores)) / len(scores) ** 0.5
        found[f"shot_{shot}"] = float(np.mean(scores))
        found[f"interval_{shot}"] = [found[f"shot_{shot}"] - half, found[f"shot_{shot}"] + half]
    return {**clock.read(), **found}


def read(path: str) -> tuple[np.ndarray, Sequence[str]]:
    """Pictures (N, pixels), dark strokes as large numbers, and the names of their characters."""
    import pyarrow.parquet as pq
    from PIL import Image

    rows = pq.read_table(path).to_pylist()
    flat = [255.0 - np.asarray(Image.open(io.BytesIO(row["image"])).convert("L"), np.float32).ravel() for row in rows]
    return np.stack(flat), [row["character"] for row in rows]


if __name__ == "__main__":
    main()
