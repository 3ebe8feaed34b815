"""Sounds from pretrained bases: ESC-10, spoken digits and their speakers (FSDD), with Whisper's encoder and with a CNN
from scratch, each beside what the same base gives frozen with logistic regression.

CPU seconds of a whole process with one thread, from the parquet file to a saved model, decoding and imports included;
the pass over the test sounds is not counted. Needs the bases: graft bases get speech whisper-tiny.en.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from audio import TASKS, ours, tables
from harness import options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import mean_and_spread, table

NAME, SEEDS = "sound_bases", 1
SETS = ("ESC-10", "FSDD digits", "FSDD speakers")
BASES, SCRATCH = ("whisper-base", "whisper-tiny.en"), "mel-cnn"
EMBEDDINGS = "embeddings + LR"


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    for seed in range(given.seeds):
        for task in SETS[:1] if given.quick else SETS:
            with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
                measure(results, given, task, tables(task, Path(folder) if given.quick else None), seed)
    print(section(results.records()))


def measure(results: Results, given: Options, task: str, parts: dict[str, str], seed: int) -> None:
    target = TASKS[task][1]
    fewer = ("--set", "epochs=1") if given.quick else ()
    for base in (*BASES[given.quick :], SCRATCH):
        one = partial(ours, parts, target, base, fewer, seed)
        results.measure(f"{OURS} ({base}), {task}", seed, OURS, one)
        if base != SCRATCH:
            peer = partial(work, "sound_base_embeddings", **parts, target=target, base=base)
            results.measure(f"{base}, {EMBEDDINGS}, {task}", seed, "scikit-learn", peer)


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    ours_first = [f"{OURS} ({base})" for base in (*BASES, SCRATCH)] + [f"{base}, {EMBEDDINGS}" for base in BASES]
    rows = []
    for task in SETS:
        for method in ours_first:
            found = [one for one in records if one["name"] == f"{method}, {task}"]
            if found:
                accuracy = mean_and_spread([one["accuracy"] for one in found], 100)
                cpu = f"{float(np.mean([one['cpu'] for one in found])):.0f}"
                rows.append([task, method, accuracy, cpu, str(len(found))])
    return table(["set", "method", "test accuracy, %", "CPU s", "seeds"], rows)


if __name__ == "__main__":
    main()
