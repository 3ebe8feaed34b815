"""Several inputs in a row: a photo, a name and two columns. Rows that lack the photo get a prediction all the same."""

import io
import random

import numpy as np
from PIL import Image

import graftwork as gw

COLOURS = {"shirt": (200, 60, 60), "bag": (60, 200, 60), "shoe": (60, 60, 200)}
BASES = {"text": "cnn:width=32", "image": "small-cnn:width=8,blocks=1,size=8"}


def products(count: int, seed: int) -> list[dict[str, object]]:
    """A name tells the kind of every second product, a photo nearly always; every eighth row has no photo."""
    draw, noise = random.Random(seed), np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for at in range(count):
        kind = draw.choice(list(COLOURS))
        name = f"{draw.choice(['fine', 'plain', 'new'])} {draw.choice([kind, 'item'])} number {at + 1000 * seed}"
        price = 20 + 15 * list(COLOURS).index(kind) + draw.gauss(0, 12)
        pixels = np.clip(noise.normal(COLOURS[kind], 60, (8, 8, 3)), 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "png")
        photo = file.getvalue() if at % 8 else None
        rows.append({"photo": photo, "name": name, "price": price, "season": draw.choice("SW"), "kind": kind})
    return rows


def main() -> None:
    train, test = products(400, seed=0), products(120, seed=1)
    training = gw.Training(lr=3e-3, epochs=8, precision="fp32")
    for fusion in ((), (gw.Gated(32),), (gw.Late(),)):
        recipe = gw.Recipe(base=BASES, techniques=(*fusion, gw.ModalityDropout(0.2)), training=training)
        model = gw.fit(train, target="kind", test=test, recipe=recipe)
        print("fusion:", fusion[0].name if fusion else "concatenation", "-", model.report.verdict())
    for each in model.report.inputs:
        gain = each.gain
        print(f"{each.name}: better with it by {gain.value:.3f} ({gain.low:.3f} to {gain.high:.3f})")
    print("without the photo:", model.evaluate(test, without=["photo"]).scores["accuracy"].value)
    print(model.predict([{"photo": None, "name": "new bag", "price": 34.0, "season": "S"}]))


if __name__ == "__main__":
    main()
