"""Prediction by two processes against one: rows a second of `graft predict` over 200,000 short texts, and the file.

Both from a saved model and a csv to a csv, each process with one thread, in turns: starting, loading and writing count.
The model is a probe on MiniLM; the texts are the first words of Banking77's, each with a number of its own.
"""

from __future__ import annotations

import hashlib
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from harness import data, options
from harness.measure import graft, work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SEEDS, ROWS, QUICK_ROWS = "predict_workers", 3, 200_000, 20_000
WORDS = 6
"""Of each text, so many are kept."""
LEAST = 1.7
ONE, TWO = "one process", "--workers 2"
CASES: dict[str, tuple[str, ...]] = {ONE: (), TWO: ("--workers", "2")}


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        measure(results, given, Path(folder))
    print(section(results.records()))


def measure(results: Results, given: Options, folder: Path) -> None:
    """Seeds are repetitions here: the model and the rows are the same, and the two ways take turns."""
    if all(results.has(name, seed, OURS) for name in CASES for seed in range(given.seeds)):
        return
    parts = data.tables("banking77", folder if given.quick else None)
    base = tiny(folder, parts["train"]) if given.quick else "minilm"
    graft("fit", parts["train"], "--target", "label", "--base", base, "--with", "probe", "--out", folder / "model")
    rows = texts(parts["test"], folder / "rows.csv", QUICK_ROWS if given.quick else ROWS)
    for seed in range(given.seeds):
        for name in CASES:
            results.measure(name, seed, OURS, partial(predicted, folder, rows, name))


def tiny(folder: Path, train: Path) -> str:
    """A base of two small layers, for quick runs."""
    words = sorted({word for row in data.read(train) for word in row["text"].split()})
    work("tiny_base", out=str(folder / "base"), words=words)
    return str(folder / "base")


def texts(source: Path, path: Path, count: int) -> Path:
    found = [" ".join(row["text"].split()[:WORDS]) for row in data.read(source)]
    return data.write(path, [{"text": f"{found[at % len(found)]} {at}"} for at in range(count)])


def predicted(folder: Path, rows: Path, name: str) -> Record:
    out = folder / "out.csv"
    spent = graft("predict", folder / "model", rows, "--out", out, *CASES[name])
    with out.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        count = sum(1 for _ in file) - 1
    return {"wall": spent.wall, "cpu": spent.cpu, "rows": count, "file": content}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    by = {name: [record for record in records if record["name"] == name] for name in CASES}
    if not all(by.values()):
        return "Not measured yet."
    speed = {name: float(np.median([r["rows"] / r["wall"] for r in of])) for name, of in by.items()}
    ratio = speed[TWO] / speed[ONE]
    same = len({record["file"] for of in by.values() for record in of}) == 1
    promises = [
        Claim(
            f"two workers: at least {LEAST} times the rows a second of one process",
            f"{ratio:.2f} times",
            ratio >= LEAST,
        ),
        Claim("the same file, byte for byte", "the same" if same else "another", same),
    ]
    made = [
        [
            name,
            f"{speed[name]:.0f}",
            f"{np.median([r['wall'] for r in of]):.0f}",
            f"{np.median([r['cpu'] for r in of]):.0f}",
        ]
        for name, of in by.items()
    ]
    told = f"{by[ONE][0]['rows']:,} rows, each process with one thread; median of {len(by[ONE])} repetitions, in turns."
    return "\n\n".join([claims(promises), told, table(["", "rows a second", "wall s", "CPU s"], made)])


if __name__ == "__main__":
    main()
