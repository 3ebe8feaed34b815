"""A tune, the default, or full fine-tuning, within a budget of CPU seconds, from files to a saved model; then its
answers on the test rows.

Settings: train, validation, test (files), target, inputs, way ("tune", "default" or "full"), base (of full fine-
tuning), budget, seed, portfolio (lines of the order in which candidates are tried, as JSON), scored (test rows on which
every model that a tune had in its folder is looked at afterwards).
Answer: `cpu`, `wall`, `accuracy`, `right` (a 0 or 1 for each test row), `kept`, and of a tune `trials`, `curve`
(seconds of the budget and accuracy on those test rows).
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import graftwork as gw
from graftwork.data.store.cache import digest
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.fit import fit_data
from graftwork.runs.listener import Listener
from graftwork.runs.tune.folder import FOLDER as TUNE
from harness.clock import Clock
from harness.measure import settings_and_answer
from harness.portfolio_file import from_json
from harness.tuned_sets import read


def main() -> None:
    (settings, answer), clock = settings_and_answer(), Clock(whole_process=True)
    data = gw.DataArguments(
        train=settings["train"],
        target=settings["target"],
        inputs=settings["inputs"],
        valid=settings["validation"],
    )
    test = read(settings["test"])
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        looking = Looking(out, Path(folder) / "seen")
        found = run(settings, data, out, looking)
        spent = clock.read()
        model = gw.load(out)
        right = answers(model, test, settings["target"])
        curve = looking.curve(test, settings["target"], settings.get("scored", 0))
    recipe = model.recipe.to_dict()
    told = {"accuracy": float(right.mean()), "right": "".join("01"[int(each)] for each in right)}
    about = {"kept": {part: recipe.get(part) for part in ("base", "head", "techniques")}, **found}
    answer.write_text(
        json.dumps(
            {**spent, **told, **about, "curve": curve, "portfolio": digest(json.dumps(settings["portfolio"]))},
            default=str,
        )
    )


def run(settings: dict[str, Any], data: gw.DataArguments, out: Path, looking: Looking) -> dict[str, Any]:
    """What is left in `out` is the model; and what else is known of it."""
    budget, seed = settings["budget"], settings["seed"]
    shared: dict[str, Any] = {"out": out, "clock": time.process_time, "portfolio": from_json(settings["portfolio"])}
    if settings["way"] == "tune":
        from graftwork.runs.tune.asked import Asking
        from graftwork.runs.tune.tune import tune_data

        tuned = tune_data(data, gw.Recipe(seed=seed), Asking(budget=budget), listener=looking, **shared)
        return {"trials": len(tuned.trials), "rule": tuned.chosen.rule}
    recipe = gw.Recipe(seed=seed)
    if settings["way"] == "full":
        recipe = gw.Recipe(base=settings["base"], techniques=[gw.Full()], seed=seed)
    fit_data(data, recipe, budget=budget, **shared)
    return {}


class Looking(Listener):
    """Keeps every model that is in `out` for a while as links below `seen`."""

    def __init__(self, out: Path, seen: Path) -> None:
        self._out, self._seen = out, seen
        self._last = 0
        self._at: list[float] = []

    def curve(self, test: pa.Table, target: str, rows: int) -> list[tuple[float, float]]:
        """CPU seconds and accuracy on some test rows of each."""
        some = test.take(np.sort(np.random.default_rng(0).permutation(len(test))[:rows]))
        right = [answers(gw.load(self._seen / str(at)), some, target) for at in range(len(self._at) if rows else 0)]
        return [(at, float(one.mean())) for at, one in zip(self._at, right, strict=False)]

    def doing(self, what: str) -> None:  # noqa: ARG002
        self._look()

    def trying(self, trial: Trial, part: str) -> None:  # noqa: ARG002
        self._look()

    def _look(self) -> None:
        manifest = self._out / "model.json"
        stamp = manifest.stat().st_mtime_ns if manifest.is_file() else 0
        if stamp in (0, self._last):
            return
        folder, self._last = self._seen / str(len(self._at)), stamp
        shutil.copytree(self._out, folder, copy_function=os.link, ignore=lambda *_: [TUNE])
        self._at.append(time.process_time())


def answers(model: gw.Model, rows: pa.Table, target: str) -> np.ndarray:
    """Whether each row's label is given."""
    given = np.asarray(model.predict(rows.drop_columns([target]))).astype(str)
    right: np.ndarray = given == np.asarray(rows[target].to_pylist()).astype(str)
    return right


if __name__ == "__main__":
    main()
