"""The default within a budget of CPU seconds on a table with more rows than it has time to read; scores on test rows.

Settings: train, validation, test (files), base, budget (seconds), seed, streams: whether a fine-tune may read rows that
no probe has read; else the probes learn from the rows that fit, and nothing is tuned.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import torch

import graftwork as gw
from graftwork.runs.budget import streaming
from graftwork.runs.fit import fit_data
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    torch.set_num_threads(1)
    if not settings["streams"]:
        streaming.LEAST_STEPS = 10**9
    data = gw.DataArguments(train=settings["train"], target="label", valid=settings["validation"])
    recipe = gw.Recipe(base=settings["base"], seed=settings["seed"])
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        model = fit_data(data, recipe, budget=settings["budget"], clock=time.process_time, out=out)
        spent = clock.read()
        metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
        accuracy = gw.load(out).evaluate(settings["test"]).to_json()["accuracy"]["value"]
    kept = next((one["name"] for one in metrics["candidates"] if one["kept"]), "")
    of_each = {one["name"]: one["score"] for one in metrics["candidates"]}
    rows = {"rows": model.recipe.rows, "kept_rows": model.recipe.kept_rows, "steps": model.recipe.training.steps}
    answer.write_text(json.dumps({**spent, **rows, "accuracy": accuracy, "kept": kept, "candidates": of_each}))


if __name__ == "__main__":
    main()
