"""graftwork.networks.heads.solving.boosting: trees that LightGBM trains in a process of its own, as tensors."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from graftwork.errors import UsageError
from graftwork.networks.features import ColumnPlace
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.heads.solving import boosting, tree_child
from graftwork.networks.heads.solving.problem import Check, Problem
from graftwork.tasks.classification import Classification
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.quantile_regression import QuantileRegression
from graftwork.tasks.regression import Regression

SMALL = "boosting:rounds=40,seeds=2"
PREDICTED = """
import sys, numpy as np, lightgbm
from pathlib import Path
folder = Path(sys.argv[1])
features = np.load(folder / "features.npy")
targets = np.load(folder / "targets.npy").shape[1]
for at in range(targets):
    seeds = [lightgbm.Booster(model_file=str(path)) for path in sorted(folder.glob(f"model-{at}-*.txt"))]
    raw = np.mean([seed.predict(features, raw_score=True) for seed in seeds], axis=0)
    np.save(folder / f"raw-{at}.npy", raw.reshape(len(features), -1))
"""
"""What LightGBM itself predicts, in a process that has no torch in it."""
PLACES = (ColumnPlace(0), ColumnPlace(1, missing=2), ColumnPlace(4, size=6), ColumnPlace(10, size=3))
"""Of 13 features: two numbers, the flag of the second, one that says nothing, and two categories."""


def rows(count: int = 240, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, 13), laid out as `PLACES` says, and a number that follows from them (N,)."""
    draw = np.random.default_rng(seed)
    features = np.zeros((count, 13), np.float32)
    features[:, 0], features[:, 1] = draw.normal(size=count), draw.normal(size=count)
    missing = draw.random(count) < 0.3
    features[missing, 1], features[:, 2] = 0, missing
    features[:, 3] = draw.normal(size=count)
    first, second = draw.integers(0, 7, count), draw.integers(0, 3, count)  # 6: none of the categories
    for at in range(6):
        features[:, 4 + at] = first == at
    for at in range(3):
        features[:, 10 + at] = second == at
    number = np.sin(2 * features[:, 0]) + missing + np.isin(first, (1, 4)) * 2 + 0.1 * draw.normal(size=count)
    return features, ((number - number.mean()) / number.std()).astype(np.float32)


def problem_of(kind: str) -> tuple[Problem, int]:
    features, number = rows()
    high = np.digitize(number, (-0.5, 0.6))
    names = np.array(["low", "mid", "high"])[high]
    if kind == "number":
        return Problem(features, number, Regression()), 1
    if kind == "quantiles":
        return Problem(features, number, QuantileRegression(levels=(0.2, 0.8))), 2
    if kind in ("classes", "two"):
        column = pa.chunked_array([pa.array(names if kind == "classes" else names == "low")])
        task = Classification().learn(column, "tiny")
        targets, _ = task.encode(column, "tiny", np.arange(len(names)))
        return Problem(features, targets, task), task.outputs
    lists = [["any", *(["low"] if one == "low" else []), *(["odd"] if at % 2 else [])] for at, one in enumerate(names)]
    task = Multilabel().learn(pa.chunked_array([pa.array(lists)]), "tiny")
    targets, _ = task.encode(pa.chunked_array([pa.array(lists)]), "tiny", np.arange(len(names)))
    return Problem(features, targets, task), 3


def solved(problem: Problem, outputs: int, spec: str = SMALL) -> RowHead:
    head = RowHead(problem.features.shape[1], outputs, spec)
    assert head.solve(replace(problem, places=PLACES if problem.features.shape[1] == 13 else None))
    return head


@pytest.mark.parametrize("kind", ["number", "quantiles", "classes", "two", "many"])
def test_it_predicts_what_lightgbm_does(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With missing values, categories, and rows that have none of them; to 1e-6, by trees of its own in torch."""
    kept = tmp_path / "kept"

    def run_and_keep(folder: Path, check: Check) -> None:
        tree_child.run_worker(folder, check)
        shutil.copytree(folder, kept)

    monkeypatch.setattr(boosting, "run_worker", run_and_keep)
    problem, outputs = problem_of(kind)
    head = solved(problem, outputs)
    subprocess.run([sys.executable, "-c", PREDICTED, kept], check=True)
    raw = [np.load(kept / f"raw-{at}.npy") for at in range(len(list(kept.glob("raw-*.npy"))))]
    ours = head.of_rows(torch.from_numpy(problem.features)).numpy()
    assert json.loads((kept / "job.json").read_text())["categories"] == [2, 3]
    assert np.isnan(np.load(kept / "features.npy")).any(axis=0).tolist() == [False, True, True, False]
    if kind == "two":
        assert not ours[:, 0].any()
        ours = ours[:, 1:]
    if kind == "many":  # every row has "any": nothing to train
        assert (ours[:, 0] > 3).all()
        ours = ours[:, 1:]
    np.testing.assert_allclose(ours, np.concatenate(raw, axis=1), atol=1e-6, rtol=1e-6)
    predictions = head.of_rows(torch.from_numpy(problem.features))
    assert problem.task.loss(predictions, torch.from_numpy(problem.targets)).mean() < 0.5


def test_categories_that_no_row_had_and_missing_values_go_their_way() -> None:
    problem, _ = problem_of("number")
    head = solved(problem, 1)
    layer = head.layers[0]
    one = torch.zeros(3, 13)
    one[1, 2] = 1  # the second number is missing
    one[2, 5] = 1  # category 1 of the first column
    read = layer.read(one)
    assert read[0].isnan().tolist() == [False, False, True, True]
    assert read[1].isnan().tolist() == [False, True, True, True]
    assert read[2, 2] == 1
    found = head.of_rows(one)[:, 0]
    assert torch.isfinite(found).all()
    assert found[1] > found[0] + 0.3
    assert found[2] > found[0] + 0.5


def test_two_runs_give_the_same_bits_with_any_number_of_threads() -> None:
    problem, outputs = problem_of("classes")
    quick = "boosting:rounds=8,seeds=2"
    first = solved(problem, outputs, quick).state_dict()
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        second = solved(problem, outputs, quick).state_dict()
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    other = solved(replace(problem, seed=1), outputs, quick).state_dict()
    assert not torch.equal(first["layers.0.value"], other["layers.0.value"])


def test_weights_count() -> None:
    """Two answers to the same question: the heavier one wins."""
    features = np.zeros((60, 2), np.float32)
    targets = (np.arange(60) % 2).astype(np.float32)
    weight = np.where(targets == 1, 9.0, 1.0).astype(np.float32)
    plain = solved(Problem(features, targets, Regression()), 1)
    heavy = solved(Problem(features, targets, Regression(), weight=weight), 1)
    assert float(plain.of_rows(torch.zeros(1, 2))) == pytest.approx(0.5, abs=1e-4)
    assert float(heavy.of_rows(torch.zeros(1, 2))) == pytest.approx(0.9, abs=1e-4)


def test_few_rows_and_one_class_are_no_trouble() -> None:
    column = pa.chunked_array([pa.array(["a", "b"] * 3)])
    task = Classification().learn(column, "tiny")
    features = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    targets = np.array([0, 1, 0, 1, 0, 1])
    few = solved(Problem(features, targets, task), 2)
    assert torch.isfinite(few.of_rows(torch.from_numpy(features))).all()
    alone = solved(Problem(features, targets, task, weight=(targets == 1).astype(np.float32)), 2)
    assert alone.of_rows(torch.from_numpy(features)).argmax(1).tolist() == [1] * 6


@pytest.mark.parametrize("found", [None, "4.5.0", "unknown"])
def test_without_lightgbm_it_says_what_to_install(found: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if found is None:
            raise boosting.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(boosting, "version", version)
    with pytest.raises(UsageError, match=r"LightGBM 4\.6 or newer.*pip install 'graftwork\[tables\]'"):
        RowHead(3, 2, "boosting").check_solvable()


@pytest.mark.parametrize("wrong", ["rounds=0", "rate=0", "rate=1.5", "leaves=1", "seeds=-1"])
def test_settings_out_of_their_range(wrong: str) -> None:
    with pytest.raises(UsageError, match=r"head 'boosting': .* Expected"):
        RowHead(3, 2, f"boosting:{wrong}")
