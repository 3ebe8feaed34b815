"""Merged models: two fine-tunes on customer messages of two shops become one model, then runs become a soup.

The two shops are halves of the sample data. Needs the extra `minilm`; a minute on two cores.
"""

from pathlib import Path

import pandas as pd

import graftwork as gw

DATA = Path(__file__).parent / "data"


def tuned(train: pd.DataFrame, valid: pd.DataFrame, *, seed: int = 0, lr: float = 5e-5) -> gw.Model:
    training = gw.Training(epochs=1, lr=lr)
    recipe = gw.Recipe(techniques=[gw.WarmStart()], training=training, seed=seed)
    return gw.fit(train, target="label", valid=valid, recipe=recipe, on_bad_rows="skip")


def main() -> None:
    rows, test = pd.read_csv(DATA / "train.csv").dropna(), pd.read_csv(DATA / "test.csv").dropna()
    valid, train = rows.iloc[::5], rows.drop(rows.index[::5])
    shops = [train.iloc[::2], train.iloc[1::2]]

    models = [tuned(shop, valid) for shop in shops]
    mixed = gw.merge(models, method="ties", on=[valid, valid], test=[test, test])
    print(f"kept of {len(mixed.report.tried)}: {mixed.report.kept}")
    for row in mixed.report.table():
        print(" | ".join(row))

    runs = [tuned(shops[0], valid, seed=seed, lr=lr) for seed, lr in enumerate((2e-5, 1e-4))]
    soup = gw.soup(runs, valid=valid, test=test, out="runs/soup")
    print(f"soup of {soup.report.kept}")
    print(gw.load("runs/soup").predict(["where is my parcel?"]))


if __name__ == "__main__":
    main()
