"""Sounds: environmental sounds (ESC-10), spoken digits and their speakers (FSDD), readers (LibriSpeech, 10 of them),
against YAMNet's embeddings with logistic regression, and a plain PyTorch loop over log-mel.

CPU seconds of a whole process with one thread, from the parquet file to a saved model, decoding and imports included;
the pass over the test sounds is not counted.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness import data, options
from harness.measure import graft, work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, mean_and_spread, table

NAME, SEEDS = "audio", 1
WEIGHTS = "yamnet_mobilenet_v1"
TASKS = {
    "ESC-10": ("esc10", "label", "yamnet", 0.95),
    "FSDD digits": ("fsdd", "label", "mel-cnn", 0.98),
    "FSDD speakers": ("fsdd", "speaker", "mel-cnn", 0.95),
    "LibriSpeech speakers": ("librispeech_10speakers", "speaker", "yamnet", 0.95),
}
"""By task: the set, its target, the base, and the accuracy on test rows that is promised."""
EMBEDDINGS, LOOP = "YAMNet's embeddings + LR", "PyTorch loop"
EPOCHS = 15
"""Of the loop: as many as the base from scratch suggests."""


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    for seed in range(given.seeds):
        for task in TASKS:
            with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
                measure(results, given, task, tables(task, Path(folder) if given.quick else None), seed)
    print(section(results.records()))


def tables(task: str, cut: Path | None) -> dict[str, str]:
    """The files of the three parts; where `cut` names a folder, about 40 rows of each, written there."""
    name, target, *_ = TASKS[task]
    whole = {part: data.table(name, part) for part in ("train", "validation", "test")}
    if cut is None:
        return {part: str(path) for part, path in whole.items()}
    for part, path in whole.items():
        rows = pq.read_table(path)
        order = np.argsort(np.asarray(rows.column(target).to_pylist()), kind="stable")
        pq.write_table(rows.take(pa.array(order[:: max(1, len(order) // 40)])), cut / f"{part}.parquet")
    return {part: str(cut / f"{part}.parquet") for part in whole}


def measure(results: Results, given: Options, task: str, parts: dict[str, str], seed: int) -> None:
    _, target, base, _ = TASKS[task]
    weights = str(data.folder("weights") / WEIGHTS)
    fewer = ("--set", "epochs=1") if given.quick else ()
    one = partial(ours, parts, target, weights if base == "yamnet" else base, fewer, seed)
    results.measure(f"{OURS} ({base}), {task}", seed, OURS, one)
    peer = partial(work, "sound_embeddings", **parts, target=target, weights=weights)
    results.measure(f"{EMBEDDINGS}, {task}", seed, "scikit-learn", peer)
    epochs = 1 if given.quick else EPOCHS
    loop = partial(work, "sound_loop", **parts, target=target, epochs=epochs, seed=seed)
    results.measure(f"{LOOP}, {task}", seed, "torch", loop)


def ours(parts: dict[str, str], target: str, base: str, more: Sequence[str], seed: int) -> Record:
    """`graft fit` with its default techniques, then its saved model on the test rows."""
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        out = Path(folder) / "model"
        fixed = ["--inputs", "audio", "--target", target, "--valid", parts["validation"], "--seed", seed, "--out", out]
        spent = graft("fit", parts["train"], *fixed, "--base", base, *more)
        scores = json.loads(graft("evaluate", out, parts["test"], "--json").output)
    return {"cpu": spent.cpu, "wall": spent.wall, "accuracy": scores["accuracy"]["value"]}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    grouped: dict[str, list[Record]] = {}
    for record in records:
        grouped.setdefault(record["name"], []).append(record)
    if not grouped:
        return "Not measured yet."
    promises = []
    for task, (_, _, base, least) in TASKS.items():
        found = [one["accuracy"] for one in grouped.get(f"{OURS} ({base}), {task}", [])]
        measured = f"{100 * float(np.mean(found)):.1f} %" if found else "not measured"
        met = float(np.mean(found)) >= least if found else None
        promises.append(Claim(f"{task}: at least {100 * least:.0f} % on test rows", measured, met))
    rows = [
        [
            name,
            mean_and_spread([one["accuracy"] for one in found], 100),
            *(mean_and_spread([one[kind] for one in found], digits=0) for kind in ("cpu", "wall")),
            str(len(found)),
        ]
        for name, found in grouped.items()
    ]
    return "\n\n".join([claims(promises), table(["method, set", "test accuracy, %", "CPU s", "wall s", "seeds"], rows)])


if __name__ == "__main__":
    main()
