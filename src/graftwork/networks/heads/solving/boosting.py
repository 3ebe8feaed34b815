"""Solving a head of boosted trees: LightGBM trains them in a process of its own, and its text becomes tensors.

Few rows are trained on again and again (5 folds, 4 seeds), so that the number of rounds and the shape of the trees are
not chosen by chance. Two shapes are tried: a few leaves with thresholds drawn at random (Geurts et al. 2006), which is
better on few rows, and more leaves with the best thresholds.

Source: Friedman 2001 (gradient boosting); Ke et al. 2017 (LightGBM).
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graftwork.errors import UsageError
from graftwork.networks.features import ColumnPlace
from graftwork.networks.heads.layers.trees import TreesLayer
from graftwork.networks.heads.solving.problem import NamedLoss, Problem, named_loss
from graftwork.networks.heads.solving.tree_child import run_worker
from graftwork.networks.heads.solving.tree_tensors import tensors_of
from graftwork.networks.heads.solving.tree_text import Tree, read_trees

FEW, FOLDS = 2_000, 5
"""Rows up to which there are 5 folds and 4 seeds; of more rows one fifth is held out once."""
FEW_SEEDS = 4
FEWEST, USUAL_ROUNDS = 20, 50
"""Rows below which none is held out, and the rounds that are made then."""
PATIENCE = 40
CELLS = 200_000_000
"""Rows x columns that are learned from at most."""
TREES = 20_000
"""Trees of a softmax at most: with many classes the rounds are fewer."""
ONLY_CLASS = 10.0
"""The logit of a class that all rows have."""
WIDE = 100
"""Columns that each split may ask for, about, where there are many."""


@dataclass(frozen=True)
class Growth:
    """The settings of the head boosting (`heads/boosting.py`)."""

    rounds: int
    rate: float
    leaves: int
    seeds: int


def check_installed() -> None:
    """Raise UsageError where LightGBM is missing or too old."""
    if not installed():
        raise UsageError(
            "The head 'boosting' is trained by LightGBM 4.6 or newer, which is not installed here. "
            "Run: pip install 'graftwork[tables]'. Other heads: graft list heads."
        )


def installed() -> bool:
    """Whether there is a LightGBM that can train, without importing it."""
    try:
        major, minor = version("lightgbm").split(".")[:2]
        return (int(major), int(minor)) >= (4, 6)
    except (PackageNotFoundError, ValueError):
        return False


def fit_boosting(layer: TreesLayer, growth: Growth, problem: Problem) -> list[dict[str, Any]]:
    """Put trees into the layer that are trained on the rows of weight above 0; gives rounds, shape and held-out loss of
    each target that was trained."""
    check_installed()
    places = problem.places or tuple(ColumnPlace(at) for at in range(problem.features.shape[1]))
    columns = torch.tensor([_row(place) for place in places], dtype=torch.int32).reshape(-1, 3)
    used = problem.used(max(FEWEST, CELLS // max(1, len(places))))
    layer.columns = columns.to(layer.bias.device)
    features = layer.read(torch.from_numpy(np.array(problem.features[used], np.float32)).to(layer.bias.device))
    weight = problem.importance[used]
    targets = _targets(named_loss(problem.task), problem.targets[used], weight, problem.task.outputs)
    categories = [at for at, place in enumerate(places) if place.size > 1]
    done: list[dict[str, Any]] = []
    trees: list[list[Tree]] = [[] for _ in targets.objectives]
    if targets.objectives:
        with tempfile.TemporaryDirectory(prefix="graftwork-trees-") as name:
            folder = Path(name)
            _write(folder, features.cpu().numpy(), targets, weight, categories, growth, problem)
            run_worker(folder, problem.check)
            done = json.loads((folder / "done.json").read_text(encoding="utf-8"))
            for at, seeds in enumerate(trees):
                for path in sorted(folder.glob(f"model-{at}-*.txt")):
                    seeds += read_trees(path.read_text(encoding="utf-8"), len(places))
    of_output = _by_output(trees, targets)
    trained = tensors_of(of_output, _seeds(growth, len(used)))
    layer.put({"columns": columns, "bias": torch.from_numpy(targets.bias), **trained})
    return done


def _row(place: ColumnPlace) -> tuple[int, int, int]:
    return place.start, place.size, -1 if place.missing is None else place.missing


@dataclass(frozen=True)
class _Targets:
    """What is trained. objectives: LightGBM's settings of each target; values (N, targets); outputs: those that the
    trees of each target add to, in turn; bias (outputs,): of those that have no trees."""

    objectives: list[dict[str, Any]]
    values: np.ndarray
    outputs: list[list[int]]
    bias: np.ndarray


def _targets(loss: NamedLoss, targets: np.ndarray, weight: np.ndarray, outputs: int) -> _Targets:
    if loss.name == "softmax":
        return _of_classes(targets, outputs)
    if loss.name == "logistic":
        return _of_each_class(targets.reshape(len(targets), -1), weight)
    kinds = [{"objective": "quantile", "alpha": level} for level in loss.levels] or [{"objective": "regression"}]
    values = np.repeat(targets.reshape(-1, 1), len(kinds), axis=1)
    return _Targets(kinds, values, [[at] for at in range(outputs)], np.zeros(outputs, np.float32))


def _of_classes(targets: np.ndarray, outputs: int) -> _Targets:
    """One softmax; of two classes the first one's logit stays at 0, and of a single one there is nothing to train."""
    bias = np.zeros(outputs, np.float32)
    if len(np.unique(targets)) < 2:
        bias[targets[:1]] = ONLY_CLASS
        return _Targets([], np.zeros((len(targets), 0)), [], bias)
    if outputs == 2:
        return _Targets([{"objective": "binary"}], targets[:, None], [[1]], bias)
    kind = {"objective": "multiclass", "num_class": outputs}
    return _Targets([kind], targets[:, None], [list(range(outputs))], bias)


def _of_each_class(targets: np.ndarray, weight: np.ndarray) -> _Targets:
    """A class by itself (N, C); one that all rows or none have keeps the logit of its share, a little less sure."""
    share = (weight @ targets + 0.5) / (weight.sum() + 1)
    varied = np.flatnonzero(targets.min(axis=0) != targets.max(axis=0))
    bias = np.log(share / (1 - share)).astype(np.float32)
    bias[varied] = 0.0
    return _Targets([{"objective": "binary"} for _ in varied], targets[:, varied], [[int(at)] for at in varied], bias)


def _seeds(growth: Growth, rows: int) -> int:
    return growth.seeds or (FEW_SEEDS if rows <= FEW else 1)


def _write(
    folder: Path,
    features: np.ndarray,
    targets: _Targets,
    weight: np.ndarray,
    categories: list[int],
    growth: Growth,
    problem: Problem,
) -> None:
    """job.json and the arrays that the program reads (`tree_worker.py`)."""
    rows, columns = features.shape
    classes = max(len(outputs) for outputs in targets.outputs)
    arrays = {"features": features, "targets": targets.values, "weight": weight}
    one = len(targets.objectives) == 1
    arrays["folds"] = _folds(targets.values[:, 0] if one else None, rows, problem)
    for name, values in arrays.items():
        kept = np.ascontiguousarray(values, np.int8 if name == "folds" else np.float32)
        np.save(folder / f"{name}.npy", kept, allow_pickle=False)
    rounds = min(growth.rounds, max(1, TREES // classes))
    job = {
        "objectives": targets.objectives,
        "shapes": _shapes(growth, rows),
        "rounds": rounds,
        "usual": USUAL_ROUNDS,
        "patience": PATIENCE,
        "seeds": _seeds(growth, rows),
        "categories": categories,
        "settings": {
            "learning_rate": growth.rate,
            "lambda_l2": 1.0,
            "feature_fraction_bynode": min(0.5, WIDE / columns) if columns > 1 else 1.0,
            "bagging_fraction": 0.8,
            "bagging_freq": 1,
            "min_data_per_group": max(5, min(100, rows // 100)),
            "seed": problem.seed % 2**31,
            "num_threads": torch.get_num_threads(),
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        },
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")


def _shapes(growth: Growth, rows: int) -> list[dict[str, Any]]:
    least = max(1, min(20, rows // 50))
    drawn = {"num_leaves": growth.leaves or 8, "min_data_in_leaf": max(1, least // 2), "extra_trees": True}
    best = {"num_leaves": growth.leaves or (16 if rows <= 10_000 else 31), "min_data_in_leaf": least}
    return [drawn, best]


def _folds(kinds: np.ndarray | None, rows: int, problem: Problem) -> np.ndarray:
    """The fold that each row is held out with (N,), dealt out in the order of the target; -1 for none."""
    if rows < FEWEST:
        return np.full(rows, -1)
    order = np.random.default_rng(problem.seed).permutation(rows)
    if kinds is not None:
        order = order[np.argsort(kinds[order], kind="stable")]
    folds = np.empty(rows, np.int64)
    folds[order] = np.arange(rows) % FOLDS
    return folds if rows <= FEW else np.where(folds == 0, 0, -1)


def _by_output(trees: list[list[Tree]], targets: _Targets) -> list[list[Tree]]:
    """The trees of each output; those of a softmax take turns."""
    found: list[list[Tree]] = [[] for _ in targets.bias]
    for made, outputs in zip(trees, targets.outputs, strict=True):
        for at, tree in enumerate(made):
            found[outputs[at % len(outputs)]].append(tree)
    return found
