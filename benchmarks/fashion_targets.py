"""Four attributes of a product from its photo, its name and its table: one model for all, against one model each.

The targets are articleType, baseColour, season and usage; subCategory and masterCategory, which give articleType away,
are not read. One model each is measured twice: in processes with a cache of their own, as four people would train them;
and one after another in one process with one cache, so that most of what the base gives is computed once for all of
them. Frozen bases are measured, and bases whose upper blocks are trained too. CPU seconds do not count imports, nor
scoring on the test rows.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

import fashion
from harness import data, options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME = "fashion_targets"
TARGETS = ("articleType", "baseColour", "season", "usage")
TOGETHER, EACH, APART = "one model for all", "one model each, one cache", "one model each, a cache each"
KINDS = {"linear head": ("linear", False), "mlp head": ("mlp", False), "tuned": ("linear", True)}
"""By what is trained: the head, and whether the upper blocks of both bases are trained as well."""
WORSE = 0.01


def main() -> None:
    given = options.parse(__doc__)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        measure(results, given, fashion.files(Path(folder) if given.quick else None))
    print(section(results.records()))


def measure(results: Results, given: Options, parts: dict[str, str]) -> None:
    photo = f"{data.folder('weights') / 'mobilenet_v2_1.0_224'}:size={fashion.SIZE}"
    ways = {TOGETHER: [list(TARGETS)], EACH: [[target] for target in TARGETS]}
    for kind, (head, tuned) in list(KINDS.items())[: 1 if given.quick else None]:
        settings = {**parts, "photo": photo, "head": head, "tuned": tuned}
        for way, groups in ways.items():
            results.measure(f"{way}, {kind}", 0, OURS, partial(work, NAME, **settings, groups=groups))
        if not tuned:
            results.measure(f"{APART}, {kind}", 0, OURS, partial(apart, **settings))


def apart(**settings: str | bool) -> Record:
    """One model each, every one in a process with a fresh cache; CPU seconds are their sum."""
    found = [work(NAME, **settings, groups=[[target]]) for target in TARGETS]
    both = {kind: {t: value for one in found for t, value in one[kind].items()} for kind in ("accuracy", "right")}
    return {"cpu": sum(one["cpu"] for one in found), "wall": sum(one["wall"] for one in found), **both}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    found = {record["name"]: record for record in records}
    ways = {kind: [found.get(f"{way}, {kind}") for way in (TOGETHER, EACH, APART)] for kind in KINDS}
    made = [
        claim for kind, (one, each, alone) in ways.items() if one and each for claim in kept(kind, one, each, alone)
    ]
    if not made:
        return "Not measured yet."
    rows = [[name, *(f"{100 * r['accuracy'][t]:.1f}" for t in TARGETS), f"{r['cpu']:.0f}"] for name, r in found.items()]
    return "\n\n".join([claims(made), table(["model, test accuracy in %", *TARGETS, "CPU s"], rows)])


def kept(kind: str, one: Record, each: Record, alone: Record | None) -> list[Claim]:
    differences, worst = [], 0.0
    for target in TARGETS:
        value, low, high = fashion.paired(_bits(one, target), _bits(each, target))
        differences.append(f"{target} {100 * value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})")
        worst = min(worst, value)
    return [
        Claim(
            f"{kind}: no target worse than with a model of its own by more than 1 point",
            "; ".join(differences),
            worst >= -WORSE,
        ),
        *([_half(kind, "each with a cache of its own", one, alone)] if alone else []),
        _half(kind, "which share one cache", one, each),
    ]


def _half(kind: str, how: str, one: Record, others: Record) -> Claim:
    ratio = one["cpu"] / others["cpu"]
    measured = f"{one['cpu']:.0f} s of {others['cpu']:.0f} s ({100 * ratio:.0f} %)"
    return Claim(f"{kind}: less than half the time of four models {how}", measured, ratio < 0.5)


def _bits(record: Record, target: str) -> np.ndarray:
    return np.array([each == "1" for each in record["right"][target]], float)


if __name__ == "__main__":
    main()
