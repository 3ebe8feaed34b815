"""Accuracy over CPU time on Banking77: the default against embeddings + logistic regression, Trainer, and SetFit.

CPU seconds of a whole process, from csv files to a saved model, imports included; scoring on test rows is not counted.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from harness import data, options
from harness.figure import Curve, draw
from harness.measure import BENCHMARKS, graft, work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, mean_and_spread, table

NAME, SEEDS = "banking77", 3
FIGURE = BENCHMARKS.parent / "docs" / "images" / "banking77.svg"
BUDGETS = ("15s", "20s", "30s", "60s", "180s")
SHARES = (0.1, 0.25, 0.5, 1.0)
RATES = (5e-5, 1e-4, 3e-4)
EACH_SEED = ("30s", "60s")
"""Budgets that are run with every seed, the others with the first."""
SETFIT_STEPS = (40,)
"""1,100 steps of 16 pairs would be one iteration: each row in one pair of its class and in one of two classes."""
EMBEDDINGS, CHOSEN, TRAINER, SETFIT = "embeddings + LR", "embeddings + LR, C chosen", "Trainer", "SetFit"


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        parts = data.tables(NAME, Path(folder) if given.quick else None)
        for seed in range(given.seeds):
            measure(results, given, parts, seed)
    print(section(results.records(), None if given.quick else FIGURE))


def measure(results: Results, given: Options, parts: dict[str, Path], seed: int) -> None:
    """All methods with one seed, the project's in between the peers'."""
    files = {name: str(path) for name, path in parts.items()}
    shared = {**files, "base": data.base_folder(), "seed": seed}
    peers = []
    for share in SHARES if seed == 0 and not given.quick else SHARES[-1:]:
        one = partial(work, "embeddings", **shared, share=share, strengths=[16.0])
        peers.append((f"{EMBEDDINGS}, {100 * share:.0f} % of the rows", "sentence-transformers", one))
    if seed == 0:  # the slow peers once, for time; their spread over seeds is not measured
        several = partial(work, "embeddings", **shared, share=1.0, strengths=[1.0, 4.0, 16.0, 64.0])
        peers.append((CHOSEN, "sentence-transformers", several))
        for rate in RATES[-1:] if given.quick else RATES:
            peers.append((f"{TRAINER}, lr {rate:.0e}", "transformers", partial(work, "trainer", **shared, lr=rate)))
        for steps in (3,) if given.quick else SETFIT_STEPS:
            peers.append((f"{SETFIT}, {steps} steps", "setfit", partial(work, "setfit_full", **shared, steps=steps)))
    ours = [
        (f"{OURS}, budget {budget}", OURS, partial(default, parts, budget, seed))
        for budget in (("20s", "none") if given.quick else BUDGETS if seed == 0 else EACH_SEED)
    ]
    for pair in range(max(len(ours), len(peers))):
        for name, package, measurement in (*ours[pair : pair + 1], *peers[pair : pair + 1]):
            results.measure(name, seed, package, measurement)


def default(parts: dict[str, Path], budget: str, seed: int) -> Record:
    """`graft fit` without any choice, within a budget; then its saved model on the test rows."""
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        out = Path(folder) / "model"
        limit = [] if budget == "none" else ["--budget", budget]
        arguments = ["--target", "label", "--valid", parts["validation"], "--seed", str(seed), *limit, "--out", out]
        spent = graft("fit", parts["train"], *arguments)
        scores = json.loads(graft("evaluate", out, parts["test"], "--json").output)
        metrics = json.loads((out / "metrics.json").read_text(encoding="utf-8"))
    return {
        "cpu": spent.cpu,
        "wall": spent.wall,
        "accuracy": scores["accuracy"]["value"],
        "candidates": metrics["candidates"],
    }


def section(records: list[Record], figure: Path | None) -> str:
    """This benchmark's part of docs/benchmarks.md; with `figure`, the figure is drawn there too."""
    ours, peers = curves(records)
    if not ours.points:
        return "Not measured yet."
    best = [curve for curve in peers if not curve.label.startswith(TRAINER)] + best_trainer(records, peers)
    parts = [claims(kept(ours, best))]
    if figure is not None:
        draw([ours, *best], figure)
        parts.append(f"![Test accuracy over CPU seconds](images/{figure.name})")
    parts.append(table(["method", "test accuracy, %", "CPU s", "wall s", "seeds"], rows(records)))
    parts.append(candidates(records))
    return "\n\n".join(part for part in parts if part)


def curves(records: list[Record]) -> tuple[Curve, list[Curve]]:
    """The project's curve, and one a peer: means over the seeds, by CPU seconds."""
    grouped: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for record in records:
        label, _, setting = record["name"].partition(", ")
        if label == TRAINER:
            label, setting = record["name"], "epoch"
        for point in record.get("points", [record]):
            at = f"{setting} {point.get('epoch', '')}"
            grouped.setdefault(label, {}).setdefault(at, []).append((point["cpu"], point["accuracy"]))
    made = {
        label: Curve(label, tuple(sorted(tuple(np.mean(points, axis=0).tolist()) for points in settings.values())))
        for label, settings in grouped.items()
    }
    ours = made.pop(OURS, Curve(OURS, ()))
    return ours, list(made.values())


def best_trainer(records: list[Record], peers: list[Curve]) -> list[Curve]:
    """The Trainer's curve of the learning rate with the best validation accuracy in the end, mean over the seeds."""
    runs = [record for record in records if record["name"].startswith(TRAINER)]
    if not runs:
        return []
    names = {record["name"] for record in runs}
    held = {name: np.mean([r["validation"] for r in runs if r["name"] == name]) for name in names}
    return [curve for curve in peers if curve.label == max(names, key=lambda name: held[name])]


def kept(ours: Curve, peers: Sequence[Curve]) -> list[Claim]:
    def within(seconds: float, least: float) -> Claim:
        reached = [(accuracy, cpu) for cpu, accuracy in ours.points if cpu <= seconds]
        promise = f"at least {100 * least:.1f} % within {seconds:.0f} CPU seconds, mean of the seeds"
        if not reached:
            return Claim(promise, "no model by then", False)
        accuracy, cpu = max(reached)
        return Claim(promise, f"{100 * accuracy:.2f} % in {cpu:.0f} s", accuracy >= least)

    points = [(peer.label, cpu, accuracy) for peer in peers for cpu, accuracy in peer.points]
    above = [f"{label} {100 * a:.1f} % at {cpu:.0f} s" for label, cpu, a in points if ours.at(cpu) < a]
    measured = f"{len(points) - len(above)} of {len(points)} points of the peers lie below it"
    measured += f"; not {'; '.join(above)}" if above else ""
    return [
        within(60, 0.928),
        within(180, 0.936),
        Claim(
            "the whole curve lies above the peers' (between its models on a straight line over log time)",
            measured,
            not above,
        ),
    ]


def rows(records: list[Record]) -> list[list[str]]:
    """One row a method and setting, mean and spread over the seeds; the project's first, then by method and cost."""
    grouped: dict[str, list[Record]] = {}
    for record in records:
        for point in record.get("points", [record]):
            epoch = f", epoch {point['epoch']}" if "epoch" in point else ""
            grouped.setdefault(record["name"] + epoch, []).append(point)

    def place(name: str) -> tuple[bool, str, float]:
        return not name.startswith(OURS), name.split(",")[0], float(np.mean([point["cpu"] for point in grouped[name]]))

    return [[name, *_row(grouped[name])] for name in sorted(grouped, key=place)]


def _row(points: list[Record]) -> list[str]:
    accuracy = mean_and_spread([point["accuracy"] for point in points], 100)
    seconds = [mean_and_spread([point[kind] for point in points], digits=0) for kind in ("cpu", "wall")]
    return [accuracy, *seconds, str(len(points))]


def candidates(records: list[Record]) -> str:
    """What the unlimited run tried on its way, with the scores on validation rows."""
    runs = [record for record in records if record["name"] == f"{OURS}, budget none"]
    if not runs:
        return ""
    made = [
        [
            f"{record['seed']}",
            each["name"],
            f"{100 * each['score']:.2f}",
            f"{each['cpu_seconds']:.0f}",
            "kept" if each["kept"] else "",
        ]
        for record in runs
        for each in record["candidates"]
    ]
    head = table(["seed", "model", "validation, %", "CPU s of this model", ""], made)
    return f"The models that a run without budget made on its way:\n\n{head}"


if __name__ == "__main__":
    main()
