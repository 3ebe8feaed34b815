"""Whether promises are kept on real tables: prediction sets (split conformal), and abstention (SGR).

A solved head on a frozen base (MiniLM; of pictures MobileNetV2), trained on the official training rows, of which it
holds some out for what it chooses. The official validation and test rows, which it has not seen, are pooled, and split
at random into halves 100 times: one calibrates, the other is tested. Beside it the official split as it comes:
validation rows calibrate, test rows are tested. Sets by class where a class has 100 calibration rows.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from harness import data, options
from harness.measure import work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, SPLITS = "coverage", 100
TEXTS = ("trec", "banking77", "sst2", "tweeteval_emotion")
IMAGES = ("pacs",)
NEAR, OFTEN = 0.01, 95


def main() -> None:
    given = options.parse(__doc__)
    results = Results(NAME, given)
    for name in TEXTS[:1] if given.quick else (*TEXTS, *IMAGES):
        with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
            settings = made(name, Path(folder) if given.quick else None)
            results.measure(name, 0, OURS, partial(work, NAME, splits=3 if given.quick else SPLITS, **settings))
    print(section(results.records()))


def made(name: str, cut: Path | None) -> dict[str, str]:
    """The settings of a set. cut: a folder for a few rows of each table, for a quick run."""
    if name in IMAGES:
        tables = {part: str(data.table(name, part)) for part in ("train", "validation", "test")}
        base = f"image-model:path={data.folder('weights') / 'mobilenet_v2_1.0_224'},size=128"
        return {**tables, "base": base, "column": "image"}
    tables = {part: str(path) for part, path in data.tables(name, None).items()}
    if cut is not None:
        for part, rows in (("train", 20), ("validation", 40), ("test", 40)):
            tables[part] = str(data.write(cut / f"{part}.csv", data.few(data.read(Path(tables[part])), rows, 0)))
    return {**tables, "base": "minilm", "column": "text"}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    found = {name: record for name in (*TEXTS, *IMAGES) for record in records if record["name"] == name}
    if not found:
        return "Not measured yet."
    told = (
        "Found: share of sets that hold the truth in %, mean and standard deviation of the re-splits; official: on the "
        "official split. Size: classes in a set."
    )
    head = ["set", "classes", "accuracy", "sets", "asked", "found", "size", "official", "size"]
    rows = [_sets_row(name, record, one) for name, record in found.items() for one in record["sets"]]
    head_answers = ["set", "wrong at most", "promised in", "held in", "answered", "wrong"]
    answers = [_answers_row(name, one) for name, record in found.items() for one in record["abstention"]]
    more = (
        "Abstention: in how many of the re-splits something could be promised, in how many the error of the answers "
        "was held on the tested half (where nothing is answered it is), and where something was promised, the share "
        "of rows that were answered and of the answers that were wrong, in %."
    )
    return "\n\n".join([claims(kept(found)), told, table(head, rows), more, table(head_answers, answers)])


def kept(found: dict[str, Record]) -> list[Claim]:
    """What was promised, over all sets."""
    sets = [(name, one) for name, record in found.items() for one in record["sets"]]
    off, where = max(
        (abs(one["mean"] - one["asked"]), f"{name}, {one['method']}, {one['asked']:.0%}") for name, one in sets
    )
    answers = [(name, one) for name, record in found.items() for one in record["abstention"]]
    least, at = min((one["held"] / one["splits"], f"{name}, {one['error']:.0%}") for name, one in answers)
    return [
        Claim(
            "over 100 re-splits, the mean coverage is within 1 point of 80, 90 and 95 % on every set",
            f"at most {100 * off:.2f} points off ({where})",
            off <= NEAR,
        ),
        Claim(
            "the error of the answers is held in at least 95 of 100 re-splits on every set",
            f"in {100 * least:.0f} of 100 at least ({at})",
            100 * least >= OFTEN,
        ),
    ]


def _sets_row(name: str, record: Record, one: dict[str, Any]) -> list[str]:
    found = f"{100 * one['mean']:.1f} ± {100 * one['spread']:.1f}"
    official = [f"{100 * one['official']:.1f}", f"{one['official_size']:.2f}"]
    facts = [str(record["classes"]), f"{100 * record['accuracy']:.1f}", one["method"], f"{one['asked']:.0%}"]
    return [name, *facts, found, f"{one['size']:.2f}", *official]


def _answers_row(name: str, one: dict[str, Any]) -> list[str]:
    counts = [f"{one[key]} of {one['splits']}" for key in ("promised", "held")]
    return [name, f"{one['error']:.0%}", *counts, f"{100 * one['answered']:.1f}", f"{100 * one['wrong']:.1f}"]


if __name__ == "__main__":
    main()
