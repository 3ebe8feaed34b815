"""graftwork.tasks.quantile_regression against scikit-learn and numpy; from the command line to predicted columns."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from sklearn.metrics import mean_absolute_error, mean_pinball_loss

from command import graft
from graftwork.errors import UsageError
from graftwork.tasks.metrics.registry import score
from graftwork.tasks.quantile_regression import QuantileRegression
from graftwork.tasks.registry import parse_task
from graftwork.tasks.section import SeenRows

LEVELS = (0.1, 0.5, 0.9)


def learned(values: np.ndarray, levels: tuple[float, ...] = LEVELS) -> tuple[QuantileRegression, np.ndarray]:
    column = pa.chunked_array([values.tolist()])
    task = QuantileRegression(levels=levels).learn(column, "rows.csv")
    return task, task.encode(column, "rows.csv", np.arange(len(values)))[0]


def test_the_loss_is_scikit_learns_pinball_loss():
    generator = np.random.default_rng(0)
    truth = generator.normal(size=40).astype(np.float32)
    quantiles = generator.normal(size=(40, 3)).astype(np.float32)
    loss = QuantileRegression().loss(torch.from_numpy(quantiles), torch.from_numpy(truth))
    assert loss.shape == (40,)
    expected = np.mean([mean_pinball_loss(truth, quantiles[:, at], alpha=level) for at, level in enumerate(LEVELS)])
    assert loss.mean().item() == pytest.approx(expected, rel=1e-5)


def test_metrics_know_the_levels_of_their_task():
    generator = np.random.default_rng(1)
    truth = generator.normal(50, 20, 200)
    task, targets = learned(truth, (0.25, 0.75))
    quantiles = np.sort(generator.normal(50, 20, (200, 2)), axis=1)
    pinball = [mean_pinball_loss(truth, quantiles[:, at], alpha=level) for at, level in enumerate((0.25, 0.75))]
    assert score(task, "pinball_loss", targets, quantiles) == pytest.approx(np.mean(pinball), rel=1e-5)
    inside = [low <= value <= high for value, (low, high) in zip(task.truth(targets), quantiles, strict=True)]
    assert score(task, "coverage", targets, quantiles) == pytest.approx(np.mean(inside))
    assert score(task, "interval_width", targets, quantiles) == pytest.approx(np.mean(np.diff(quantiles, axis=1)))
    middle = quantiles.mean(axis=1)
    assert score(task, "mae", targets, quantiles) == pytest.approx(mean_absolute_error(truth, middle), rel=1e-5)


def test_quantiles_never_cross_and_come_back_in_units():
    task, targets = learned(np.array([10.0, 20.0, 30.0, 60.0]))
    units = task.in_units(np.stack([targets + 1, targets, targets - 1], axis=1))
    assert (np.diff(units, axis=1) > 0).all()
    assert units[:, 1] == pytest.approx([10, 20, 30, 60], rel=1e-5)
    assert task.predicted(units) == pytest.approx([10, 20, 30, 60], rel=1e-5)
    assert task.decode(units)[0] == pytest.approx(units[0])
    assert task.columns("price") == ("price_q0.1", "price_q0.5", "price_q0.9")
    again = QuantileRegression().with_state(json.loads(json.dumps(task.state())))
    assert again == task


def test_the_constant_answer_is_the_quantiles_of_the_training_rows():
    values = np.arange(101, dtype=float)
    task, targets = learned(values)
    named, constant = task.constant(targets, task.metrics()["pinball_loss"], np.zeros((2, 3))) or ("", np.zeros(0))
    assert constant.tolist() == pytest.approx(np.array([[10, 50, 90], [10, 50, 90]]), abs=1e-3)
    assert "quantiles" in named


def test_the_section_counts_rows_below_each_quantile():
    task, _ = learned(np.arange(10.0))
    kept = np.tile([1.5, 4.5, 8.5], (10, 1))
    (section,) = task.sections(np.arange(10.0), kept, SeenRows(np.arange(10)))
    assert section.grid is not None
    assert [row[2] for row in section.grid.rows] == ["20.0 %", "50.0 %", "90.0 %"]
    assert "70.0% of 10 rows" in section.sentences[0]


@pytest.mark.parametrize("levels", ["0.5", "0.9+0.1", "0+0.5", "0.5+1", "0.1+0.1"])
def test_levels_that_are_none_are_refused(levels: str):
    with pytest.raises(UsageError, match=r"levels is .*Expected two numbers or more between 0 and 1"):
        parse_task(f"quantile-regression:levels={levels}")


def test_targets_can_not_be_mixed_since_that_would_narrow_them():
    assert "mixable_targets" not in QuantileRegression().facts
    assert {"comparable_predictions", "real_targets"} <= QuantileRegression().facts


@pytest.mark.slow
def test_from_the_command_line_to_the_file_of_predictions(tmp_path: Path):
    generator = np.random.default_rng(0)
    size = generator.uniform(20, 200, 240)
    price = size * generator.uniform(0.5, 1.5, 240)
    data = tmp_path / "houses.csv"
    lines = [f"{one:.2f},{other:.2f}" for one, other in zip(size, price, strict=True)]
    data.write_text("size,price\n" + "\n".join(lines) + "\n")
    model, out = tmp_path / "model", tmp_path / "out.csv"
    options = ("--target", "price", "--task", "quantile-regression:levels=0.2+0.8", "--with", "probe")
    graft("fit", data, *options, "--set", "steps=4", "--out", model).works()
    report = (model / "report.html").read_text(encoding="utf-8")
    assert "Rows below each quantile" in report
    assert "pinball loss" in report.lower()
    graft("predict", model, data, "--out", out, "--proba").works()
    with open(out, newline="") as file:
        rows = list(csv.DictReader(file))
    low, high = ([float(row[f"prediction(price_q{level})"]) for row in rows] for level in ("0.2", "0.8"))
    assert all(one <= other for one, other in zip(low, high, strict=True))
    assert [float(row["p(price_q0.8)"]) for row in rows] == pytest.approx(high, rel=1e-4)
    scores = json.loads(graft("evaluate", model, data, "--json").works().out)
    truth = [float(row["price"]) for row in rows]
    expected = np.mean([mean_pinball_loss(truth, found, alpha=level) for found, level in ((low, 0.2), (high, 0.8))])
    assert scores["pinball_loss"]["value"] == pytest.approx(expected, rel=1e-3)
