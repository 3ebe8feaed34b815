"""Rows from several domains: scores by domain, each domain left out in turn, and a model that adapts at prediction.

The digits of scikit-learn, turned by a quarter more in each domain; a camera that hangs askew, say. They come as tables
of numbers (one a pixel), so that it takes seconds.
"""

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

import graftwork as gw

TURNS = {"upright": 0, "left": 1, "over": 2}


def digits(rows: slice) -> pd.DataFrame:
    """Every row in one of the domains, its 64 pixels as numbers."""
    found = load_digits()
    images, labels = found.images[rows], found.target[rows]
    names = np.array(list(TURNS))[np.arange(len(images)) % len(TURNS)]
    turned = [np.rot90(image, TURNS[name]) for image, name in zip(images, names, strict=True)]
    table = pd.DataFrame(np.reshape(turned, (len(images), -1)), columns=[f"pixel {at}" for at in range(64)])
    return table.assign(digit=[f"digit {label}" for label in labels], camera=names)


def main() -> None:
    train, test = digits(slice(0, 900)), digits(slice(900, 1200))
    training = gw.Training(epochs=6, batch=64, precision="fp32")
    recipe = gw.Recipe(base="table-mlp:embedding=2,width=64", techniques=["film"], training=training)
    roles = {"domain": "camera"}
    model = gw.fit(train, target="digit", roles=roles, split_by="domain", test=test, recipe=recipe)
    print("known cameras:")
    for domain in model.report.evaluations["test"].domains:
        print(f"  {domain.domain}: {domain.scores['accuracy'].value:.0%}")
    print("a camera that training did not have:")
    for domain in model.report.left_out:
        print(f"  {domain.domain}: {domain.scores['accuracy'].value:.0%}")
    unknown = test.assign(camera="a new one")
    for name, spec in (("as it is", "tent:steps=0"), ("adapted at prediction", "tent:steps=10")):
        found = model.predicting_with(spec).evaluate(unknown)
        print(f"no camera told, {name}: {found.scores['accuracy'].value:.0%}")


if __name__ == "__main__":
    main()
