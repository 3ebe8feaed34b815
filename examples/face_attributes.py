"""Several attributes of one photo: glasses, a hat, a smile, each a target of one model. Draws its own faces."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import graftwork as gw

OUT = Path("runs/face_attributes")
SIDE, ROWS = 32, 360
ATTRIBUTES = ("glasses", "hat", "smile")


def face(draw: np.random.Generator, glasses: bool, hat: bool, smile: bool) -> Image.Image:
    """A face a little off the middle, of some colour, with what it wears."""
    image = Image.new("RGB", (SIDE, SIDE), tuple(draw.integers(150, 255, 3).tolist()))
    pen, (x, y) = ImageDraw.Draw(image), draw.integers(-2, 3, 2).tolist()
    pen.ellipse((6 + x, 7 + y, 26 + x, 29 + y), fill=tuple(draw.integers(90, 220, 3).tolist()))
    for eye in (11, 19):
        pen.rectangle((eye + x, 15 + y, eye + 2 + x, 16 + y), fill="black")
        if glasses:
            pen.ellipse((eye - 2 + x, 12 + y, eye + 4 + x, 19 + y), outline="black")
    if hat:
        pen.rectangle((5 + x, 3 + y, 27 + x, 9 + y), fill=tuple(draw.integers(0, 120, 3).tolist()))
    if smile:
        pen.arc((11 + x, 18 + y, 21 + x, 26 + y), 10, 170, fill="black", width=3)
    else:
        pen.line((12 + x, 24 + y, 20 + x, 24 + y), fill="black", width=2)
    return image


def photos(folder: Path, rows: int, seed: int) -> Path:
    """Photos in a folder, and a table of them: a column an attribute. Of some rows an attribute is not known."""
    folder.mkdir(parents=True, exist_ok=True)
    draw, table = np.random.default_rng(seed), folder / "faces.csv"
    with open(table, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("photo", *ATTRIBUTES))
        for row in range(rows):
            has = draw.random(len(ATTRIBUTES)) < 0.5
            face(draw, *has.tolist()).save(folder / f"{row}.png")
            known = draw.random(len(ATTRIBUTES)) < 0.9
            told = ["" if not seen else "yes" if there else "no" for there, seen in zip(has, known, strict=True)]
            writer.writerow((f"{row}.png", *(told if any(known) else ["no", *told[1:]])))
    return table


def main() -> None:
    train, test = photos(OUT / "train", ROWS, seed=0), photos(OUT / "test", ROWS // 2, seed=1)
    recipe = gw.Recipe(base="small-cnn:width=16", techniques=[], training=gw.Training(epochs=20, batch=16, lr=4e-3))
    model = gw.fit(train, target=list(ATTRIBUTES), test=test, recipe=recipe, out=OUT / "model", verbose=False)
    for name, evaluation in model.evaluate(test).items():
        print(f"{name}: {evaluation.scores['accuracy'].text} on {evaluation.rows} faces")
    photo = test.parent / "0.png"
    said = model.predict([{"photo": str(photo.resolve())}])
    print(f"{photo.name}: " + ", ".join(f"{name} {values[0]}" for name, values in said.items()))


if __name__ == "__main__":
    main()
