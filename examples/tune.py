"""From a table and a budget to a model: which base, techniques and settings, and is the winner more than lucky?

Numbers and categories of customers who leave or stay: linear heads, boosted trees and small networks
compete. What is searched stands in a folder, so that more trials go on from there.
"""

import shutil

import numpy as np

import graftwork as gw


def customers(rows: int = 400) -> dict[str, list]:
    """Who bought little and complained leaves, the more so in the north."""
    draw = np.random.default_rng(0)
    bought, complaints = draw.gamma(2.0, 50.0, rows), draw.poisson(1.0, rows)
    region = draw.choice(["north", "south", "west"], rows)
    leaves = complaints * 60 * np.where(region == "north", 2, 1) - bought + draw.normal(0, 30, rows) > 20
    return {
        "bought": bought.round(2).tolist(),
        "complaints": (complaints + draw.normal(0, 0.1, rows)).round(2).tolist(),
        "region": region.tolist(),
        "left": np.where(leaves, "yes", "no").tolist(),
    }


def main() -> None:
    table, folder = customers(), "runs/tune"
    shutil.rmtree(folder, ignore_errors=True)
    options = {"target": "left", "folds": 2, "out": folder, "verbose": False}
    recipe = gw.Recipe(training=gw.Training(epochs=2))
    gw.tune(table, recipe=recipe, trials=4, **options)
    tuned = gw.tune(table, recipe=recipe, trials=6, resume=True, **options)  # the first four are not run again
    for sentence in tuned.sentences:
        print(sentence)
    for trial in tuned.trials:
        print(f"trial {trial.number}: {trial.name}, {trial.state}, score {trial.score}")
    print(f"kept: trial {tuned.chosen.number} of {len(tuned.trials)}")
    print(gw.load(folder).predict([{"bought": 10.0, "complaints": 3.0, "region": "north"}]))


if __name__ == "__main__":
    main()
