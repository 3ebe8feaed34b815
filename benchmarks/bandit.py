"""Policies from logs whose truth is known: labelled sets, of which a skewed policy logged one action a row.

An action is a class, and brings 1 where it is the row's own. The logging policy draws an action at random, by
popularity (some are far more popular), or a guess that is right in six of ten rows; its propensities are logged, or
are not and have to be estimated. The policy is learned on one log of the training rows (MiniLM frozen; of the table
its numbers), by a solved head and `doubly-robust`; then the test rows are logged anew 40 times, and each log's
interval of its value either holds the truth, the share of test rows in which it chooses right, or not. Beside it on
the same base: a classifier of the rewarded rows alone, and one that is told all labels.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, REPEATS, SEEDS = "bandit", 40, 3
SETS = ("banking77", "trec", "digits")
ROWS = {"banking77": 6000, "trec": 4000, "digits": 1200}
"""Training rows that are logged; the digits of scikit-learn, a column a pixel, are cut so."""
OFTEN = 0.9


def main() -> None:
    given = options.parse(__doc__, seeds=SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        for name in SETS[1:2] if given.quick else SETS:
            settings = made(name, Path(folder), quick=given.quick)
            for seed in range(given.seeds):
                for logged in (True, False):
                    one = partial(work, NAME, **settings, seed=seed, propensities=logged)
                    results.measure(cell(name, logged), seed, OURS, one)
    print(section(results.records()))


def cell(name: str, logged: bool) -> str:
    return f"{name}, {'logged' if logged else 'estimated'}"


def made(name: str, folder: Path, *, quick: bool) -> dict[str, object]:
    """The settings of a set, whose tables are written here: the inputs and `label`."""
    parts = digits() if name == "digits" else texts(name)
    most = 300 if quick else ROWS[name]
    files = {
        "train": data.write(folder / f"{name}-train.csv", parts["train"][:most]),
        "test": data.write(folder / f"{name}-test.csv", parts["test"][: 200 if quick else None]),
    }
    base = {"base": "columns", "column": ""} if name == "digits" else {"base": "minilm", "column": "text"}
    return {**{part: str(path) for part, path in files.items()}, **base, "repeats": 3 if quick else REPEATS}


def texts(name: str) -> dict[str, list[data.Row]]:
    found = {part: data.read(data.table(name, part)) for part in ("train", "test")}
    order = np.random.default_rng(0).permutation(len(found["train"]))
    found["train"] = [found["train"][at] for at in order]
    return {part: [{"text": row["text"], "label": row["label"]} for row in rows] for part, rows in found.items()}


def digits() -> dict[str, list[data.Row]]:
    from sklearn.datasets import load_digits

    images, truth = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    rows = [
        {**{f"pixel{at}": f"{value:g}" for at, value in enumerate(images[row])}, "label": f"digit {truth[row]}"}
        for row in order
    ]
    return {"train": rows[: ROWS["digits"]], "test": rows[ROWS["digits"] :]}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    names = [cell(name, logged) for name in SETS for logged in (True, False)]
    found = {name: [record for record in records if record["name"] == name] for name in names}
    found = {name: own for name, own in found.items() if own}
    if not found:
        return "Not measured yet."
    told = (
        "Mean reward in truth, on all test rows: of the policy, of the logged choices, of the best single action, of a "
        "classifier of the rewarded rows alone, and of one that is told all labels; means over the seeds. Held: in how "
        "many logs of the test rows the 95 % interval of the doubly robust value holds the policy's truth; beside it "
        "those by self-normalised and by plain propensities. Width: of the intervals, doubly robust. Effective: rows "
        "that tell of the policy, as a share. Ahead: in how many logs the paired interval of the difference to the "
        "logged policy, and to the best single action, lies above 0. Seconds: CPU of a cell."
    )
    head = ["log", "policy", "logged", "single", "rewarded", "labels", "held", "snips", "ips", "width", "effective"]
    head += ["ahead of logged", "of single", "seconds"]
    return "\n\n".join([claims(kept(found)), told, table(head, [_row(name, own) for name, own in found.items()])])


def kept(found: dict[str, list[Record]]) -> list[Claim]:
    """What was promised, where propensities are logged."""
    logged = {name: own for name, own in found.items() if name.endswith("logged")}
    shares = {name: _share(own, "held", "policy_value") for name, own in logged.items()}
    least = min(shares, key=lambda name: shares[name])
    better = min(
        min(sum(one[key] for one in own) / sum(one["repeats"] for one in own) for own in logged.values())
        for key in ("ahead_of_logged", "ahead_of_constant")
    )
    return [
        Claim(
            "the 95 % interval of the value holds the truth in at least 90 % of the logs, on every set",
            f"in {100 * shares[least]:.0f} % at least ({least})",
            shares[least] >= OFTEN,
        ),
        Claim(
            "the policy is better than the logged one and the best single action, with paired intervals",
            f"shown in {100 * better:.0f} % of the logs at least",
            better >= OFTEN,
        ),
    ]


def _share(own: list[Record], key: str, name: str) -> float:
    return sum(one[key][name] for one in own) / sum(one["repeats"] for one in own)


def _row(name: str, own: list[Record]) -> list[str]:
    repeats = sum(one["repeats"] for one in own)
    means = [
        f"{np.mean([one[key] for one in own]):.3f}" for key in ("policy", "logged", "constant", "clicked", "labelled")
    ]
    held = [
        f"{sum(one['held'][key] for one in own)} of {repeats}" for key in ("policy_value", "snips_value", "ips_value")
    ]
    width = f"{np.mean([one['width']['policy_value'] for one in own]):.3f}"
    effective = f"{100 * np.mean([one['effective'] for one in own]):.0f} %"
    ahead = [f"{sum(one[key] for one in own)} of {repeats}" for key in ("ahead_of_logged", "ahead_of_constant")]
    return [name, *means, *held, width, effective, *ahead, f"{np.mean([one['seconds'] for one in own]):.0f}"]


if __name__ == "__main__":
    main()
