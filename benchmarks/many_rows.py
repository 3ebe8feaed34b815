"""More rows than a budget has time to read: a fine-tune that streams them against the probes on the rows that fit.

Both are the default, with and without its streamed fine-tune, at the same budget of CPU seconds, one thread. None of
the sets has 100,000 rows: two large tables are made of the texts of seven sets (`harness/large.py`). In `gaps` (172,692
rows) a frequent word of a text is hidden, and the label says which of sixteen it was; in `origins` (632,021 rows) five
words in a row are shown, and the label says which set they are from. Test rows come from texts that are tested in their
own sets. Memory is that of a streamed run of some hundred steps over 100,000 and over 1,000,000 made-up rows.
"""

from __future__ import annotations

import tempfile
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import memory
from harness import data, large, options
from harness.measure import graft, work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME = "many_rows"
BASES = {"minilm": 1.0, "mpnet": 5.0}
"""By base, how much longer than by `minilm` a row takes."""
BUDGETS = (100, 200)
STREAMED, PROBES = "streamed", "probes on the rows that fit"
ROWS, QUICK_ROWS = (100_000, 1_000_000), (4_000, 20_000)
KEPT, STEPS = 2000, 300
FLAT = 1.5


def main() -> None:
    given = options.parse(__doc__)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        base = Path(folder) / "base"
        words = [*(word for topic in memory.TOPICS for word in memory.own(topic)), *memory.common()]
        work("tiny_base", out=str(base), words=words)
        for rows in QUICK_ROWS if given.quick else ROWS:
            results.measure(f"memory, {rows:,} rows", 0, OURS, partial(held, Path(folder), base, rows))
        for kind, name, seconds in [("gaps", "quick", 25)] if given.quick else cells():
            parts = made(kind, Path(folder), given.quick)
            for streams in (True, False):
                called = f"{kind}, {name}, {seconds} s, {STREAMED if streams else PROBES}"
                settings = {"base": str(base) if given.quick else name, "budget": seconds, "streams": streams}
                for seed in range(given.seeds):
                    results.measure(called, seed, OURS, partial(score, parts, {**settings, "seed": seed}, kind, name))
    print(section(results.records()))


def cells() -> list[tuple[str, str, int]]:
    """Kind, base, CPU seconds: the cheapest first."""
    every = product(large.KINDS, BASES.items(), BUDGETS)
    found = [(kind, base, int(each * slower)) for kind, (base, slower), each in every]
    return sorted(found, key=lambda cell: cell[2])


def made(kind: str, folder: Path, quick: bool) -> dict[str, Path]:
    """The files of a kind; some of their rows in a quick run."""
    parts = large.tables(kind, folder)
    if not quick:
        return parts
    sizes = {"train": 6000, "validation": 200, "test": 200}
    return {part: data.write(folder / f"few-{part}.csv", data.read(parts[part])[:rows]) for part, rows in sizes.items()}


def score(parts: dict[str, Path], settings: dict[str, Any], kind: str, base: str) -> Record:
    """Test accuracy of the default within the budget, and what it kept."""
    found = work("many_rows", **{part: str(path) for part, path in parts.items()}, **settings)
    return {**found, "kind": kind, "base": base, "budget": settings["budget"], "streams": settings["streams"]}


def held(folder: Path, base: Path, rows: int) -> Record:
    """Peak anonymous memory of a streamed run on a table of so many rows, all of which are drawn."""
    file = folder / f"{rows}.csv"
    memory.generate(file, rows)
    settings = [f"rows={int(0.8 * rows)}", f"kept_rows={min(KEPT, rows // 4)}", "valid_rows=500", f"steps={STEPS}"]
    chosen = [text for one in settings for text in ("--set", one)]
    techniques = ["--with", "warm-start", "--with", "partial:blocks=1"]
    out = folder / f"model-{rows}"
    arguments = ["--target", "label", "--base", base, *techniques, *chosen, "--out", out]
    spent = graft("fit", file, *arguments, watch_memory=True)
    return {"memory": spent.memory / 2**20, "total": rows, "cpu": spent.cpu, "wall": spent.wall}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    peaks = {record["total"]: record for record in records if "total" in record}
    scored = [record for record in records if "streams" in record]
    promises = [flat(peaks), *better(scored)]
    runs = [
        [f"{rows:,}", f"{one['memory']:.0f}", f"{one['cpu']:.0f}", f"{one['wall']:.0f}"] for rows, one in peaks.items()
    ]
    pairs = [pair(scored, *cell) for cell in dict.fromkeys(map(cell_of, scored))]
    head = [
        "rows",
        "base",
        "CPU s",
        f"{STREAMED}, %",
        "kept",
        "rows of heads, of steps",
        f"{PROBES}, %",
        "kept",
        "rows",
    ]
    return "\n\n".join(
        [
            claims(promises),
            table(["rows", "peak anonymous memory, MiB", "CPU s", "wall s"], runs),
            "Test accuracy within a budget, what validation kept, and the rows that were read:",
            table(head, pairs),
        ]
    )


def flat(peaks: dict[int, Record]) -> Claim:
    few, many = ROWS
    promise = f"{many:,} rows within {FLAT} times the anonymous memory of {few:,}"
    if few not in peaks or many not in peaks:
        return Claim(promise, "", None)
    ratio = peaks[many]["memory"] / peaks[few]["memory"]
    return Claim(promise, f"{ratio:.2f} times", ratio <= FLAT)


def better(scored: list[Record]) -> list[Claim]:
    """Of the cells in which both are there and rows were streamed, the mean difference in test accuracy."""
    found = []
    for cell in dict.fromkeys(map(cell_of, scored)):
        ours, other = (accuracy(scored, *cell, streams) for streams in (True, False))
        streamed = any(run["kept_rows"] for run in of_cell(scored, *cell, True))
        if ours is not None and other is not None and streamed:
            found.append(100 * (ours - other))
    promise = "streaming gains test accuracy over the probes on the rows that fit, mean over the cells that streamed"
    if not found:
        return [Claim(promise, "", None)]
    told = ", ".join(f"{one:+.1f}" for one in found)
    return [Claim(promise, f"{np.mean(found):+.1f} points ({told})", bool(np.mean(found) > 0))]


def cell_of(record: Record) -> tuple[str, str, int]:
    return record["kind"], record["base"], record["budget"]


def of_cell(scored: list[Record], kind: str, base: str, budget: int, streams: bool) -> list[Record]:
    return [one for one in scored if cell_of(one) == (kind, base, budget) and one["streams"] == streams]


def accuracy(scored: list[Record], kind: str, base: str, budget: int, streams: bool) -> float | None:
    runs = of_cell(scored, kind, base, budget, streams)
    return float(np.mean([one["accuracy"] for one in runs])) if runs else None


def pair(scored: list[Record], kind: str, base: str, budget: int) -> list[str]:
    row = [kind, base, str(budget)]
    for streams in (True, False):
        runs = of_cell(scored, kind, base, budget, streams)
        if not runs:
            row += ["", "", ""]
            continue
        read = runs[0]["rows"]
        if runs[0]["kept_rows"]:
            read = f"{runs[0]['kept_rows']:,}, {min(read, 32 * runs[0]['steps']):,}"
        shown = read if isinstance(read, str) else "all" if read is None else f"{read:,}"
        row += [f"{100 * np.mean([one['accuracy'] for one in runs]):.1f}", runs[0]["kept"], shown]
    return row


if __name__ == "__main__":
    main()
