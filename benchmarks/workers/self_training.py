"""A small model on a few labels alone, after self-training, and with its own average as teacher on unlabelled rows.

Settings: train, unlabelled, validation, test (files), base, training (settings), longer (settings with the unlabelled
rows), threshold, rounds, seed. The answer gives accuracies on the test rows and CPU seconds.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import graftwork as gw
from harness.measure import settings_and_answer


def main() -> None:
    given, answer = settings_and_answer()
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        done = gw.run_sequence(steps(given), out=Path(folder) / "sequence")
        found: dict[str, Any] = {}
        for one in done:
            name = "self-training" if one.name.startswith("self-training") else one.name
            found[name] = float(one.model.evaluate(given["test"]).to_json()["accuracy"]["value"])
    found["cpu"] = time.process_time() - began
    answer.write_text(json.dumps(found))


def steps(given: dict[str, Any]) -> list[gw.Step]:
    labelled = gw.DataArguments(train=given["train"], target="label", inputs=["text"], valid=given["validation"])
    every = gw.DataArguments(
        train=given["train"],
        target="label",
        inputs=["text"],
        valid=given["validation"],
        unlabelled=given["unlabelled"],
    )

    def recipe(training: str, *techniques: str) -> gw.Recipe:
        settings = gw.Training(**given[training])
        return gw.Recipe(base=given["base"], techniques=techniques, training=settings, seed=given["seed"])

    pseudo = gw.PseudoLabels(model="plain", threshold=given["threshold"], balance=True, rounds=given["rounds"])
    return [
        gw.Step(name="plain", data=labelled, recipe=recipe("training")),
        gw.Step(name="self-training", data=every, recipe=recipe("longer"), pseudo_labels=pseudo),
        gw.Step(name="self-distil", data=every, recipe=recipe("longer", "self-distil")),
    ]


if __name__ == "__main__":
    main()
