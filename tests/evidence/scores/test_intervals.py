"""Bootstrap intervals agree with a loop over drawn rows, cover the truth, and are quick."""

from __future__ import annotations

import time

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given as draws_of
from hypothesis import settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from graftwork.evidence.scores.intervals import Score, bootstrap, draws
from graftwork.tasks.metrics.registry import METRICS


def scored(truth: np.ndarray, given: dict[str, np.ndarray], **settings: object) -> dict[str, Score]:
    return bootstrap(truth, [(METRICS[name], values) for name, values in given.items()], **settings)  # type: ignore[arg-type]


def answers(rows: int, right: float, seed: int, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=rows)
    chosen = np.where(rng.random(rows) < right, truth, rng.integers(classes, size=rows))
    return truth, chosen


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("accuracy", reference.accuracy_score),
        ("macro_f1", lambda t, c: reference.f1_score(t, c, average="macro")),
        ("mcc", reference.matthews_corrcoef),
    ],
)
def test_every_draw_scores_as_the_rows_it_drew(name: str, function) -> None:  # type: ignore[no-untyped-def]
    truth, chosen = answers(60, 0.7, seed=0)
    for weights in draws(60, seed=3, resamples=20):
        found = METRICS[name].scorer(truth, chosen)(weights)
        for times, value in zip(weights.astype(int), found, strict=True):
            assert times.sum() == 60
            assert value == pytest.approx(function(np.repeat(truth, times), np.repeat(chosen, times)))


def test_interval_agrees_with_a_brute_force_loop() -> None:
    truth, chosen = answers(150, 0.8, seed=0)
    rng = np.random.default_rng(9)
    scores = []
    for _ in range(1000):
        rows = rng.integers(150, size=150)
        scores.append(reference.f1_score(truth[rows], chosen[rows], average="macro"))
    low, high = np.quantile(scores, [0.025, 0.975])
    found = scored(truth, {"macro_f1": chosen}, resamples=2000)["macro_f1"]
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.012)


def test_coverage_is_about_95_percent() -> None:
    truth = np.zeros(200, dtype=int)
    inside = 0
    for seed in range(200):
        wrong = np.random.default_rng(seed).random(200) > 0.8
        found = scored(truth, {"accuracy": wrong.astype(int)}, seed=seed, resamples=300)["accuracy"]
        inside += found.low <= 0.8 <= found.high
    assert 0.89 <= inside / 200 <= 0.985


def test_same_seed_same_interval() -> None:
    truth, chosen = answers(100, 0.7, seed=1)
    first, again, other = (scored(truth, {"macro_f1": chosen}, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first["macro_f1"].display == "Macro-F1"
    assert first != other


@settings(max_examples=30, deadline=None)
@draws_of(st.integers(0, 1000), st.integers(1, 40))
def test_the_value_lies_in_its_interval(seed: int, rows: int) -> None:
    truth, chosen = answers(rows, 0.7, seed)
    probabilities = np.eye(5)[chosen] * 0.6 + 0.08
    given = {"accuracy": chosen, "macro_f1": chosen, "calibration_error": probabilities, "log_loss": probabilities}
    for interval in scored(truth, given, resamples=50).values():
        assert interval.low <= interval.value <= interval.high


def test_all_right_still_has_an_interval() -> None:
    truth = np.zeros(10, dtype=int)
    found = scored(truth, {"accuracy": truth})["accuracy"]
    low = binomtest(10, 10).proportion_ci(method="wilson").low
    assert (found.low, found.value, found.high) == (pytest.approx(low), 1.0, 1.0)
    found = scored(truth, {"accuracy": truth + 1})["accuracy"]
    assert (found.low, found.value, found.high) == (0.0, 0.0, pytest.approx(1 - low))


def test_a_mean_of_classes_is_as_sure_as_its_rare_ones_allow() -> None:
    truth = np.repeat([0, 1], [3000, 3])
    found = scored(truth, {"macro_f1": truth, "balanced_accuracy": truth, "accuracy": truth}, resamples=50)
    rare, common = (rows / (rows + 1.959964**2) for rows in (3, 3000))
    for name in ("macro_f1", "balanced_accuracy"):
        assert found[name].low == pytest.approx((rare + common) / 2, abs=1e-6)
    assert found["accuracy"].low > 0.998


def test_of_two_people_nothing_is_said() -> None:
    truth = np.repeat([0, 1], 6)
    embeddings = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    found = scored(truth, {"eer": embeddings}, units=truth)["eer"]
    assert (found.low, found.high) == (0.0, 1.0)
    assert found.says_nothing
    assert "too few rows to say" in found.text
    many = np.repeat(np.arange(8), 4)
    embeddings = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
    assert not scored(many, {"eer": embeddings}, units=many)["eer"].says_nothing


def test_blocks_hold_all_draws_and_stay_small() -> None:
    blocks = list(draws(30_000, seed=0))
    assert sum(len(block) for block in blocks) == 1000
    assert max(block.size for block in blocks) <= 2_000_000
    assert sum(len(block) for block in draws(1_000_000, seed=0, resamples=3)) == 3


def test_ten_thousand_rows_of_77_classes_take_under_two_seconds() -> None:
    truth, chosen = answers(10_000, 0.9, seed=0, classes=77)
    probabilities = np.eye(77)[chosen] * 0.9 + 0.1 / 77
    reads = {"choices": chosen, "probabilities": probabilities}
    names = ("accuracy", "macro_f1", "log_loss", "calibration_error", "balanced_accuracy", "mcc", "top5_accuracy")
    start = time.process_time()
    scored(truth, {name: reads[METRICS[name].reads] for name in names})
    assert time.process_time() - start < 2
