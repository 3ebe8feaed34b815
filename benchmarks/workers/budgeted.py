"""The default within a budget of CPU seconds a thread, from files to a saved model, then its scores on test rows.

Settings: train, validation (or none), test (files), target, inputs (columns), base, budget (seconds), seed, threads.
Other work on the machine leaves such a budget nearly alone.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import torch

import graftwork as gw
from graftwork.runs.fit import fit_data
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    threads = settings.get("threads", 1)
    torch.set_num_threads(threads)
    data = gw.DataArguments(
        train=settings["train"],
        target=settings["target"],
        inputs=settings["inputs"],
        valid=settings.get("validation"),
    )
    recipe = gw.Recipe(base=settings["base"], seed=settings["seed"])
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        fit_data(data, recipe, budget=settings["budget"], clock=lambda: time.process_time() / threads, out=out)
        spent = clock.read()
        model = gw.load(out)
        metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
        scores = model.evaluate(settings["test"])
    kept = next(each["name"] for each in metrics["candidates"] if each["kept"])
    told = scores.to_json()
    found = {name: one["value"] for name, one in told.items() if isinstance(one, dict) and "value" in one}
    answer.write_text(json.dumps({**spent, "scores": found, "kept": kept, "base": settings["base"]}))


if __name__ == "__main__":
    main()
