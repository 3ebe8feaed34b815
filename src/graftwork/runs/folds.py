"""What a head says of rows that it was solved without: each is predicted by the rows of the other folds."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import torch

from graftwork.core.scoring import probabilities
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.networks.features import Features
from graftwork.networks.heads.head import Head
from graftwork.networks.heads.solving.problem import Problem
from graftwork.tasks.task import Task

FOLDS = 5


def without_own_fold(
    start: Head, features: np.ndarray, targets: np.ndarray, labelled: np.ndarray, task: Task, seed: int
) -> np.ndarray:
    """Of each row (N, outputs), what `task.in_units` gives. start: the head that is solved, on features (N, F)."""
    problem = Problem(features, targets, task, weight=labelled.astype(np.float32), l2=1 / 16)
    scored: np.ndarray = probabilities(task, predictions_across(start, problem, task, seed))
    return scored


def predictions_across(start: Head, problem: Problem, task: Task, seed: int) -> np.ndarray:
    """What the head predicts of each row of a problem (N, outputs), solved on the rows of the other folds."""
    device, features = next(start.parameters()).device, problem.features
    fold = folds(problem.targets if task.single_label else np.zeros(len(features), np.int64), seed)
    predictions = np.zeros((len(features), task.outputs), np.float32)
    for index in range(FOLDS):
        head, held = copy.deepcopy(start), fold == index
        weight = np.where(held, np.float32(0), problem.importance)
        if not held.any() or not weight.any():
            continue
        head.eval().solve(replace(problem, weight=weight))
        with torch.inference_mode():
            seen = torch.from_numpy(features[held]).to(device)
            found = head(Features(seen), Batch({}, torch.arange(len(seen), device=device)))
            predictions[held] = one_tensor(found).cpu().numpy()
    return predictions


def folds(classes: np.ndarray, seed: int, count: int = FOLDS) -> np.ndarray:
    """The fold of each row (N,), from 0 to `count` - 1: the rows of each class are dealt out in turn."""
    order = np.random.default_rng(seed).permutation(len(classes))
    by_class = order[np.argsort(classes[order], kind="stable")]
    fold = np.empty(len(classes), np.int64)
    fold[by_class] = np.arange(len(classes)) % count
    return fold
