"""Numbers and categories as inputs: missing values, an unseen category, and a base from scratch beside the default.

python examples/classify_table.py
"""

import numpy as np
import pandas as pd

import graftwork as gw


def rentals(rows: int, seed: int) -> pd.DataFrame:
    """Made-up days of a bicycle hire: few are rented in the cold, or on wet working days."""
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "temperature": draw.normal(12, 8, rows).round(1),
            "wind": draw.gamma(2, 6, rows).round(1),
            "weather": draw.choice(["sun", "cloud", "rain"], rows),
            "day": draw.choice(["working day", "weekend"], rows),
        }
    )
    quiet = (table["temperature"] < 8) | ((table["weather"] == "rain") & (table["day"] == "working day"))
    table["rented"] = np.where(quiet ^ (draw.random(rows) < 0.05), "few", "many")
    table.loc[draw.random(rows) < 0.1, "wind"] = np.nan  # the gauge was broken
    return table


def main() -> None:
    train, test = rentals(500, seed=0), rentals(200, seed=1)
    model = gw.fit(train, target="rented", test=test)
    print(model.report.verdict())

    transformer = gw.Recipe(base="ft-transformer:width=32,layers=2", techniques=[], training=gw.Training(epochs=10))
    print(f"FT-Transformer: {gw.fit(train, target='rented', test=test, recipe=transformer).report.verdict()}")

    new = pd.DataFrame(
        {"temperature": [21.0, -3.0], "wind": [None, 12.0], "weather": ["sun", "cloud"], "day": ["weekend", "weekend"]}
    )
    print(model.predict_proba(new).round(2))
    print(f"expected: {', '.join(model.predict(new))} rented")


if __name__ == "__main__":
    main()
