"""Characters never seen, from one or five drawings: Omniglot (`omniglot_small1`), trained on three alphabets (72
characters), chosen on a fourth, tested on a fifth, 5 characters at a time.

Glyphs are cut to the square around them, 28 pixels a side, since the alphabets differ in how large they are written.
Training characters are turned by 90, 180 and 270 degrees and mirrored, each of which is a character of its own (Snell
et al. 2017 turn them), and affine maps change them at each step. The base is four convolutions of 64 channels with
group norm, three of which halve the picture. All test characters are of one alphabet, which is harder than characters
of many, as the papers have them.
"""

from __future__ import annotations

import io
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import data, options
from harness.measure import work
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.shown import Shown
from harness.text import Claim, claims, mean_and_spread, table

if TYPE_CHECKING:
    from PIL import Image

NAME, SEEDS = "meta", 3
SET, SIDE, EPISODES = "omniglot_small1", 28, 600
BASE = "conv4:halvings=3"
VARIED = "affine:degrees=14,stretch=0.175,shear=0.21,shift=0.105"
METHODS: dict[str, dict[str, Any]] = {  # inner loops are long to validate: once, at the end
    "ProtoNet": {"techniques": ["protonet:way=20,query=5", VARIED, "ema"], "training": {"steps": 1200}},
    "plain classifier + nearest prototype": {"techniques": [VARIED], "training": {"steps": 2000}},
    "ANIL": {"techniques": ["anil:lr=0.02,use_steps=20", VARIED], "training": {"steps": 600}},
    "MAML, first order": {
        "techniques": ["maml:first_order=yes,lr=0.02,steps=4,use_steps=20", VARIED],
        "training": {"steps": 500, "evaluations": 1},
    },
    "MAML": {"techniques": ["maml:lr=0.02,steps=4,use_steps=20", VARIED], "training": {"steps": 400, "evaluations": 1}},
    "Reptile": {
        "techniques": ["reptile:query=9,lr=0.02,use_steps=20", VARIED],
        "training": {"steps": 500, "evaluations": 1},
    },
}
PIXELS = "nearest picture, pixels"
PLAIN = "plain classifier + nearest prototype"


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    measure(results, given)
    print(section(results.records()))


def measure(results: Results, given: Options) -> None:
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        shared: dict[str, Any] = {
            "train": str(prepared("train", Path(folder), turned=True)),
            "valid": str(prepared("validation", Path(folder), turned=False)),
            "test": str(prepared("test", Path(folder), turned=False)),
            "episodes": 20 if given.quick else EPISODES,
        }
        results.measure(PIXELS, 0, "scikit-learn", partial(work, "meta", **shared, base="pixels"))
        for seed in range(given.seeds):
            for method, settings in METHODS.items():
                training = {"steps": 4} if given.quick else settings["training"]
                one = partial(
                    work,
                    "meta",
                    **shared,
                    base=BASE,
                    techniques=settings["techniques"],
                    training=training,
                    seed=seed,
                )
                results.measure(method, seed, OURS, one)


def prepared(part: str, folder: Path, *, turned: bool) -> Path:
    """The glyphs of a part at 28 pixels a side, as a parquet file; with `turned` each in eight positions."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image, ImageOps

    rows = []
    for row in pq.read_table(data.table(SET, part)).to_pylist():
        plain = boxed(Image.open(io.BytesIO(row["image"])).convert("L")).resize((SIDE, SIDE), Image.Resampling.BOX)
        for mirrored in (False, True) if turned else (False,):
            for angle in (0, 90, 180, 270) if turned else (0,):
                buffer = io.BytesIO()
                (ImageOps.mirror(plain) if mirrored else plain).rotate(angle).save(buffer, "png")
                position = f" {'mirrored ' if mirrored else ''}{angle}" if turned else ""
                rows.append({"image": buffer.getvalue(), "character": row["character"] + position})
    path = folder / f"{part}.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def boxed(picture: Image.Image) -> Image.Image:
    """The dark strokes in the middle of a white square that is 15 % larger than they are."""
    from PIL import Image, ImageOps

    box = ImageOps.invert(picture).getbbox() or (0, 0, *picture.size)
    glyph = picture.crop(box)
    side = int(max(glyph.size) * 1.15) + 2
    square = Image.new("L", (side, side), 255)
    square.paste(glyph, ((side - glyph.width) // 2, (side - glyph.height) // 2))
    return square


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    by = {method: [r for r in records if r["name"] == method] for method in (*METHODS, PIXELS)}
    by = {method: found for method, found in by.items() if found}
    if not by:
        return "Not measured yet."
    lines = [
        [method, *(_scores(found, shot) for shot in (1, 5)), _cpu(found), str(len(found))]
        for method, found in by.items()
    ]
    told = (
        "Accuracy in %, mean and standard deviation over the seeds, of 600 episodes of 5 characters, 15 drawings each "
        "asked; the interval of a single run over its episodes is about 1 point wide. CPU seconds of the training."
    )
    head = ["method", "1 shot", "5 shots", "CPU s", "seeds"]
    return "\n\n".join([claims(kept(by)), told, table(head, lines)])


def kept(by: dict[str, list[Record]]) -> list[Claim]:
    wanted = (("ProtoNet", 1, 0.80), ("ProtoNet", 5, 0.92), ("MAML", 1, 0.72))
    made = []
    for method, shot, least in wanted:
        found = [record[f"shot_{shot}"] for record in by.get(method, ())]
        mean = float(np.mean(found)) if found else float("nan")
        made.append(
            Claim(
                f"{method}, 5-way {shot}-shot, unseen alphabet: at least {100 * least:.0f} %",
                f"{100 * mean:.1f}" if found else "",
                mean >= least if found else None,
            )
        )
    return made


def shown(records: list[Record]) -> list[Shown]:
    """Rows of the techniques' table: each method beside the plain classifier, by seed."""
    plain = {record["seed"]: record for record in records if record["name"] == PLAIN}
    rows = []
    for method, settings in METHODS.items():
        pairs = [(plain[r["seed"]], r) for r in records if r["name"] == method and r["seed"] in plain]
        if method == PLAIN or not pairs:
            continue
        rows += [
            Shown(
                settings["techniques"][0],
                "Omniglot, an unseen alphabet",
                f"5-way {shot}-shot accuracy",
                [without[f"shot_{shot}"] for without, _ in pairs],
                [record[f"shot_{shot}"] for _, record in pairs],
            )
            for shot in (1, 5)
        ]
    return rows


def _scores(found: list[Record], shot: int) -> str:
    return mean_and_spread([record[f"shot_{shot}"] for record in found], 100)


def _cpu(found: list[Record]) -> str:
    return f"{np.mean([record['cpu'] for record in found]):.0f}"


if __name__ == "__main__":
    main()
