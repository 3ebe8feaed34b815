"""Pretraining on rows without labels before a fit on labelled ones, beside the same fit without it: texts, pictures,
sounds.

Gains are paired by the seed, with 95 % intervals by Student's t over the seeds.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness import data, options
from harness.measure import graft
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.shown import points
from harness.text import mean_and_spread, table

NAME, SEEDS = "pretrain", 3
AS_IT_IS = "as it is"


@dataclass(frozen=True)
class Case:
    """A data set, the base that is pretrained on so many of its rows (None: all), by which objectives and in how many
    steps each, and the fits that are compared: by name, labelled rows a class (None: all), and options."""

    data: str
    base: str
    rows: int | None
    ways: dict[str, int]
    fits: dict[str, tuple[int | None, tuple[str, ...]]]


FEW_AND_ALL = {"8 a class": (8, ()), "all rows, 60 s": (None, ("--budget", "60s"))}
TEN: dict[str, tuple[int | None, tuple[str, ...]]] = {"10 a class": (10, ())}
CASES = (
    Case("banking77", "minilm", None, {"masked-language": 600}, FEW_AND_ALL),
    Case("tweeteval_emotion", "minilm", None, {"masked-language": 600}, FEW_AND_ALL),
    Case("cifar10", "small-cnn", 5000, {"simclr": 500, "masked-image": 1500}, TEN),
    Case("fsdd", "mel-gru", None, {"masked-mel": 1000}, TEN),
)
QUICK = ("--set", "steps=8", "--set", "batch=16")
"""In place of the steps of a case, to see that it works."""
INPUTS = {"cifar10": "image", "fsdd": "audio"}
"""The column that is read, where it is no text."""


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        for seed in range(given.seeds):
            for case in CASES:
                measure_case(given, results, case, seed, Path(folder) / f"{case.data}-{seed}")
    print(section(results.records()))


def measure_case(given: Options, results: Results, case: Case, seed: int, folder: Path) -> None:
    """All cells of a data set with one seed. A base is pretrained where a cell that starts from it is still missing."""
    folder.mkdir()
    tables = Tables(case, given, seed, folder)

    @cache
    def pretrained(way: str) -> tuple[Path, Record]:
        out, steps = folder / way, QUICK if given.quick else ("--set", f"steps={case.ways[way]}")
        arguments = ["--base", case.base, "--objective", way, *steps, "--seed", seed, "--out", out]
        spent = graft("pretrain", tables.corpus(), *arguments)
        scores = json.loads((out / "metrics.json").read_text(encoding="utf-8"))["scores"]["validation"]
        held_out = next(iter(scores.values()))["value"]
        return out, {"pretrain_cpu": spent.cpu, "pretrain_wall": spent.wall, "held_out": held_out}

    for fit_name, (labels, fit_options) in case.fits.items():
        fit_options = ("--with", "full", *QUICK) if given.quick else fit_options
        ways: dict[str, Callable[[], tuple[str, Record]]] = {AS_IT_IS: lambda: (case.base, {})}
        ways |= {way: partial(_named, pretrained, way) for way in case.ways}
        for way, base in ways.items():
            name = f"{case.data}, {fit_name}, {case.base}, {way}"
            results.measure(name, seed, OURS, partial(measure, tables, labels, fit_options, base, seed, folder))


def _named(pretrained: Callable[[str], tuple[Path, Record]], way: str) -> tuple[str, Record]:
    out, spent = pretrained(way)
    return str(out), spent


def measure(
    tables: Tables,
    labels: int | None,
    fit_options: tuple[str, ...],
    base: Callable[[], tuple[str, Record]],
    seed: int,
    folder: Path,
) -> Record:
    """`graft fit` of some labelled rows from a base, then its accuracy on the test rows."""
    named, spent_before = base()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        out = Path(place) / "model"
        arguments = ["--target", "label", "--inputs", tables.column, "--base", named, "--seed", seed, "--out", out]
        spent = graft("fit", tables.labelled(labels), *arguments, *fit_options)
        scores = json.loads(graft("evaluate", out, tables.test(), "--json").output)
    return {"cpu": spent.cpu, "wall": spent.wall, "accuracy": scores["accuracy"]["value"], **spent_before}


@dataclass(frozen=True)
class Tables:
    """The rows of a case with one seed, as files in a folder."""

    case: Case
    given: Options
    seed: int
    folder: Path

    @property
    def column(self) -> str:
        return INPUTS.get(self.case.data, "text")

    def corpus(self) -> Path:
        """The training rows without their labels."""
        rows = self._rows("train")
        most = 120 if self.given.quick else self.case.rows
        picked = rows if most is None else rows.take(self._order(rows)[:most])
        return self._write("corpus", picked.select([self.column]))

    def labelled(self, per_class: int | None) -> Path:
        """So many training rows of each class; all, where None."""
        rows = self._rows("train")
        per_class = 2 if self.given.quick else per_class
        if per_class is None:
            return self._write("all", rows.select([self.column, "label"]))
        labels = np.array([str(label) for label in rows["label"].to_pylist()])
        order = self._order(rows)
        each = [order[labels[order] == label][:per_class] for label in np.unique(labels)]
        return self._write(f"few-{per_class}", rows.take(np.concatenate(each)).select([self.column, "label"]))

    def test(self) -> Path:
        rows = self._rows("test").select([self.column, "label"])
        return self._write("test", rows.slice(0, 60) if self.given.quick else rows)

    def _rows(self, part: str) -> pa.Table:
        file = data.table(self.case.data, part)
        return pq.read_table(file) if file.suffix == ".parquet" else pa.Table.from_pylist(data.read(file))

    def _order(self, rows: pa.Table) -> np.ndarray:
        return np.random.default_rng(self.seed).permutation(len(rows))

    def _write(self, name: str, rows: pa.Table) -> Path:
        path = self.folder / f"{name}.parquet"
        if not path.exists():
            pq.write_table(rows, path)
        return path


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    grouped: dict[str, list[Record]] = {}
    for record in records:
        grouped.setdefault(record["name"], []).append(record)
    made = []
    for name, runs in grouped.items():
        without = {run["seed"]: run["accuracy"] for run in grouped.get(f"{name.rsplit(', ', 1)[0]}, {AS_IT_IS}", [])}
        both = [run for run in runs if run["seed"] in without and not name.endswith(AS_IT_IS)]
        gained = points([without[run["seed"]] for run in both], [run["accuracy"] for run in both]) if both else ""
        columns = [mean_and_spread([run["accuracy"] for run in runs], 100), gained]
        columns += [
            mean_and_spread([run.get(spent, 0.0) for run in runs], digits=0) for spent in ("cpu", "pretrain_cpu")
        ]
        made.append([name, *columns, str(len(runs))])
    head = ["set, labelled rows, base, pretrained", "test accuracy, %", "gain, points", "fit, CPU s",
            "pretraining, CPU s", "seeds"]  # fmt: skip
    return table(head, made)


if __name__ == "__main__":
    main()
