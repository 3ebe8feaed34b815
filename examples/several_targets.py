"""Several targets: one model predicts the species and two measures of a penguin from its other measures.

The table is made up: three species, of which the larger one has the longer flippers. Many rows lack a target.
"""

import numpy as np
import pandas as pd

import graftwork as gw

TARGETS = ["species", "mass", "flipper"]


def penguins(rows: int, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    kind = draw.integers(3, size=rows)
    length = np.array([39.0, 49.0, 47.5])[kind] + draw.normal(0, 2, rows)
    depth = np.array([18.3, 18.4, 15.0])[kind] + draw.normal(0, 0.8, rows)
    mass = np.array([3700, 3730, 5080])[kind] + 60 * (depth - 17) + draw.normal(0, 200, rows)
    return pd.DataFrame(
        {
            "bill_length": length.round(1),
            "bill_depth": depth.round(1),
            "species": np.array(["Adelie", "Chinstrap", "Gentoo"])[kind],
            "mass": mass.round(),
            "flipper": (120 + mass / 54 + draw.normal(0, 4, rows)).round(),
        }
    )


def main() -> None:
    train, test = penguins(500, seed=0), penguins(200, seed=1)
    train.loc[::4, "species"] = None
    train.loc[1::5, "mass"] = None

    training = gw.Training(epochs=15)
    recipe = gw.Recipe(base="table-mlp:width=64", techniques=[], training=training)
    model = gw.fit(train, target=TARGETS, test=test, recipe=recipe)
    print(model.report.verdict())
    print(model.predict(pd.DataFrame({"bill_length": [38.5, 47.0], "bill_depth": [18.0, 14.9]})))

    for name, technique in (("learned weights", gw.Uncertainty()), ("projected gradients", gw.PCGrad())):
        changed = gw.Recipe(base="table-mlp:width=64", techniques=[technique], training=training)
        found = gw.fit(train, target=TARGETS, test=test, recipe=changed)
        print(f"{name}: {found.report.verdict().splitlines()[1]}")

    # Two tables that share inputs, but not targets.
    species, masses = penguins(250, seed=2), penguins(250, seed=3)
    tables = [species.drop(columns=["mass", "flipper"]), masses.drop(columns=["species", "flipper"])]
    joined = gw.fit(tables, target=["species", "mass"], recipe=recipe)
    print(joined.evaluate(test).to_json()["species"]["accuracy"])


if __name__ == "__main__":
    main()
