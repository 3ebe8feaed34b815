"""From data to a decision: which columns of a table earn their place in the model?

Customers of a shop leave or stay, and few leave. An ablation trains a recipe with and without each column, on other
splits and seeds each time, and says which are shown to help; the rest is left out. Run it again: no run is made twice.
Of the techniques of a recipe it says the same (`method="leave-one-out"`), and of settings (`between=["lr=1e-4+1e-3"]`).
"""

import numpy as np

import graftwork as gw


def customers(rows: int = 1000) -> dict[str, list]:
    """Who bought little and complained leaves; the age and the weather say nothing."""
    draw = np.random.default_rng(0)
    bought, complaints = draw.gamma(2.0, 50.0, rows), draw.poisson(1.0, rows)
    leaves = complaints * 60 - bought + draw.normal(0, 20, rows) > 20
    return {
        "bought": bought.round(2).tolist(),
        "complaints": (complaints + draw.normal(0, 0.1, rows)).round(2).tolist(),
        "age": draw.normal(45, 12, rows).round(1).tolist(),
        "weather": draw.normal(15, 8, rows).round(1).tolist(),
        "left": np.where(leaves, "yes", "no").tolist(),
    }


def main() -> None:
    table = customers()
    recipe = gw.Recipe(base="columns", metric="balanced_accuracy", techniques=[gw.Probe(l2=0.1), gw.ClassWeights()])
    found = gw.ablate(table, target="left", recipe=recipe, columns=True, repeats=6, verbose=False)
    for finding in found.findings:
        print(finding.sentence)

    print(f"left out: {', '.join(found.ignored) or 'nothing'}")
    lean = gw.fit(table, target="left", ignore=found.ignored, recipe=found.pruned(), verbose=False)
    print(f"reads {', '.join(column.name for column in lean.schema.inputs)}: {lean.report.verdict()}")


if __name__ == "__main__":
    main()
