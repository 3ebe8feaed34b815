"""A learning curve that is measured on a quarter of the rows, and what all of them then score."""

from __future__ import annotations

from typing import Any

from workers.frozen_rows import rows_of, worked


def measured(name: str, train: str, test: str, few: int | None, seeds: int) -> dict[str, Any]:
    """Draws of a quarter; all rows are the same ones each time."""
    from graftwork.runs.job.held_out import drawing_order
    from graftwork.runs.profile.curve import learning_curve

    rows = rows_of(name, train, test, few)
    labels = rows.train.targets[rows.target]
    runs = []
    for seed in range(seeds):
        order = drawing_order(labels, len(labels), seed)
        quarter = order[: len(order) // 4]
        score, _ = rows.accuracy(order[: 4 * len(quarter)])
        numbers = learning_curve(rows.base, rows.train.take(quarter), rows.test).numbers
        found = next(one for one in numbers["forecast"] if one["rows"] == 4 * len(quarter))
        runs.append({"now": numbers["score"], "low": found["low"], "score": found["score"], "high": found["high"]})
        runs[-1]["came"] = score
    return {"rows": len(labels), "test": len(rows.test), "runs": runs}


if __name__ == "__main__":
    worked(measured)
