"""Tell handwritten digits apart: images in memory as a column, and a small CNN that starts from nothing."""

import numpy as np
from sklearn.datasets import load_digits

import graftwork as gw


def main() -> None:
    digits = load_digits()
    images = np.round(digits.images * 255 / 16).astype(np.uint8)  # 1,797 images of 8 x 8 pixels
    names = digits.target.astype(str)

    recipe = gw.Recipe(base="small-cnn:width=16", techniques=[gw.LabelSmoothing(0.1)], training=gw.Training(epochs=8))
    order = np.random.default_rng(0).permutation(len(images))
    train, test = ({"image": images[rows], "label": names[rows]} for rows in (order[:1200], order[1200:]))
    model = gw.fit(train, target="label", test=test, recipe=recipe)
    print(model.report.verdict())
    print(f"five of them: {', '.join(model.predict(test['image'][:5]))}; in truth {', '.join(test['label'][:5])}")


if __name__ == "__main__":
    main()
