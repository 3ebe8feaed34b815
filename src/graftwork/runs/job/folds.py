"""What a head says of rows that it was solved without: each is predicted by the rows of the other folds."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import torch

from graftwork.core.rows.examples import Examples
from graftwork.core.scoring import probabilities
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.networks.features import Features
from graftwork.networks.heads.head import Head
from graftwork.networks.heads.solving.problem import Problem
from graftwork.tasks.task import Task

FOLDS = 5


def without_own_fold(
    start: Head,
    features: np.ndarray,
    targets: np.ndarray,
    labelled: np.ndarray,
    task: Task,
    seed: int,
    together: np.ndarray | None = None,
) -> np.ndarray:
    """Of each row (N, outputs), what `task.in_units` gives. start: the head that is solved, on features (N, F).
    together: as in `folds`."""
    problem = Problem(features, targets, task, weight=labelled.astype(np.float32), l2=1 / 16)
    scored: np.ndarray = probabilities(task, predictions_across(start, problem, task, seed, together))
    return scored


def predictions_across(
    start: Head, problem: Problem, task: Task, seed: int, together: np.ndarray | None = None
) -> np.ndarray:
    """What the head predicts of each row of a problem (N, outputs), solved on the rows of the other folds."""
    device, features = next(start.parameters()).device, problem.features
    fold = folds(problem.targets if task.single_label else np.zeros(len(features), np.int64), seed, together=together)
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


def together_in(examples: Examples) -> np.ndarray | None:
    """A number for each row (N,), the same for rows of one group or of one rollout: none of them may be scored by what
    the others taught. None where each row is by itself."""
    known = examples.group
    if known is None and examples.rollouts is not None:
        known = examples.rollouts.rollout
    return None if known is None else np.where(known < 0, -1 - np.arange(len(known)), known)


def folds(classes: np.ndarray, seed: int, count: int = FOLDS, together: np.ndarray | None = None) -> np.ndarray:
    """The fold of each row (N,), from 0 to `count` - 1: the rows of each class are dealt out in turn. together: a
    number for each row (N,); rows of the same one are in the same fold, dealt out by the class of the first."""
    if together is not None:
        _, first, unit = np.unique(together, return_index=True, return_inverse=True)
        dealt: np.ndarray = folds(classes[first], seed, min(count, len(first)))[unit]
        return dealt
    order = np.random.default_rng(seed).permutation(len(classes))
    by_class = order[np.argsort(classes[order], kind="stable")]
    fold = np.empty(len(classes), np.int64)
    fold[by_class] = np.arange(len(classes)) % count
    return fold
