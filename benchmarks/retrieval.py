"""Photos found by their names, and names by their photos: fashion products, 1,000 test rows that are searched together.

The frozen bases (MobileNetV2, MiniLM) with solved towers, and the default, which also trains; beside embeddings of the
same bases brought together by scikit-learn, and random projections of them. Recall at 10 is the share of rows whose
partner is among the first 10 of all test rows, mean of both ways. CPU seconds of the whole process up to the model
(peers: the embeddings of the test rows).
"""

from __future__ import annotations

import json
import tempfile
from functools import partial
from pathlib import Path

import fashion
from harness import data, options
from harness.measure import graft, work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import Claim, claims, mean_and_spread, table

NAME = "retrieval"
RANDOM = "random projections"
PEERS = {RANDOM: "random", "scikit-learn, ridge regression": "ridge", "scikit-learn, PLS": "pls"}
OWN = {f"{OURS}, solved towers": ["--with", "probe"], f"{OURS}, the default": []}


def main() -> None:
    given = options.parse(__doc__)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        measure(results, given, fashion.files(Path(folder) if given.quick else None))
    print(section(results.records()))


def measure(results: Results, given: Options, parts: dict[str, str]) -> None:
    photo = str(data.folder("weights") / "mobilenet_v2_1.0_224")
    files = {"train": parts["train"], "test": parts["test"]}
    for name, method in PEERS.items():
        peer = {"name": data.base_folder(), "photo": photo, "size": fashion.SIZE, "method": method}
        results.measure(name, 0, "scikit-learn", partial(work, "retrieval_peer", **files, **peer))
    for seed in range(given.seeds):
        for name, techniques in OWN.items():
            results.measure(name, seed, OURS, partial(ours, parts, photo, techniques, seed))


def ours(parts: dict[str, str], photo: str, techniques: list[str], seed: int) -> Record:
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        out = Path(folder) / "model"
        columns = ["--inputs", fashion.PHOTO, "--inputs", fashion.TEXT, "--task", "retrieval"]
        bases = ["--base", f"image={photo}:size={fashion.SIZE}", "--base", "text=minilm"]
        asked = [*columns, *bases, *techniques, "--seed", seed, "--valid", parts["validation"]]
        spent = graft("fit", parts["train"], *asked, "--out", out)
        scores = json.loads(graft("evaluate", out, parts["test"], "--json").output)
    ways = {way: scores[f"{way}_recall_at_10"]["value"] for way in ("forward", "backward")}
    return {"cpu": spent.cpu, "wall": spent.wall, **ways, "recall": scores["recall_at_10"]["value"]}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    grouped: dict[str, list[Record]] = {}
    for record in records:
        grouped.setdefault(record["name"], []).append(record)
    if not all(name in grouped for name in (*PEERS, *OWN)):
        return "Not measured yet."
    recall = {name: sum(r["recall"] for r in of) / len(of) for name, of in grouped.items()}
    best = max((name for name in PEERS if name != RANDOM), key=recall.__getitem__)
    made = [
        Claim(f"{name} finds more than {peer}", f"{100 * recall[name]:.1f} % and {100 * recall[peer]:.1f} %", better)
        for name in OWN
        for peer in (RANDOM, best)
        for better in [recall[name] > recall[peer]]
    ]
    rows = [[name, *_row(of)] for name, of in grouped.items()]
    head = ["method", "name by photo, recall at 10 in %", "photo by name", "mean", "CPU s", "seeds"]
    return "\n\n".join([claims(made), table(head, rows)])


def _row(of: list[Record]) -> list[str]:
    shares = [mean_and_spread([r[key] for r in of], 100) for key in ("forward", "backward", "recall")]
    return [*shares, mean_and_spread([r["cpu"] for r in of], digits=0), str(len(of))]


if __name__ == "__main__":
    main()
