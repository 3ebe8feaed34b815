"""How often sets hold the truth and answers are wrong, over random re-splits of rows that a model never saw."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from harness.measure import settings_and_answer

COVERAGES, ERRORS = (0.8, 0.9, 0.95), (0.05, 0.1)


def main() -> None:
    settings, answer = settings_and_answer()
    answer.write_text(json.dumps(measured(**settings)), encoding="utf-8")


def measured(train: str, validation: str, test: str, base: str, column: str, splits: int) -> dict[str, Any]:
    """A solved head on the frozen base, that chooses what it chooses on rows held out of `train`; then the rows of
    validation and test, which it has not seen, as calibration and as test rows."""
    import graftwork as gw

    recipe = gw.Recipe(base=base, techniques=["probe"])
    model = gw.fit(train, target="label", inputs=[column], recipe=recipe, verbose=False)
    known, new = (model.calibrated_on(path).calibration["label"] for path in (validation, test))
    from graftwork.evidence.sure.calibration import Calibration

    kept, truth = np.concatenate([known.kept, new.kept]), np.concatenate([known.truth, new.truth])
    pool = Calibration(kept, truth)
    halves = [np.array_split(np.random.default_rng(at).permutation(len(pool)), 2) for at in range(splits)]
    pairs = [(pool.part(first), pool.part(second)) for first, second in halves]
    return {
        "rows": len(pool),
        "classes": model.task.outputs,
        "accuracy": float((kept.argmax(axis=1) == truth).mean()),
        "sets": [sets(model.task, pairs, (known, new), method, c) for method in ("lac", "aps") for c in COVERAGES],
        "abstention": [answers(model.task, pairs, error) for error in ERRORS],
    }


def sets(task: Any, pairs: list[Any], official: Any, method: str, coverage: float) -> dict[str, Any]:
    """Over the re-splits, and on the official ones: the share of sets that hold the truth, and their mean size."""
    found = np.array([_held(task, *pair, method, coverage) for pair in pairs])
    once = _held(task, *official, method, coverage)
    return {
        "method": method,
        "asked": coverage,
        "mean": float(found[:, 0].mean()),
        "spread": float(found[:, 0].std(ddof=1)) if len(found) > 1 else 0.0,
        "size": float(found[:, 1].mean()),
        "official": once[0],
        "official_size": once[1],
    }


def _held(task: Any, known: Any, new: Any, method: str, coverage: float) -> tuple[float, float]:
    from graftwork.evidence.sure.conformal import conformal_sets, held_by

    chosen = conformal_sets(task, known, coverage, method).chosen(new.kept)  # type: ignore[arg-type]
    return float(held_by(chosen, new.truth).mean()), float(chosen.sum(axis=1).mean())


def answers(task: Any, pairs: list[Any], error: float) -> dict[str, Any]:
    """Over the re-splits: in how many something was promised, in how many the error of the answers was held on the
    other rows (where nothing is answered it is), and the means of answered and wrong where something was."""
    from graftwork.errors import UsageError
    from graftwork.evidence.sure.abstain import abstention, mistakes

    promised, held, answered, wrong = 0, 0, list[float](), list[float]()
    for known, new in pairs:
        try:
            found = abstention(task, known, error)
        except UsageError:
            held += 1
            continue
        promised += 1
        given = ~found.abstains(task, new.kept)
        off = float(mistakes(task, new)[given].mean()) if given.any() else 0.0
        held += off <= error
        answered.append(float(given.mean()))
        wrong.append(off)
    means = {"answered": float(np.mean(answered or [0.0])), "wrong": float(np.mean(wrong or [0.0]))}
    return {"error": error, "splits": len(pairs), "promised": promised, "held": int(held), **means}


if __name__ == "__main__":
    main()
