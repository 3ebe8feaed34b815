"""Verification of people never trained on, ORL faces: whitened embeddings, the frozen base, and scikit-learn's LDA.

All 400 photos of 40 people, in 4 folds of 10 people: trained on 30, tested on the 10 others. The thresholds and the
choice of the penalty come from the 30. Photos are made square beforehand, for all methods. CPU seconds of a whole
process, from parquet files to a saved model (peers: to the embeddings of the test photos), imports included. With a
base for photos, and with one for faces, which has to be there: `graft bases get faceres`.
"""

from __future__ import annotations

import io
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from graftwork.bases.home import need
from harness import data, options
from harness.measure import graft, work
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, FOLDS, SIDE = "faces", 4, 224
FROZEN, LDA = "frozen base, cosine", "frozen base, scikit-learn's LDA"
PROBE, VIEWS = f"{OURS}, whitened probe", f"{OURS}, whitened probe, also mirrored"
TECHNIQUES = {PROBE: ["probe"], VIEWS: ["probe", "tta:views=2"]}
PHOTOS, FACES = "", "faceres: "
"""What the names of the cells of each base begin with."""
GOALS = {PHOTOS: 0.05, FACES: 0.02}


def main() -> None:
    given = options.parse(__doc__, 1)
    results = Results(NAME, given)
    bases = {PHOTOS: str(data.folder("weights") / "mobilenet_v2_1.0_224"), FACES: str(need("faceres"))}
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        for fold in range(1 if given.quick else FOLDS):
            files = {part: str(path) for part, path in write(Path(folder), fold).items()}
            for kind, base in bases.items():
                for name, method in ((FROZEN, "frozen"), (LDA, "lda")):
                    one = partial(work, "faces", method=method, base=base, **files)
                    results.measure(kind + name, fold, "scikit-learn", one)
                for name in (PROBE,) if given.quick else TECHNIQUES:
                    results.measure(kind + name, fold, OURS, partial(ours, name, files, base))
    print(section(results.records()))


def write(folder: Path, fold: int) -> dict[str, Path]:
    """The photos of this fold's people, and those of all others, as square png in parquet files."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    parts = [pq.read_table(data.table("orl_faces", part)).to_pylist() for part in ("train", "validation", "test")]
    rows: dict[str, list[tuple[bytes, str]]] = {"train": [], "test": []}
    photos = [row for part in parts for row in part]
    people = np.random.default_rng(0).permutation(sorted({row["identity"] for row in photos}))
    held = set(people[fold::FOLDS].tolist())
    for row in photos:
        encoded = row["image"]["bytes"] if isinstance(row["image"], dict) else row["image"]
        square = io.BytesIO()
        Image.open(io.BytesIO(encoded)).resize((SIDE, SIDE), Image.Resampling.BILINEAR).save(square, "PNG")
        rows["test" if row["identity"] in held else "train"].append((square.getvalue(), f"person {row['identity']}"))
    files = {part: folder / f"{part}-{fold}.parquet" for part in rows}
    for part, chosen in rows.items():
        images, names = zip(*chosen, strict=True)
        pq.write_table(pa.table({"image": pa.array(images, pa.binary()), "identity": names}), files[part])
    return files


def ours(name: str, files: dict[str, str], base: str) -> Record:
    """`graft fit` on the 30 people; then its saved model on the 10 others."""
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        out = Path(folder) / "model"
        techniques = [word for technique in TECHNIQUES[name] for word in ("--with", technique)]
        asked = ["--task", "identity", "--target", "identity", "--base", f"{base}:crop=1", *techniques]
        spent = graft("fit", files["train"], *asked, "--out", out)
        found = work("faces", method="ours", base=base, model=str(out), **files)
    return {**found, "cpu": spent.cpu, "wall": spent.wall}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    faces = [record | {"name": record["name"].removeprefix(FACES)} for record in records if FACES in record["name"]]
    photos = [record for record in records if FACES not in record["name"]]
    parts = [_part(photos, GOALS[PHOTOS]), f"With `faceres`:\n\n{_part(faces, GOALS[FACES])}" if faces else ""]
    return "\n\n".join(filter(None, parts))


def _part(records: list[Record], goal: float) -> str:
    """What was measured with one base."""
    by_name: dict[str, list[Record]] = {}
    names = {record["name"] for record in records}
    done = [{record["seed"] for record in records if record["name"] == name} for name in names]
    folds = set.intersection(*done) if done else set()  # those that every method has: folds differ a lot
    for record in records:
        if record["seed"] in folds:
            by_name.setdefault(record["name"], []).append(record)
    if PROBE not in by_name or FROZEN not in by_name:
        return "Not measured yet."
    made = [[name, *_row(found)] for name, found in by_name.items()]
    best = min((name for name in TECHNIQUES if name in by_name), key=lambda name: _mean(by_name[name]))
    gained = _draws(by_name[FROZEN]) - _draws(by_name[best])
    low, high = np.quantile(gained, [0.025, 0.975])
    kept = [
        Claim(
            "mean equal error rate below the frozen base's, outside of the interval of the difference",
            f"{100 * _mean(by_name[best]):.1f} %, {100 * low:.1f} to {100 * high:.1f} points lower",
            bool(low > 0),
        ),
        Claim(f"at most {100 * goal:.0f} %", f"{100 * _mean(by_name[best]):.1f} %", _mean(by_name[best]) <= goal),
    ]
    kept = kept if goal == GOALS[PHOTOS] else kept[1:]  # the frozen base for faces leaves next to nothing to gain
    head = ["method", "equal error rate, %, mean of the folds", "95 % interval (people drawn)", "by fold, %", "CPU s"]
    partly = f"{len(folds)} of {FOLDS} folds are measured so far." if len(folds) < FOLDS else ""
    return "\n\n".join(filter(None, [partly, claims(kept), table(head, made)]))


def _mean(found: list[Record]) -> float:
    return float(np.mean([record["eer"] for record in found]))


def _draws(found: list[Record]) -> np.ndarray:
    """Mean over the folds of each draw (R,)."""
    ordered = sorted(found, key=lambda record: int(record["seed"]))
    return np.mean([record["draws"] for record in ordered], axis=0)


def _row(found: list[Record]) -> list[str]:
    low, high = np.quantile(_draws(found), [0.025, 0.975])
    folds = ", ".join(f"{100 * record['eer']:.1f}" for record in sorted(found, key=lambda one: int(one["seed"])))
    cpu = np.mean([record["cpu"] for record in found])
    return [f"{100 * _mean(found):.1f}", f"{100 * low:.1f} to {100 * high:.1f}", folds, f"{cpu:.0f}"]


if __name__ == "__main__":
    main()
