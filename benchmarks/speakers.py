"""Verification of speakers never trained on, LibriSpeech (10 people, 10 clips each): the default on `ge2e-speaker`,
its solved head alone, the frozen base, scikit-learn's LDA, and the same with Whisper.

Two folds of 5 people: trained on 5, tested on the others' 50 clips, 1,225 pairs. The frozen base has heard none of the
ten. CPU seconds of a whole process, from parquet files to a saved model (frozen and LDA: to the embeddings of the test
clips), imports included. Needs the bases: graft bases get speaker speech.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from harness import data, options
from harness.measure import graft, work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, FOLDS, SPEAKER, WHISPER = "speakers", 2, "ge2e-speaker", "whisper-base"
GOAL = 0.01
DEFAULT = f"{OURS}, default on {SPEAKER}"
METHODS: dict[str, tuple[str, str]] = {
    f"{SPEAKER} frozen, cosine": ("frozen", SPEAKER),
    f"{SPEAKER} frozen, scikit-learn's LDA": ("lda", SPEAKER),
    f"{OURS}, solved head on {SPEAKER}": ("probe", SPEAKER),
    DEFAULT: ("", SPEAKER),
    f"{WHISPER} frozen, cosine": ("frozen", WHISPER),
    f"{OURS}, solved head on {WHISPER}": ("probe", WHISPER),
}
"""What is done, and with which base; techniques of ours, none for the default."""


def main() -> None:
    given = options.parse(__doc__, 1)
    results = Results(NAME, given)
    methods = {name: each for name, each in METHODS.items() if not given.quick or each[1] == SPEAKER}
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        for fold in range(1 if given.quick else FOLDS):
            files = {part: str(path) for part, path in write(Path(folder), fold, 4 if given.quick else 10).items()}
            for name, (method, base) in methods.items():
                if method in ("frozen", "lda"):
                    peer = partial(work, "speakers", method=method, base=base, **files)
                    results.measure(name, fold, "scikit-learn", peer)
                else:
                    results.measure(name, fold, OURS, partial(ours, method, base, files))
    print(section(results.records()))


def write(folder: Path, fold: int, most: int) -> dict[str, Path]:
    """At most so many clips of each of this fold's people, and of each of the others."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = (pq.read_table(data.table("librispeech_10speakers", part)) for part in ("train", "validation", "test"))
    rows = pa.concat_tables([part.select(["audio", "speaker"]) for part in parts])
    whose = np.array([str(one) for one in rows.column("speaker").to_pylist()])
    people = np.random.default_rng(0).permutation(np.unique(whose))
    places = {one: np.flatnonzero(whose == one)[:most] for one in people}
    held = people[fold::FOLDS]
    files = {part: folder / f"{part}-{fold}.parquet" for part in ("train", "test")}
    for part, file in files.items():
        chosen = [places[one] for one in people if (one in held) == (part == "test")]
        pq.write_table(rows.take(pa.array(np.concatenate(chosen))), file)
    return files


def ours(technique: str, base: str, files: dict[str, str]) -> Record:
    """`graft fit` on this fold's people; then its saved model on the others."""
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        out = Path(folder) / "model"
        asked = ["--task", "identity", "--target", "speaker", "--base", base]
        asked += ["--with", technique] if technique else []
        spent = graft("fit", files["train"], *asked, "--out", out)
        found = work("speakers", method="ours", base=base, model=str(out), **files)
    return {**found, "cpu": spent.cpu, "wall": spent.wall}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    by_name = {name: [record for record in records if record["name"] == name] for name in METHODS}
    measured = {name: found for name, found in by_name.items() if found}
    if not by_name[DEFAULT]:
        return "Not measured yet."
    mean = _mean(measured[DEFAULT])
    goal = Claim(
        f"the default on people never trained on: at most {100 * GOAL:.0f} % equal errors",
        f"{100 * mean:.2f} %",
        mean <= GOAL,
    )
    head = ["method", "equal error rate, %, mean of the folds", "95 % interval (people drawn)", "by fold, %", "CPU s"]
    return "\n\n".join([claims([goal]), table(head, [[name, *_row(found)] for name, found in measured.items()])])


def _mean(found: list[Record]) -> float:
    return float(np.mean([record["eer"] for record in found]))


def _row(found: list[Record]) -> list[str]:
    low, high = np.quantile(np.mean([record["draws"] for record in found], axis=0), [0.025, 0.975])
    folds = ", ".join(f"{100 * record['eer']:.2f}" for record in sorted(found, key=lambda one: int(one["seed"])))
    cpu = np.mean([record["cpu"] for record in found])
    return [f"{100 * _mean(found):.2f}", f"{100 * low:.2f} to {100 * high:.2f}", folds, f"{cpu:.0f}"]


if __name__ == "__main__":
    main()
