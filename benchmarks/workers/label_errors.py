"""Labels that were planted wrong, and how many of them are named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from workers.frozen_rows import rows_of, worked


def measured(name: str, train: str, test: str, few: int | None, share: float, seeds: int) -> dict[str, Any]:
    """share: of labels that another class takes the place of, drawn evenly."""
    from graftwork.runs.profile.findings import label_findings

    rows = rows_of(name, train, test, few)
    features, outputs = rows.train, rows.base.job.tasks[rows.target].outputs
    runs = []
    for planted in (0.0, share):
        for seed in range(seeds if planted else 1):
            draw = np.random.default_rng(seed)
            labels = features.targets[rows.target].copy()
            wrong = draw.choice(len(labels), round(planted * len(labels)), replace=False)
            labels[wrong] = (labels[wrong] + draw.integers(1, outputs, len(wrong))) % outputs
            finding = next(label_findings(rows.base, replace(features, targets={rows.target: labels})))
            named = {note.row for note in finding.rows}
            hit = len(named & set(features.numbers[wrong].tolist()))
            runs.append({"planted": len(wrong), "named": len(named), "hit": hit})
    return {"rows": len(features), "classes": outputs, "untouched": runs[0]["named"], "runs": runs[1:]}


if __name__ == "__main__":
    worked(measured)
