"""Runs of one task with several learning rates and seeds, and their soups.

Settings: train, validation, test (files), rates, epochs, seed. The answer holds the accuracies of each run and of the
soups on validation, by which runs are chosen, and on test.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import graftwork as gw
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    settings, answer = settings_and_answer()
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        runs = [
            fitted(settings, rate, 10 * settings["seed"] + at).save(Path(folder, f"run-{at}"))
            for at, rate in enumerate(settings["rates"])
        ]
        found = {run.name: scores(gw.load(run), settings) for run in runs}
        for method in ("greedy", "uniform"):
            mixed = gw.soup(runs, method=method, valid=settings["validation"])
            found[method] = scores(mixed.model, settings) | {"kept": mixed.report.kept}
    answer.write_text(json.dumps({**clock.read(), "scores": found}))


def fitted(settings: dict[str, object], rate: float, seed: int) -> gw.Model:
    training = gw.Training(epochs=settings["epochs"], evaluations=3, lr=rate)
    recipe = gw.Recipe(base="minilm", techniques=[gw.WarmStart()], seed=seed, training=training)
    return gw.fit(settings["train"], target="label", inputs=["text"], valid=settings["validation"], recipe=recipe)


def scores(model: gw.Model, settings: dict[str, object]) -> dict[str, float]:
    return {part: model.evaluate(settings[part]).scores["accuracy"].value for part in ("validation", "test")}


if __name__ == "__main__":
    main()
