"""A reward as the objective beside plain training and the ways that need no training: Bayes decisions, class weights.

Macro-F1 of tweeteval_emotion, and the mean cost of banking77, where the ten commonest confusions of a plain model on
validation cost 20 and every other wrong answer 1. All arms make the same steps on the same rows: MiniLM, its last block
and the head. Each seed is one pair of runs; intervals are Student's t of the differences over seeds.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from harness import data, options
from harness.measure import work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS = "reward", 5
TUNED = ["partial:blocks=1", "warm-start"]
CASES: dict[str, dict[str, Any]] = {
    "tweeteval_emotion": {"goal": "macro_f1", "reward": "metric=macro_f1", "epochs": 6.0, "cheap": "weights"},
    "banking77": {"goal": "cost", "reward": "costs=COSTS", "epochs": 2.0, "cheap": "bayes"},
}
ARMS = {"plain": None, "reward": "", "reward alone": ",warm=0,mix=0,kl=0.1"}
LEAST_SAVED = 0.15


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        for name, case in CASES.items():
            parts = {part: str(file) for part, file in data.tables(name, _cut(given.quick, folder, name)).items()}
            training = {"epochs": 1.0 if given.quick else case["epochs"], "keep": "last"}
            shared = {**parts, "training": training}
            first = partial(work, "rewarded", **shared, techniques=["probe"], seed=0, confusions=None)
            dear = results.measure(f"{name}, a probe", 0, OURS, first)["confusions"] if case["goal"] == "cost" else None
            for seed in range(given.seeds):
                for arm, settings in ARMS.items():
                    rewarded = [] if settings is None else [f"reward:{case['reward']}{settings}"]
                    listed = [*TUNED, *rewarded]
                    one = partial(work, "rewarded", **shared, techniques=listed, seed=seed, confusions=dear)
                    results.measure(f"{name}, {arm}", seed, OURS, one)
    print(section(results.records()))


def _cut(quick: bool, folder: str, name: str) -> Path | None:
    if not quick:
        return None
    cut = Path(folder) / name
    cut.mkdir()
    return cut


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    lines, kept = list[list[str]](), list[Claim]()
    for name, case in CASES.items():
        goal, runs = case["goal"], {arm: _of(records, f"{name}, {arm}") for arm in ARMS}
        if not all(runs.values()):
            continue
        plain = _scores(runs["plain"], "plain", goal)
        ways = {arm: (runs[arm], "plain") for arm in ARMS}
        ways |= {f"plain, {case['cheap']}": (runs["plain"], case["cheap"])}
        ways |= {f"reward, {case['cheap']}": (runs["reward"], case["cheap"])}
        for way, (found, answers) in ways.items():
            values, right = _scores(found, answers, goal), _scores(found, answers, "accuracy")
            spent = np.mean([record["spent"] for record in found])
            shown = f"{values.mean():.3f}", _difference(values - plain) if way != "plain" else "", f"{right.mean():.3f}"
            lines.append([name, goal, way, *shown, f"{spent:.0f}"])
        if goal == "cost":
            saved = 1 - _scores(runs["reward"], "plain", goal).mean() / plain.mean()
            promise = f"expected cost at least {LEAST_SAVED:.0%} below plain training's"
            kept.append(Claim(f"{name}: {promise}", f"{saved:.1%} below", saved >= LEAST_SAVED))
    if not lines:
        return "Not measured yet."
    head = ["data", "goal", "way", "on test", "beside plain (95 %, paired)", "accuracy", "CPU s"]
    return "\n\n".join([claims(kept), table(head, lines)])


def _of(records: list[Record], name: str) -> list[Record]:
    return sorted((record for record in records if record["name"] == name), key=lambda record: record["seed"])


def _scores(records: list[Record], answers: str, score: str) -> np.ndarray:
    return np.array([record[answers][score] for record in records])


def _difference(values: np.ndarray) -> str:
    if len(values) < 2:
        return f"{values.mean():+.3f}"
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.3f} ({values.mean() - half:+.3f} to {values.mean() + half:+.3f})"


if __name__ == "__main__":
    main()
