"""Digits that somebody may change on purpose: a plain small CNN and one trained under attack, both measured."""

import numpy as np
from sklearn.datasets import load_digits

import graftwork as gw

ROWS = 300
MEASURE = "rows=80,epsilons=4/255+16/255,steps=10,restarts=1,queries=50,corruptions=no"


def main() -> None:
    digits = load_digits()
    images = np.round(digits.images * 255 / 16).astype(np.uint8)  # 1,797 images of 8 x 8 pixels
    names = digits.target.astype(str)
    order = np.random.default_rng(0).permutation(len(images))
    train, test = ({"image": images[rows], "label": names[rows]} for rows in (order[:ROWS], order[ROWS:]))

    for techniques in ([], [gw.Adversarial(epsilon=16 / 255, steps=3)]):
        recipe = gw.Recipe(base="small-cnn:width=8,size=8", techniques=techniques, training=gw.Training(epochs=12))
        model = gw.fit(train, target="label", recipe=recipe)
        found = gw.robustness(model, test, MEASURE, out="runs/robustness")
        attacked = found.attacked[0]
        name = "trained under attack" if techniques else "plain"
        pairs = zip(attacked.epsilons, attacked.gradient, strict=True)
        left = ", ".join(f"{epsilon:.3f}: {share.text}" for epsilon, share in pairs)
        print(f"{name}: {attacked.clean.text} right, under attack of epsilon {left}")
        for note in found.notes:
            print(f"note: {note}")


if __name__ == "__main__":
    main()
