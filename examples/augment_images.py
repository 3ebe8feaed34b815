"""Few images: random crops while a small CNN learns, several views of each image when it predicts."""

import numpy as np
from sklearn.datasets import load_digits

import graftwork as gw

ROWS = 200


def main() -> None:
    digits = load_digits()
    images = np.round(digits.images * 255 / 16).astype(np.uint8)  # 1,797 images of 8 x 8 pixels
    names = digits.target.astype(str)
    order = np.random.default_rng(0).permutation(len(images))
    train, test = ({"image": images[rows], "label": names[rows]} for rows in (order[:ROWS], order[ROWS : 5 * ROWS]))

    # Moved by a pixel a digit stays what it is. Mirrored it does not, so there is no flip, neither here nor below.
    for techniques in ([], [gw.Crop(scale=1.0, ratio=1.0, pad=0.125)]):
        recipe = gw.Recipe(base="small-cnn:width=8", techniques=techniques, training=gw.Training(epochs=40))
        model = gw.fit(train, target="label", recipe=recipe)
        for views in (1, 6):
            right = np.mean(model.predicting_with(gw.TTA(views, flip=False)).predict(test["image"]) == test["label"])
            what = " + ".join(technique.name for technique in techniques) or "plain"
            print(f"{what}, {views} {'view' if views == 1 else 'views'}: {right:.1%} right")


if __name__ == "__main__":
    main()
