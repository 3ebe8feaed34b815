"""Memory does not grow with rows: `graft fit --with probe` with a tiny random base on 50,000 and on 1,000,000 rows.

Peak anonymous memory of the process (RssAnon, sampled every 20 ms): what it holds itself, memory-mapped files apart.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from harness import options
from harness.measure import graft, work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME = "memory"
ROWS, QUICK_ROWS = (50_000, 1_000_000), (1_000, 20_000)
TOPICS = ("rivers", "tools", "music", "trade")
OWN, COMMON = 400, 2000
"""Words of each topic, and words of all."""


def main() -> None:
    given = options.parse(__doc__)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        base = Path(folder) / "base"
        work("tiny_base", out=str(base), words=[*(word for topic in TOPICS for word in own(topic)), *common()])
        for seed in range(given.seeds):
            for rows in QUICK_ROWS if given.quick else ROWS:
                results.measure(f"{rows:,} rows", seed, OURS, partial(measure, Path(folder), base, rows, seed))
    print(section(results.records()))


def measure(folder: Path, base: Path, rows: int, seed: int) -> Record:
    table_file, out = folder / f"{rows}.csv", folder / f"model-{rows}-{seed}"
    if not table_file.exists():
        generate(table_file, rows)
    arguments = ["--target", "label", "--base", base, "--with", "probe", "--seed", str(seed), "--out", out]
    spent = graft("fit", table_file, *arguments, watch_memory=True)
    size = table_file.stat().st_size / 2**20
    return {"rows": rows, "memory": spent.memory / 2**20, "file": size, "cpu": spent.cpu, "wall": spent.wall}


def generate(path: Path, rows: int) -> None:
    """Texts of 6 to 14 words; about a third of them are words of the row's topic."""
    draw = np.random.default_rng(0)
    words = {topic: np.array(own(topic)) for topic in TOPICS}
    shared = np.array(common())
    with path.open("w", encoding="utf-8") as file:
        file.write("text,label\n")
        for _ in range(rows):
            topic = TOPICS[draw.integers(len(TOPICS))]
            length = draw.integers(6, 15)
            mine = draw.random(length) < 0.3
            text = np.where(
                mine, words[topic][draw.integers(OWN, size=length)], shared[draw.integers(COMMON, size=length)]
            )
            file.write(f"{' '.join(text)},{topic}\n")


def own(topic: str) -> list[str]:
    return [f"{topic}{index}" for index in range(OWN)]


def common() -> list[str]:
    return [f"word{index}" for index in range(COMMON)]


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    by = {
        rows: [record for record in records if record["rows"] == rows] for rows in sorted({r["rows"] for r in records})
    }
    if len(by) < 2:
        return "Not measured yet."
    peak = {rows: float(np.median([run["memory"] for run in runs])) for rows, runs in by.items()}
    few, many = min(by), max(by)
    ratio = peak[many] / peak[few]
    promise = Claim(
        f"{many:,} rows within 1.5 times the anonymous memory of {few:,}", f"{ratio:.2f} times", ratio <= 1.5
    )
    made = [
        [
            f"{rows:,}",
            f"{runs[0]['file']:.0f}",
            f"{peak[rows]:.0f}",
            f"{np.median([run['cpu'] for run in runs]):.0f}",
            f"{np.median([run['wall'] for run in runs]):.0f}",
        ]
        for rows, runs in by.items()
    ]
    head = ["rows", "csv, MiB", "peak anonymous memory, MiB", "CPU s", "wall s"]
    return "\n\n".join([claims([promise]), table(head, made)])


if __name__ == "__main__":
    main()
