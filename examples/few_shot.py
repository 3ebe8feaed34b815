"""Learn from 8 examples a class. So few rows are all used for training: nothing is held out for validation."""

from pathlib import Path

import pandas as pd

import graftwork as gw

DATA = Path(__file__).parent / "data"


def main() -> None:
    few = pd.read_csv(DATA / "train.csv").groupby("label").sample(8, random_state=0)
    test = pd.read_csv(DATA / "test.csv")

    # Without a recipe, the default knows what to do with few rows.
    model = gw.fit(few, target="label", test=test)
    print(f"default: {model.report.verdict()}")

    # A recipe of one's own: features of one class are drawn together, as SetFit does it.
    recipe = gw.Recipe(
        techniques=[gw.WarmStart(), gw.SupervisedContrastive(weight=0.5)],
        training=gw.Training(lr=5e-5, epochs=5, batch=64),
    )
    model = gw.fit(few, target="label", test=test, recipe=recipe)
    print(f"contrastive: {model.report.verdict()}")


if __name__ == "__main__":
    main()
