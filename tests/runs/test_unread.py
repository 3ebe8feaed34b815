"""What a run says of columns that the kept model does not read."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from heard import Ear
from tiny import tiny_texts


@pytest.mark.slow
def test_a_model_that_leaves_columns_out_says_so_while_it_runs_and_in_its_report() -> None:
    draw = np.random.default_rng(0)
    texts = np.array(" ".join(tiny_texts(40)).split())
    amount = draw.normal(size=160)
    frame = pd.DataFrame(
        {
            "text": [" ".join(draw.choice(texts, 6)) for _ in range(160)],
            "amount": amount,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.integers(0, 300, 160), "D"),
            "label": np.where(amount > 0, "high", "low"),
        }
    )
    ear = Ear()
    recipe = gw.Recipe(base={"text": "minilm:layers=1"}, training=gw.Training(steps=2))
    model = gw.fit(frame, target="label", recipe=recipe, listener=ear)
    report = model.report
    assert report is not None
    assert "kept: numbers and categories alone; the model does not read text" in ear.notes
    assert (report.reads, report.unread) == (("amount", "day"), ("text",))
    assert report.title == "Which 'label' is it, told from 'amount' and 'day'? 2 answers"
    assert report.data["inputs"] == "amount, day"
    shown = next(iter(report.rows["validation"].values())) if report.rows.get("validation") else None
    if shown is not None:
        [day] = [cell for cell in shown.cells if cell.column == "day"]
        assert len(day.text) == len("2024-01-01")
