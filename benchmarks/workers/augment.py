"""One fit from scratch with the given techniques, and its accuracy on test rows, with and without several views."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import graftwork as gw
from graftwork.recipe import Recipe
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    given, answer = settings_and_answer()
    clock = Clock(whole_process=True)
    recipe = Recipe(
        base=given["base"],
        task="classification",
        techniques=given["techniques"],
        training=gw.Training(epochs=given["epochs"]),
        seed=given["seed"],
    )
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        model = gw.fit(
            given["train"],
            target="label",
            inputs=[given["column"]],
            valid=given["validation"],
            recipe=recipe,
            out=Path(folder) / "model",
        )
    measured = clock.read()
    measured["accuracy"] = model.evaluate(given["test"]).to_json()["accuracy"]["value"]
    averaged = model.predicting_with(f"tta:views={given['views']}")
    measured["tta"] = averaged.evaluate(given["test"]).to_json()["accuracy"]["value"]
    answer.write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
