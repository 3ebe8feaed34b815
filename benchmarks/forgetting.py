"""Forgetting: a model of an old task is tuned for a new one, with each technique against forgetting and without any.

Texts: MiniLM, fine-tuned on 1,500 rows of TREC and then on 1,000 of TweetEval emotion; on 2,000 rows of Banking77 and
then on 1,000 of SST-2. Images: MobileNetV2 at 96 pixels on 2,000 pictures of CIFAR-10, then on 1,000 of PACS. All ways
begin with a solved head and train the whole base with the same rows, learning rate and passes (a probe trains nothing
of it). The old head is scored on test rows of the old task before and after, as `--remember` does; the settings of the
techniques are their defaults, chosen on none of these rows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness import data, options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.shown import Shown, points
from harness.text import mean_and_spread, table

NAME, SEEDS = "forgetting", 3
OLD = "OLD"
"""Stands for the old task's training table in the techniques below."""
WAYS = {
    "nothing": ("warm-start",),
    "probe": ("probe",),
    "lora": ("warm-start", "lora"),
    "l2-sp": ("warm-start", "l2-sp"),
    "wise-ft": ("warm-start", "wise-ft"),
    "replay": ("warm-start", f"replay:table={OLD}"),
    "replay + wise-ft": ("warm-start", "wise-ft", f"replay:table={OLD}"),
}
TRAINING = {"lr": 1e-4, "head_lr": 1e-3, "epochs": 4, "evaluations": 2}
TESTED = 1000
"""Test rows of the old task, at most."""


class Pair(NamedTuple):
    """An old task and a new one: a data set and how many of its training rows, each. column: the input."""

    old: str
    old_rows: int
    new: str
    new_rows: int
    column: str
    base: Callable[[], str]


def _minilm() -> str:
    return "minilm"


def _mobilenet() -> str:
    return f"image-model:path={data.folder('weights') / 'mobilenet_v2_1.0_224'},size=96"


PAIRS = {
    "TREC, then emotion": Pair("trec", 1500, "tweeteval_emotion", 1000, "text", _minilm),
    "Banking77, then SST-2": Pair("banking77", 2000, "sst2", 1000, "text", _minilm),
    "CIFAR-10, then PACS": Pair("cifar10", 2000, "pacs", 1000, "image", _mobilenet),
}


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    for seed in range(given.seeds):
        for name, pair in list(PAIRS.items())[: 1 if given.quick else None]:
            measure(results, given, name, pair, seed)
    print(section(results.records()))


def measure(results: Results, given: Options, name: str, pair: Pair, seed: int) -> None:
    """Each way is a cell; the old model is made anew where one is missing."""
    if all(results.has(f"{name}: {way}", seed, OURS) for way in WAYS):
        return
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as place:
        folder = Path(place)
        tables = {
            f"{which}_{part}": str(_drawn(folder, which, pair, part, seed, given.quick))
            for which in ("old", "new")
            for part in ("train", "validation", "test")
        }
        training = {"steps": 2} if given.quick else TRAINING
        shared = {**tables, "base": pair.base(), "column": pair.column, "old_model": str(folder / "old-model")}
        for way, techniques in WAYS.items():
            listed = [one.replace(OLD, tables["old_train"]) for one in techniques]
            one = partial(work, "forgetting", **shared, techniques=listed, training=training, seed=seed)
            results.measure(f"{name}: {way}", seed, OURS, one)


def _drawn(folder: Path, which: str, pair: Pair, part: str, seed: int, quick: bool) -> Path:
    """A part of the old or the new data set, of training rows a draw by the seed."""
    name, rows = (pair.old, pair.old_rows) if which == "old" else (pair.new, pair.new_rows)
    source = data.table(name, part)
    most = {"train": rows, "validation": 500, "test": TESTED if which == "old" else None}[part]
    if quick:
        most = {"train": 60, "validation": 30, "test": 40}[part]
    to = folder / f"{which}-{part}.{'parquet' if source.suffix == '.parquet' else 'csv'}"
    if source.suffix == ".parquet":
        whole = pq.read_table(source).select([pair.column, "label"])
        pq.write_table(whole.take(pa.array(_picked(len(whole), most, part, seed))), to)
        return to
    every = [{key: row[key] for key in (pair.column, "label")} for row in data.read(source)]
    if quick:  # of every class, so that no held-out row has one that training lacks
        return data.write(to, data.few(every, 8, seed))
    return data.write(to, [every[at] for at in _picked(len(every), most, part, seed)])


def _picked(rows: int, most: int | None, part: str, seed: int) -> list[int]:
    """Held-out rows are the same for all seeds."""
    order: list[int] = np.random.default_rng(seed if part == "train" else 0).permutation(rows)[:most].tolist()
    return order


def by_way(records: list[Record]) -> dict[str, dict[str, list[Record]]]:
    """By pair and way, one record a seed; only the seeds that every way has."""
    found: dict[str, dict[str, list[Record]]] = {}
    for name in PAIRS:
        own = {way: {r["seed"]: r for r in records if r["name"] == f"{name}: {way}"} for way in WAYS}
        seeds = sorted(set.intersection(*(set(of) for of in own.values())))
        if seeds:
            found[name] = {way: [of[seed] for seed in seeds] for way, of in own.items()}
    return found


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    found = by_way(records)
    if not found:
        return "Not measured yet."
    head = ["pair: way", "old task before", "old task after", "minus nothing", "new task", "minus nothing", "CPU s"]
    rows = [_row(name, way, ways) for name, ways in found.items() for way in ways]
    told = (
        "Test accuracy in %, mean and standard deviation of the seeds; differences to the run without any technique in "
        "points, 95 % intervals (Student's t). CPU seconds of the fit on the new task, both scorings included."
    )
    return "\n\n".join([told, table(head, rows)])


def _row(name: str, way: str, ways: dict[str, list[Record]]) -> list[str]:
    def values(of: str, key: str) -> list[float]:
        return [record[key] for record in ways[of]]

    minus = [""] * 2 if way == "nothing" else [points(values("nothing", k), values(way, k)) for k in ("after", "new")]
    scores = [mean_and_spread(values(way, key), 100) for key in ("before", "after", "new")]
    cpu = f"{np.mean(values(way, 'cpu')):.0f}"
    return [f"{name}: {way}", scores[0], scores[1], minus[0], scores[2], minus[1], cpu]


def shown(records: list[Record]) -> list[Shown]:
    """Rows of the table of techniques: what is kept of the old task."""
    rows = []
    for name, ways in by_way(records).items():
        for way in ("l2-sp", "wise-ft", "replay"):
            values: list[list[Any]] = [[record["after"] for record in ways[of]] for of in ("nothing", way)]
            rows.append(Shown(way, f"old task of {name}", "accuracy", *values))
    return rows


if __name__ == "__main__":
    main()
