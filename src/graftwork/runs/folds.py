"""What a head says of rows that it was solved without: each is predicted by the rows of the other folds."""

from __future__ import annotations

import copy

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
    device = next(start.parameters()).device
    fold = folds(targets if task.single_label else np.zeros(len(targets), np.int64), seed)
    predictions = np.zeros((len(targets), task.outputs), np.float32)
    for index in range(FOLDS):
        head, held = copy.deepcopy(start), fold == index
        weight = (labelled & ~held).astype(np.float32)
        if not held.any() or not weight.any():
            continue
        head.eval().solve(Problem(features, targets, task, weight=weight, l2=1 / 16))
        with torch.inference_mode():
            seen = torch.from_numpy(features[held]).to(device)
            found = head(Features(seen), Batch({}, torch.arange(len(seen), device=device)))
            predictions[held] = one_tensor(found).cpu().numpy()
    scored: np.ndarray = probabilities(task, predictions)
    return scored


def folds(classes: np.ndarray, seed: int) -> np.ndarray:
    """The fold of each row (N,), from 0 to 4: the rows of each class are dealt out in turn."""
    order = np.random.default_rng(seed).permutation(len(classes))
    by_class = order[np.argsort(classes[order], kind="stable")]
    fold = np.empty(len(classes), np.int64)
    fold[by_class] = np.arange(len(classes)) % FOLDS
    return fold
