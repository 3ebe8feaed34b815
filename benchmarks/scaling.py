"""What grows how with workers, on paper: from one step, one load and one prediction as they are measured here.

A data-parallel step: `t(N) = rows * s / N + 2 (N - 1) / N * bytes / bandwidth + 2 (N - 1) * latency`, with s the
seconds that a row of a step takes one worker and bytes those of all gradients in fp32, summed by a ring (Patarasuk &
Yuan 2009). A prediction: `t(N) = load + rows * (serial + p / N)`, with p the seconds that a row takes a worker, serial
those that the driver takes to read and write it. Efficiency is t(1) / (N t(N)). What is measured are CPU seconds of one
thread, so that other work on the machine does not count; networks are on paper. Prints the tables of docs/clusters.md.
"""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path

from harness import data, options
from harness.measure import graft
from harness.options import OURS
from harness.results import Record, Results
from harness.text import table
from predict_workers import texts, tiny

NAME, BATCH = "scaling", 64
WORKERS = (2, 8, 64)
STEPS, QUICK_STEPS = (4, 16), (2, 6)
ROWS, QUICK_ROWS = (200, 6200), (200, 1200)
TECHNIQUES = {"all of it": "none", "LoRA": "lora"}
NETWORKS = {"1 Gbit/s": (125e6, 1e-4), "10 Gbit/s": (1.25e9, 5e-5), "100 Gbit/s": (12.5e9, 1e-5)}
"""Bytes a second, and seconds of one message."""
DEVICES = {"one core each, 64 rows": (1, BATCH), "1,000 times as quick, 4,096 rows": (1000, 4096)}
"""How much quicker than the one core that was measured, on paper, and rows of a step."""
SIZES = {"": 1.0, "five times the size": 5.0}
"""By what a model larger than MiniLM costs a row, and has gradients, in proportion."""
PREDICTED = 1_000_000
"""Rows of the prediction on paper."""


def main() -> None:
    given = options.parse(__doc__)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as name:
        folder = Path(name)
        parts = data.tables("banking77", folder if given.quick else None)
        base = tiny(folder, parts["train"]) if given.quick else "minilm"
        for called, technique in TECHNIQUES.items():
            results.measure(called, 0, OURS, partial(step, folder, parts["train"], base, technique, given.quick))
        results.measure("predict", 0, OURS, partial(prediction, folder, parts, base, given.quick))
    print(section(results.records()))


def step(folder: Path, train: Path, base: str, technique: str, quick: bool) -> Record:
    """CPU seconds of a row of a step, of two fits that differ in their steps alone; and how much is trained."""
    few, many = QUICK_STEPS if quick else STEPS
    settings = [word for one in (f"batch={BATCH}", "evaluations=1", "precision=fp32") for word in ("--set", one)]
    cpu = {}
    for steps in (few, many):
        out = folder / f"{technique}-{steps}"
        told = ("--target", "label", "--base", base, "--with", technique, "--set", f"steps={steps}", "--out", out)
        cpu[steps] = graft("fit", train, *told, *settings).cpu
    trained = json.loads((folder / f"{technique}-{few}" / "metrics.json").read_text(encoding="utf-8"))
    return {"row": (cpu[many] - cpu[few]) / (many - few) / BATCH, "trained": trained_in(trained)}


def trained_in(metrics: Record) -> int:
    """Parameters that were trained, as the run says."""
    return int(metrics["parameters"]["trained"])


def prediction(folder: Path, parts: dict[str, Path], base: str, quick: bool) -> Record:
    """CPU seconds of starting and loading, and of a row; of that, what reading and writing take."""
    model = folder / "probe"
    graft("fit", parts["train"], "--target", "label", "--base", base, "--with", "probe", "--out", model)
    few, many = QUICK_ROWS if quick else ROWS
    cpu = {}
    for count in (few, many):
        rows = texts(parts["test"], folder / f"{count}.csv", count)
        cpu[count] = graft("predict", model, rows, "--out", folder / "out.csv").cpu
    row = (cpu[many] - cpu[few]) / (many - few)
    return {"load": cpu[few] - few * row, "row": row, "serial": serial(folder / f"{many}.csv", many)}


def serial(rows: Path, count: int) -> float:
    """CPU seconds that a row takes to be read and written, without a model."""
    import time

    import pyarrow.csv

    from graftwork.data.read.source import read

    began = time.process_time()
    found, _ = read(rows)
    pyarrow.csv.write_csv(found, rows.with_suffix(".written"))
    return (time.process_time() - began) / count


def step_seconds(workers: int, row: float, size: float, bandwidth: float, latency: float, batch: int = BATCH) -> float:
    """A data-parallel step. row: seconds of a row; size: bytes of the gradients.

    >>> step_seconds(1, 0.5, 1e9, 1e9, 0.25, batch=4), step_seconds(2, 0.5, 1e9, 1e9, 0.25, batch=4)
    (2.0, 2.5)
    """
    ring = 2 * (workers - 1) / workers * size / bandwidth + 2 * (workers - 1) * latency
    return batch * row / workers + ring


def efficiency(alone: float, together: float, workers: int) -> float:
    """What of the time of all workers goes into the work: 1 where N workers take an N-th of the time."""
    return alone / (workers * together)


def section(records: list[Record]) -> str:
    """The tables."""
    by = {record["name"]: record for record in records}
    if not {*TECHNIQUES, "predict"} <= by.keys():
        return "Not measured yet."
    made = []
    for called in TECHNIQUES:
        for size, times in SIZES.items():
            for device, (quicker, batch) in DEVICES.items():
                row, bytes_ = by[called]["row"] * times / quicker, 4 * by[called]["trained"] * times
                name = f"{called}{f', {size}' if size else ''} ({bytes_ / 4e6:.1f} M trained), {device}"
                made.append([name, *(cell(row, bytes_, *network, batch) for network in NETWORKS.values())])
    told = by["predict"]
    alone = told["load"] + PREDICTED * told["row"]
    shared = [
        f"{100 * efficiency(alone, told['load'] + PREDICTED * shared_row(told, workers), workers):.0f}"
        for workers in WORKERS
    ]
    measured = ", ".join(f"{called} {1e3 * by[called]['row']:.1f} ms" for called in TECHNIQUES)
    return "\n\n".join(
        [
            f"Measured, in CPU seconds of one thread: a row of a step of MiniLM {measured}; a prediction loads in "
            f"{told['load']:.1f} s and takes {1e3 * told['row']:.2f} ms a row, {1e6 * told['serial']:.0f} µs of it to "
            "read and write.",
            table(["a step; % at 2, 8, 64 workers", *NETWORKS], made),
            table(
                ["a prediction; % at", *(f"{n} workers" for n in WORKERS)],
                [[f"{PREDICTED:,} short texts, one core each", *shared]],
            ),
        ]
    )


def shared_row(told: Record, workers: int) -> float:
    """Seconds of a row of a prediction by so many workers."""
    return float(told["serial"] + (told["row"] - told["serial"]) / workers)


def cell(row: float, size: float, bandwidth: float, latency: float, batch: int) -> str:
    alone = step_seconds(1, row, size, bandwidth, latency, batch)
    found = [efficiency(alone, step_seconds(n, row, size, bandwidth, latency, batch), n) for n in WORKERS]
    return ", ".join(f"{100 * each:.0f}" for each in found)


if __name__ == "__main__":
    main()
