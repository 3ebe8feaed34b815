"""Probes on row features: linear heads solved on some rows, which answer for others."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch

from graftwork.core.scoring import probabilities
from graftwork.data.batch import Batch
from graftwork.data.tensors import one_tensor
from graftwork.data.values import Values
from graftwork.networks.features import Features
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.heads.solving.fitting import fit_linear
from graftwork.networks.heads.solving.problem import L2, Problem
from graftwork.runs.job.folds import FOLDS, folds
from graftwork.runs.profile.features import RowFeatures
from graftwork.tasks.task import Task

MOST = 10_000
"""Rows that one probe learns from at most: more of them hardly change what it doubts."""
CHUNK = 8192
AUTO: L2 = "auto"


@dataclass(frozen=True)
class Probe:
    """A linear head that was solved, and the penalty that was used."""

    head: RowHead
    l2: float


def probe(
    start: RowHead,
    features: np.ndarray,
    targets: Values,
    task: Task,
    rows: np.ndarray,
    seed: int,
    like: Probe | None = None,
) -> Probe:
    """A linear head solved on these rows (their places in the arrays). like: a probe of about as many rows of the same
    kind, whose penalty is taken; without it the penalty is chosen on rows that are held out."""
    head, l2 = copy.deepcopy(start).to("cpu").eval(), AUTO if like is None else like.l2
    problem = Problem(np.ascontiguousarray(features[rows]), np.asarray(targets[rows]), task, l2=l2, seed=seed)
    return Probe(head, fit_linear(head, problem, None if like is None else like.head))


def answers(head: RowHead, features: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """What a probe predicts of these rows (M, outputs), before softmax."""
    found = [np.zeros((0, head.outputs), np.float32)]
    for at in range(0, len(rows), CHUNK):
        seen = torch.from_numpy(np.ascontiguousarray(features[rows[at : at + CHUNK]]))
        with torch.inference_mode():
            found.append(one_tensor(head(Features(seen), Batch({}, torch.arange(len(seen))))).numpy())
    return np.concatenate(found)


def out_of_fold(start: RowHead, rows: RowFeatures, target: str, task: Task, seed: int) -> np.ndarray:
    """Of each row (N, outputs), what `task.in_units` gives by a probe that learned from rows of the other folds, of at
    most `MOST`. The penalty is chosen in the first fold."""
    features, targets, labelled = rows.values, np.asarray(rows.targets[target]), rows.labelled[target]
    kinds = np.where(labelled, targets, -1) if task.single_label else np.zeros(len(features), np.int64)
    fold = folds(kinds, seed, together=rows.together)
    generator, first = np.random.default_rng(seed), None
    kept = np.zeros((len(features), task.outputs), np.float32)
    for index in range(FOLDS):
        held, others = np.flatnonzero(fold == index), np.flatnonzero((fold != index) & labelled)
        if not len(held) or not len(others):
            continue
        if len(others) > MOST:
            others = np.sort(generator.choice(others, MOST, replace=False))
        solved = probe(start, features, targets, task, others, seed, first)
        first = first or solved
        kept[held] = answers(solved.head, features, held)
    found: np.ndarray = probabilities(task, kept)
    return found
