"""A tune, the default, or full fine-tuning, within a budget of CPU seconds, from files to a saved model; then its
answers on the test rows.

Settings: train, validation, test (files), target, inputs, way ("tune", "default" or "full"), base (of full
fine-tuning), budget, seed, portfolio (lines of the order in which candidates are tried, as JSON; null for the library's
own), scored (test rows on which a tune's model is looked at whenever it changes; that does not count).
Answer: `cpu`, `wall`, `accuracy`, `right` (a 0 or 1 for each test row), `kept`, and of a tune `trials`, `curve`
(seconds of the budget and accuracy on those test rows).
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import graftwork as gw
from graftwork.evidence.tune.trials import Trial
from graftwork.runs.candidates.portfolio import PORTFOLIO
from graftwork.runs.fit import fit_data
from graftwork.runs.listener import Listener
from harness.clock import Clock
from harness.measure import settings_and_answer
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
        looking = Looking(out, test, settings["target"], settings.get("scored", 0))
        found = run(settings, data, out, looking)
        spent = clock.read()
        model = gw.load(out)
        right = answers(model, test, settings["target"])
    recipe = model.recipe.to_dict()
    told = {"accuracy": float(right.mean()), "right": "".join("01"[int(each)] for each in right)}
    spent["cpu"] -= looking.left_out
    about = {"kept": {part: recipe.get(part) for part in ("base", "head", "techniques")}, **found}
    answer.write_text(json.dumps({**spent, **told, **about, "curve": looking.curve}, default=str))


def run(settings: dict[str, Any], data: gw.DataArguments, out: Path, looking: Looking) -> dict[str, Any]:
    """What is left in `out` is the model; and what else is known of it."""
    budget, seed, lines = settings["budget"], settings["seed"], settings.get("portfolio")
    shared: dict[str, Any] = {"out": out, "clock": looking.seconds, "portfolio": PORTFOLIO}
    if lines is not None:
        from harness.portfolio_file import from_json

        shared["portfolio"] = from_json(lines)
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
    """Scores the model in `out` whenever it is another one, and counts CPU seconds without that."""

    def __init__(self, out: Path, test: pa.Table, target: str, rows: int) -> None:
        picked = np.sort(np.random.default_rng(0).permutation(len(test))[:rows])
        self._out, self._target, self._rows = out / "model.json", target, test.take(picked)
        self._seen = 0
        self.left_out = 0.0
        self.curve: list[tuple[float, float]] = []

    def seconds(self) -> float:
        return time.process_time() - self.left_out

    def doing(self, what: str) -> None:  # noqa: ARG002
        self._look()

    def trying(self, trial: Trial, part: str) -> None:  # noqa: ARG002
        self._look()

    def _look(self) -> None:
        stamp = self._out.stat().st_mtime_ns if self._out.is_file() else 0
        if not len(self._rows) or stamp in (0, self._seen):
            return
        self._seen, began, now = stamp, time.process_time(), self.seconds()
        right = answers(gw.load(self._out.parent), self._rows, self._target)
        self.curve.append((now, float(right.mean())))
        self.left_out += time.process_time() - began


def answers(model: gw.Model, rows: pa.Table, target: str) -> np.ndarray:
    """Whether each row's label is given."""
    given = np.asarray(model.predict(rows.drop_columns([target]))).astype(str)
    right: np.ndarray = given == np.asarray(rows[target].to_pylist()).astype(str)
    return right


if __name__ == "__main__":
    main()
