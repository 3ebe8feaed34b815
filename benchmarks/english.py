"""Four sets of English texts, MiniLM within 60 seconds and MPNet within 5 minutes, each beside embeddings of the same
base + logistic regression. Budgets are CPU seconds a thread; MPNet has two threads."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from graftwork.bases.home import need
from harness import data, options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, mean_and_spread, table

NAME, SEEDS = "english", 3
SETS = ("trec", "banking77", "sst2", "tweeteval_emotion")
EMBEDDINGS = "embeddings + LR"
STRENGTHS = (1.0, 4.0, 16.0, 64.0)


@dataclass(frozen=True)
class Cell:
    """A base, its budget in seconds, its threads, and how many seeds it is run with: what lasts longer has one."""

    base: str
    budget: float
    threads: int
    seeds: int


CELLS = (Cell("minilm", 60, 1, 3), Cell("mpnet", 300, 2, 1))
LEAST = {("mpnet", "banking77"): 0.94, ("mpnet", "sst2"): 0.91}


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        for name in SETS[:1] if given.quick else SETS:
            parts = data.tables(name, Path(folder) if given.quick else None)
            for cell in CELLS[:1] if given.quick else CELLS:
                for seed in range(min(given.seeds, cell.seeds)):
                    measure(results, given, name, parts, cell, seed)
    print(section(results.records()))


def measure(results: Results, given: Options, name: str, parts: Mapping[str, Path], cell: Cell, seed: int) -> None:
    """The project, then its peer, which nothing is drawn for: once is enough."""
    files = {part: str(path) for part, path in parts.items()}
    budget = None if given.quick else cell.budget
    ours = partial(
        work,
        "budgeted",
        **files,
        target="label",
        inputs=["text"],
        base=cell.base,
        budget=budget,
        seed=seed,
        threads=cell.threads,
        own_threads=cell.threads > 1,
    )
    results.measure(f"{name}, {cell.base}, {OURS}", seed, OURS, ours)
    if seed == 0:
        folder = data.base_folder() if cell.base == "minilm" else str(need(cell.base))
        peer = partial(work, "embeddings", **files, base=folder, seed=seed, share=1.0, strengths=list(STRENGTHS))
        results.measure(f"{name}, {cell.base}, {EMBEDDINGS}", seed, "sentence-transformers", peer)


def section(records: Sequence[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    found: dict[tuple[str, str, str], list[Record]] = {}
    for record in records:
        name, base, method = record["name"].split(", ")
        found.setdefault((name, base, method), []).append(record)
    if not found:
        return "Not measured yet."
    rows = [[name, base, method, *_cells(made)] for (name, base, method), made in found.items()]
    head = ["set", "base", "method", "test accuracy, %", "macro-F1, %", "CPU s", "kept", "seeds"]
    return f"{claims(kept(found))}\n\n{table(head, rows)}"


def kept(found: Mapping[tuple[str, str, str], Sequence[Record]]) -> list[Claim]:
    """What is promised of some sets, and that the default is not below its peer."""
    made = []
    for (base, name), least in LEAST.items():
        runs = found.get((name, base, OURS), [])
        score = _mean(runs)
        measured = "not measured" if score is None else f"{100 * score:.1f} %"
        made.append(
            Claim(
                f"{name} with {base}: at least {100 * least:.1f} %", measured, None if score is None else score >= least
            )
        )
    pairs = [
        (f"{name} with {base}", _mean(runs), _mean(found.get((name, base, EMBEDDINGS), [])))
        for (name, base, method), runs in found.items()
        if method == OURS
    ]
    held = [(what, ours < peer) for what, ours, peer in pairs if ours is not None and peer is not None]
    below = [what for what, less in held if less]
    measured = f"below on {', '.join(below) or 'none'} of {len(held)}"
    made.append(Claim("on each set and base at least embeddings + LR", measured, not below if held else None))
    return made


def _mean(records: Sequence[Record]) -> float | None:
    scores = [_accuracy(record) for record in records]
    return sum(scores) / len(scores) if scores else None


def _accuracy(record: Record) -> float:
    return float(record["scores"]["accuracy"] if "scores" in record else record["accuracy"])


def _cells(records: Sequence[Record]) -> list[str]:
    f1 = [record["scores"]["macro_f1"] for record in records if "scores" in record]
    return [
        mean_and_spread([_accuracy(record) for record in records], 100),
        mean_and_spread(f1, 100) if f1 else "",
        mean_and_spread([record["cpu"] for record in records], digits=0),
        ", ".join(sorted({record["kept"] for record in records if "kept" in record})),
        str(len(records)),
    ]


if __name__ == "__main__":
    main()
