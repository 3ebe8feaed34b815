"""What techniques cost a training step, beside plain training on the same rows: in turns, CPU seconds, one thread.

Losses on the features share one forward: reviews of three shops, MiniLM, all of it trained, with one such loss, and
with four together. A reward needs no further pass: banking77, MiniLM, all of it trained. An attack of k steps costs
k + 1 passes: CIFAR-10, a small CNN. Forwards are also counted, by a hook on the head, and held against what the plan
announces.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS, STEPS, QUICK_STEPS = "technique_cost", 2, 24, 6
LOSSES = ("coral", "mmd", "dann", "cdan")
TOGETHER = " + ".join(LOSSES)
ATTACKS = {f"adversarial:steps={steps}": steps for steps in (1, 2, 7)}
PLAIN, SHARED, ATTACKED = "plain", 1.3, 1.1
REWARDS = {"reward:metric=macro_f1,warm=0": 1.15, "reward:metric=macro_f1,warm=0,by=rloo": 1.4}
"""What a step with a reward may cost: the exact expectation, and 4 samples."""
CASES: dict[str, dict[str, Any]] = {
    "losses": {
        "data": ("sentiment_3domains", "train"),
        "base": "minilm",
        "inputs": ["text"],
        "roles": {"domain": "domain"},
        "sets": {PLAIN: [], **{name: [name] for name in LOSSES}, TOGETHER: list(LOSSES)},
    },
    "rewards": {
        "data": ("banking77", "train"),
        "base": "minilm",
        "inputs": ["text"],
        "roles": None,
        "sets": {PLAIN: [], **{name: [name] for name in REWARDS}},
    },
    "attacks": {
        "data": ("cifar10", "validation"),
        "base": "small-cnn:width=16,blocks=1,dropout=0,size=32",
        "inputs": ["image"],
        "roles": None,
        "sets": {PLAIN: [], **{name: [name] for name in ATTACKS}, "free-adversarial": ["free-adversarial"]},
    },
}


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    training = {"steps": QUICK_STEPS if given.quick else STEPS, "batch": 64, "precision": "fp32"}
    for seed in range(given.seeds):
        for name, case in CASES.items():
            with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
                train = _table(*case["data"], Path(folder))
                settings = {**{key: case[key] for key in ("base", "inputs", "roles", "sets")}, "training": training}
                one = partial(work, "technique_cost", train=train, target="label", seed=seed, **settings)
                results.measure(name, seed, OURS, one)
    print(section(results.records()))


def _table(name: str, part: str, folder: Path) -> str:
    """The file itself, or its unpacked rows."""
    file = data.table(name, part)
    return str(file if file.suffix == ".parquet" else data.write(folder / f"{name}.csv", data.read(file)))


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    lines, ratios = [], dict[tuple[str, str], float]()
    for case in dict.fromkeys(record["name"] for record in records):
        runs = [record["sets"] for record in records if record["name"] == case]
        plain = _seconds(runs, PLAIN)
        for name in CASES[case]["sets"]:
            spent, last = _seconds(runs, name), runs[-1][name]
            ratios[case, name] = float(np.median(spent / plain))
            passes = f"{last['cost']['forwards']:g} / {last['passes']:.2f}"
            lines.append(
                [f"`{name}`", f"{1e3 * np.median(spent):.1f}", f"{ratios[case, name]:.2f}", passes, str(len(spent))]
            )
    head = ["techniques", "CPU ms a step", "times plain", "forwards a row: announced / counted", "steps"]
    told = "Medians; the ratio is the median of the ratios of two steps on the same rows."
    return "\n\n".join([claims(_kept(ratios)), told, table(head, lines)])


def _seconds(runs: list[dict[str, Any]], name: str) -> np.ndarray:
    return np.concatenate([run[name]["seconds"] for run in runs])


def _kept(ratios: dict[tuple[str, str], float]) -> list[Claim]:
    made = []
    if ("losses", TOGETHER) in ratios:
        least = min(ratios["losses", name] for name in LOSSES)
        ratio = ratios["losses", TOGETHER] / least
        promise = f"four losses together cost at most {SHARED} times the cheapest of them alone"
        made.append(Claim(promise, f"{ratio:.2f}", ratio <= SHARED))
    for name, most in REWARDS.items():
        if ("rewards", name) in ratios:
            found_ratio = ratios["rewards", name]
            made.append(Claim(f"`{name}` costs at most {most} plain steps", f"{found_ratio:.2f}", found_ratio <= most))
    if ("attacks", PLAIN) in ratios:
        found = {steps: ratios["attacks", name] / (steps + 1) for name, steps in ATTACKS.items()}
        measured = ", ".join(f"{share:.2f} for {steps}" for steps, share in found.items())
        promise = f"PGD with k steps costs at most {ATTACKED} (k + 1) plain steps"
        made.append(Claim(promise, f"of k + 1: {measured}", max(found.values()) <= ATTACKED))
    return made


if __name__ == "__main__":
    main()
