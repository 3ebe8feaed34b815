"""On a busy machine of two cores: CPU seconds beside other processes, and whether a budget is kept.

0, 2 and 4 other processes compute all the while. Here the methods choose their threads themselves. CPU and wall seconds
are those of the whole process, imports included; those of the Trainer leave out its scoring. A budget is kept where the
command ends within 1.15 times of it, or refuses within 10 seconds and names the least budget that does.
"""

from __future__ import annotations

import importlib.util
import json
import re
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from harness import data, options
from harness.measure import GRAFT, run, work
from harness.options import OURS, Options
from harness.others import others
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS = "busy", 1
SET = "banking77"
LOADS = (0, 2, 4)
PER_CLASS = 26
"""Rows a class that all methods learn from, about 2,000: the peers take minutes on more of them beside others."""
BUDGETS = (30, 60, 120)
LARGE, LARGE_BUDGET = "random base of 110 M parameters", 60
BASE = {"layers": 12, "width": 768, "heads": 12}
QUICK_BASE = {"layers": 2, "width": 32, "heads": 2}
KEPT, REFUSED = 1.15, 10.0
MORE_CPU = 1.3
PROBE, DEFAULT = "probe", "default"
TRAINER, EMBEDDINGS = "Trainer, 3 epochs", "embeddings + LR"
PEERS = {
    TRAINER: ("transformers", "accelerate", "trainer", {"lr": 1e-4}),
    EMBEDDINGS: ("sentence-transformers", "sentence_transformers", "embeddings", {"share": 1.0, "strengths": [16.0]}),
}
"""By name: the package, the module that it needs, the worker and its settings."""


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    loads = (0, 1) if given.quick else LOADS
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        parts = data.tables(SET, Path(folder) if given.quick else None)
        few = parts if given.quick else cut(parts, Path(folder))
        for load in loads:
            for name, package, measurement in cells(given, parts, few, Path(folder)):
                results.measure(called(name, load), 0, package, partial(beside, load, measurement))
    print(section(results.records()))


def cut(parts: dict[str, Path], folder: Path) -> dict[str, Path]:
    """A few rows of each class to learn from."""
    return {**parts, "train": data.write(folder / "few.csv", data.few(data.read(parts["train"]), PER_CLASS, 0))}


def cells(
    given: Options, parts: dict[str, Path], few: dict[str, Path], folder: Path
) -> list[tuple[str, str, Callable[[], Record]]]:
    """What is measured at each load, the project's in between the peers'."""
    ours: list[tuple[str, str, Callable[[], Record]]] = [
        (PROBE, OURS, partial(fit, few, ["--with", "probe"])),
        (DEFAULT, OURS, partial(fit, few, [])),
    ]
    peers: list[tuple[str, str, Callable[[], Record]]] = []
    for name, (package, module, worker, settings) in PEERS.items():
        if importlib.util.find_spec(module):
            shared = {part: str(path) for part, path in few.items()} | {"base": data.base_folder(), "seed": 0}
            peers.append((name, package, partial(peer, worker, {**shared, **settings})))
    mixed = [one for pair in zip(ours, peers, strict=False) for one in pair] + ours[len(peers) :]
    budgets = (30,) if given.quick else BUDGETS
    mixed += [(f"budget {seconds}s", OURS, partial(budget, parts, seconds, [])) for seconds in budgets]
    large = partial(budget_of_large, parts, given, folder)
    return [*mixed, (f"budget {LARGE_BUDGET}s, {LARGE}", OURS, large)]


def called(name: str, load: int) -> str:
    return f"{name}, {load} others"


def beside(load: int, measurement: Callable[[], Record]) -> Record:
    """The measurement while so many other processes compute."""
    with others(load):
        return {**measurement(), "others": load}


def fit(parts: dict[str, Path], arguments: list[str]) -> Record:
    """`graft fit` from csv files to a saved model and its report, test rows scored."""
    spent, metrics = graft(parts, arguments)
    return {"cpu": spent["cpu"], "wall": spent["wall"], "accuracy": metrics["scores"]["test"]["accuracy"]["value"]}


def peer(worker: str, settings: dict[str, Any]) -> Record:
    found = work(worker, own_threads=True, **settings)
    return {name: found[name] for name in ("cpu", "wall", "accuracy")}


def budget(parts: dict[str, Path], seconds: int, arguments: list[str]) -> Record:
    """`graft fit --budget`, and whether that was kept."""
    spent, metrics = graft(parts, ["--budget", f"{seconds}s", *arguments])
    named = re.search(r"Give --budget (\S+) or more", spent["told"])
    refused = metrics is None
    kept = spent["wall"] <= KEPT * seconds if not refused else bool(named) and spent["wall"] <= REFUSED
    rows = None if refused else metrics["rows_used"]["train"]
    return {
        "cpu": spent["cpu"],
        "wall": spent["wall"],
        "budget": seconds,
        "kept": kept,
        "refused": named[1] if refused and named else None,
        "accuracy": None if refused else metrics["scores"]["test"]["accuracy"]["value"],
        "rows": None if rows is None else rows["used"] / rows["total"],
    }


def budget_of_large(parts: dict[str, Path], given: Options, folder: Path) -> Record:
    """The same with a base whose every row takes long. Its weights are random: only the time is of interest."""
    out = folder / "large"
    if not out.is_dir():
        size = QUICK_BASE if given.quick else BASE
        work("random_base", out=str(out), tokenizer=data.base_folder(), **size)
    return budget(parts, LARGE_BUDGET, ["--base", str(out)])


def graft(parts: dict[str, Path], arguments: list[str]) -> tuple[dict[str, Any], Any]:
    """What a fit cost and said, and its metrics; None in their place where it was refused."""
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        out = Path(folder) / "model"
        tables = ["--target", "label", "--valid", parts["validation"], "--test", parts["test"]]
        command = [GRAFT, "fit", parts["train"], *tables, *arguments, "--out", out]
        spent = run(command, own_threads=True, codes=(0, 2) if "--budget" in arguments else (0,))
        done = spent.code == 0
        metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8")) if done else None
    return {"cpu": spent.cpu, "wall": spent.wall, "told": spent.told}, metrics


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    found = {record["name"]: record for record in records}
    loads = sorted({record["others"] for record in records})
    names = list(dict.fromkeys(record["name"].rpartition(", ")[0] for record in records))
    methods = [name for name in names if not name.startswith("budget")]
    budgets = [name for name in names if name.startswith("budget")]
    promises = [cpu_claim(found, name) for name in (PROBE, DEFAULT)] + [budget_claim(found, budgets)]
    costs = [[name, *(cost(found.get(called(name, load))) for load in loads)] for name in methods]
    kept = [[name, *(outcome(found.get(called(name, load))) for load in loads)] for name in budgets]
    head = [f"{load} others" for load in loads]
    return "\n\n".join(
        [
            claims(promises),
            "CPU seconds and, behind them, wall seconds; test accuracy in %:",
            table(["method", *head], costs),
            "Wall seconds of a call with a budget, the rows that it used, test accuracy in %:",
            table(["call", *head], kept),
        ]
    )


def cpu_claim(found: dict[str, Record], name: str) -> Claim:
    promise = f"{name}: with 2 others at most {MORE_CPU} times the CPU seconds of the quiet run"
    quiet, busy = (found.get(called(name, load)) for load in (0, 2))
    if quiet is None or busy is None:
        return Claim(promise, "", None)
    ratio = busy["cpu"] / quiet["cpu"]
    return Claim(promise, f"{busy['cpu']:.0f} s for {quiet['cpu']:.0f} s: {ratio:.2f} times", ratio <= MORE_CPU)


def budget_claim(found: dict[str, Record], budgets: list[str]) -> Claim:
    records = [record for name, record in found.items() if name.rpartition(", ")[0] in budgets]
    late = [f"{record['name']}: {record['wall']:.0f} s" for record in records if not record["kept"]]
    measured = f"{len(records) - len(late)} of {len(records)}" + (f"; not {'; '.join(late)}" if late else "")
    promise = f"every budget kept within {KEPT} times, or refused within {REFUSED:.0f} s with the least that is enough"
    return Claim(promise, measured, not late if records else None)


def cost(record: Record | None) -> str:
    return "" if record is None else f"{record['cpu']:.0f}, {record['wall']:.0f}; {100 * record['accuracy']:.1f}"


def outcome(record: Record | None) -> str:
    if record is None:
        return ""
    late = "" if record["kept"] else " **late**"
    if record["accuracy"] is None:
        return f"refused in {record['wall']:.0f} s, needs {record['refused']}{late}"
    return f"{record['wall']:.0f}{late}; {100 * record['rows']:.0f} % of the rows; {100 * record['accuracy']:.1f}"


if __name__ == "__main__":
    main()
