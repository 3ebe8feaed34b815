"""What training on cached blocks changes: rounding, within a bound for short runs that docs/default.md names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.core import run
from tiny import tiny_rows


@pytest.mark.parametrize(("precision", "bound"), [("fp32", 1e-5), ("bf16", 1e-2)])
@pytest.mark.parametrize("technique", [gw.Partial(1), gw.Partial(2)], ids=["one block", "two blocks"])
def test_probabilities_differ_by_rounding_alone(
    technique: gw.Technique, precision: str, bound: float, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.DataFrame(tiny_rows(60), columns=["text", "label"])
    training = gw.Training(steps=12, batch=8, lr=1e-4, precision=precision)  # type: ignore[arg-type]
    recipe = gw.Recipe(base=str(base), techniques=(technique,), training=training)
    cached = np.asarray(gw.fit(table, target="label", recipe=recipe).predict_proba(table))
    calls = list[object]()

    def nothing(*given: object, **_: object) -> dict[str, object]:
        calls.append(given)
        return {}

    monkeypatch.setattr(run, "build_cache", nothing)
    plain = np.asarray(gw.fit(table, target="label", recipe=recipe).predict_proba(table))
    assert calls
    assert np.abs(cached - plain).max() < bound
