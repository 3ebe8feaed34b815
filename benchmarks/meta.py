"""Characters never seen, from one or five drawings: Omniglot (`omniglot_small1`), trained on three alphabets (72
characters), chosen on a fourth, tested on a fifth, 5 characters at a time.

Glyphs are stretched to a square of 28 pixels a side, by at most 3, since the alphabets differ in how large and how wide
they are written, and their centre lines are drawn again with one pen, since stretching makes strokes thick. Training
characters are turned by 90, 180 and 270 degrees and mirrored, each of which is a character of its own (Snell et al.
2017 turn them); so is a pair of them, side by side or one above the other, of which 400 are drawn and turned. Affine
maps change all of them at each step. The base is four convolutions of 64 channels with group norm, three of which halve
the picture. All test characters are of one alphabet, which is harder than characters of many, as the papers have them.
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

    Drawn = dict[str, list[Image.Image]]
    """The drawings of each character."""

NAME, SEEDS = "meta", 3
SET, SIDE, EPISODES = "omniglot_small1", 28, 600
DRAWN, STRETCH, PEN, PAIRS = 112, 3, 6, 400
"""Pixels a side of the glyphs before they are shrunk, how far a narrow one is widened, the width of the pen, and how
many pairs are made."""
BASE = "conv4:halvings=3"
VARIED = "affine:degrees=14,stretch=0.175,shear=0.21,shift=0.105"
METHODS: dict[str, dict[str, Any]] = {  # inner loops are long to validate: once, at the end
    "ProtoNet": {"techniques": ["protonet:way=20,query=5", VARIED, "ema"], "training": {"steps": 1200}},
    "plain classifier + nearest prototype": {"techniques": [VARIED], "training": {"steps": 1200, "batch": 120}},
    "MAML": {"techniques": ["maml:lr=0.02,steps=4,use_steps=10", VARIED], "training": {"steps": 600, "evaluations": 1}},
    "ANIL": {"techniques": ["anil:lr=0.02,use_steps=20", VARIED], "training": {"steps": 600}},
    "Reptile": {
        "techniques": ["reptile:query=9,lr=0.02,use_steps=10", VARIED],
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
            "train": str(prepared("train", Path(folder), varied=True)),
            "valid": str(prepared("validation", Path(folder), varied=False)),
            "test": str(prepared("test", Path(folder), varied=False)),
            "episodes": 20 if given.quick else EPISODES,
        }
        results.measure(PIXELS, 0, "scikit-learn", partial(work, "meta", **shared, base="pixels"))
        for seed in range(given.seeds):  # seed by seed, so that what is measured by then is a whole
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


def prepared(part: str, folder: Path, *, varied: bool) -> Path:
    """The glyphs of a part as a parquet file; with `varied` each in eight positions, and pairs of them in four."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    drawn: dict[str, list[Image.Image]] = {}
    for row in pq.read_table(data.table(SET, part)).sort_by("drawer").to_pylist():
        drawn.setdefault(row["character"], []).append(squared(Image.open(io.BytesIO(row["image"])).convert("L")))
    single, double = evened(drawn), evened(pairs(drawn) if varied else {})
    characters = positions(single, mirrored=True) | positions(double, mirrored=False) if varied else single
    rows = [
        {"image": png(glyph.resize((SIDE, SIDE), Image.Resampling.BOX)), "character": name}
        for name, glyphs in characters.items()
        for glyph in glyphs
    ]
    path = folder / f"{part}.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def squared(picture: Image.Image) -> Image.Image:
    """The dark strokes, stretched to a white square with a margin; the narrower side by `STRETCH` at most."""
    from PIL import Image, ImageOps

    glyph = picture.crop(ImageOps.invert(picture).getbbox() or (0, 0, *picture.size))
    inner, longest = int(DRAWN / 1.15), max(glyph.size)
    width, height = (min(inner, max(1, round(side * STRETCH * inner / longest))) for side in glyph.size)
    square = Image.new("L", (DRAWN, DRAWN), 255)
    square.paste(
        glyph.resize((width, height), Image.Resampling.BILINEAR), ((DRAWN - width) // 2, (DRAWN - height) // 2)
    )
    return square


def evened(drawn: Drawn) -> Drawn:
    """Each drawing with strokes `PEN` pixels wide: what lies near the centre lines of its strokes."""
    from PIL import Image
    from scipy.ndimage import distance_transform_edt
    from skimage.morphology import skeletonize

    def even(picture: Image.Image) -> Image.Image:
        away = distance_transform_edt(~skeletonize(np.asarray(picture) < 128))
        return Image.fromarray(np.uint8(255 * (1 - np.clip(PEN / 2 + 0.5 - away, 0, 1))))

    return {name: [even(picture) for picture in pictures] for name, pictures in drawn.items()}


def positions(drawn: Drawn, *, mirrored: bool) -> Drawn:
    """Each character turned by quarters, and with `mirrored` the same of its mirror image."""
    from PIL import ImageOps

    mirrors = {f"{name} mirrored": [ImageOps.mirror(glyph) for glyph in glyphs] for name, glyphs in drawn.items()}
    return {
        f"{name} {angle}": [glyph.rotate(angle) for glyph in glyphs]
        for name, glyphs in (drawn | mirrors if mirrored else drawn).items()
        for angle in (0, 90, 180, 270)
    }


def pairs(drawn: Drawn) -> Drawn:
    """New characters: two beside each other or one above the other, as each drawer drew them."""
    from PIL import Image

    generator, names, found = np.random.default_rng(0), sorted(drawn), {}
    while len(found) < PAIRS:
        first, second = (str(name) for name in generator.choice(names, 2, replace=False))
        beside = bool(generator.integers(2))
        size, at = ((DRAWN // 2, DRAWN), (DRAWN // 2, 0)) if beside else ((DRAWN, DRAWN // 2), (0, DRAWN // 2))
        glyphs = []
        for one, other in zip(drawn[first], drawn[second], strict=True):
            both = Image.new("L", (DRAWN, DRAWN), 255)
            both.paste(one.resize(size), (0, 0))
            both.paste(other.resize(size), at)
            glyphs.append(squared(both))
        found[f"{first} {'beside' if beside else 'above'} {second}"] = glyphs
    return found


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "png")
    return buffer.getvalue()


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
