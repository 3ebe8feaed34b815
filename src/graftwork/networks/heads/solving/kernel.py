"""Solving a kernel head: kernel ridge regression on fixed features, in closed form.

Scores are `sum_i a_i exp(-gamma |x - x_i|^2 / m)`, with `a = (K + l2 I)^-1 (Y - mean)`; Y holds one column an output
and m is the mean squared distance between rows. The penalty is chosen by the closed-form leave-one-out error (Rasmussen
& Williams 2006, eq. 5.12), and the same leave-one-out scores give the factor that makes logits of them. With more rows
than landmarks, `a` is solved on a sample of them (Nystrom; Rudi, Carratino & Rosasco 2017).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from graftwork.networks.heads.layers.kernel import KernelLayer
from graftwork.networks.heads.solving.cholesky import cholesky
from graftwork.networks.heads.solving.problem import Check, Problem, SolvableHead, Solved, softened, unhurried

PENALTIES = (0.03, 0.1, 0.3, 1.0)
TRIED = 3000
"""Rows on which the penalty is chosen at most: each try inverts a matrix of this size."""
CHUNK = 4096
USED = 50_000
"""Rows that are learned from at most; similarity to more of them changes little."""
NYSTROM_WORK = 1e12
"""Multiplications that are spent on rows x landmarks^2; sets the landmarks of large tables."""
FACTORS = tuple(2.0 ** (power / 2) for power in range(-2, 15))


@dataclass(frozen=True)
class Chosen:
    """penalty and factor that were chosen; factor turns ridge scores into logits."""

    penalty: float
    factor: float


def fit_kernel(head: SolvableHead, layer: KernelLayer, landmarks: int, problem: Problem) -> Chosen:
    """Solve a kernel head on the rows of weight above 0."""
    shift, scale = head.standardise(problem)
    used = problem.used(USED)
    rows = rows_of(problem.features[used], shift, scale)
    truth = torch.from_numpy(problem.targets[used]).to(shift.device)
    with torch.no_grad():
        return solve_kernel(layer, landmarks, rows, truth, problem.task, problem.seed, problem.check)


def solve_kernel(
    layer: KernelLayer,
    landmarks: int,
    features: Tensor,
    targets: Tensor,
    task: Solved,
    seed: int,
    check: Check = unhurried,
) -> Chosen:
    """Write the solution into `layer`. features (N, F) standardised, targets (N, ...) as the task encodes them."""
    draw = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(features), generator=draw)
    truth = softened(task, targets).float().reshape(len(features), -1)
    mean = truth.mean(dim=0)
    some = features[order[:CHUNK]]
    layer.spread.fill_(max(float(2 * (some - some.mean(0)).square().sum(1).mean()), 1e-12))
    tried = order[:TRIED]
    solved = _choose(layer, features[tried], truth[tried] - mean, mean, targets[tried], task, check)
    rows = min(len(features), landmarks)
    if rows < len(features):
        rows = min(rows, max(256, int(math.sqrt(NYSTROM_WORK / len(features)))))
    kept = torch.sort(order[:rows]).values
    layer.landmarks = features[kept]
    centred = truth - mean
    full = rows == len(features)
    if full:
        weight = _solve_full(layer, centred, solved.penalty, check)
    else:
        weight = _solve_sample(layer, features, centred, solved.penalty, check)
    # Row by row, as it is when it was saved and loaded: products round by how a matrix lies in memory.
    layer.weight = nn.Parameter((weight * solved.factor).contiguous())
    with torch.no_grad():
        layer.bias.copy_(mean * solved.factor)
    return solved


def leave_one_out(similarity: Tensor, truth: Tensor, penalty: float) -> Tensor:
    """Scores of each row from all the others: `y_i - a_i / (G^-1)_ii` with `G = K + penalty I`; (N, outputs)."""
    gram = similarity.clone()
    gram.diagonal().add_(penalty)
    inverse = torch.cholesky_inverse(cholesky(gram))
    exact = truth.to(inverse.dtype)
    return (exact - (inverse @ exact) / inverse.diagonal().unsqueeze(1)).to(truth.dtype)


def _choose(
    layer: KernelLayer, features: Tensor, truth: Tensor, mean: Tensor, targets: Tensor, task: Solved, check: Check
) -> Chosen:
    """The penalty and factor of lowest leave-one-out loss; a task without classes keeps the factor 1."""
    layer.landmarks = features
    similarity = layer.similarity(features)
    factors = FACTORS if "classes" in task.facts else (1.0,)
    found: list[tuple[float, float, float]] = []
    for penalty in PENALTIES:
        check()
        scores = leave_one_out(similarity, truth, penalty) + mean
        found += [(float(task.loss(scores * f, targets).mean()), penalty, f) for f in factors]
    _, penalty, factor = min(found)
    return Chosen(penalty, factor)


def _solve_full(layer: KernelLayer, truth: Tensor, penalty: float, check: Check) -> Tensor:
    gram = torch.empty(len(truth), len(truth), device=truth.device)
    for start in range(0, len(truth), CHUNK):
        check()
        gram[start : start + CHUNK] = layer.similarity(layer.landmarks[start : start + CHUNK])
    gram.diagonal().add_(penalty)
    factor = cholesky(gram)
    return torch.cholesky_solve(truth.to(factor.dtype), factor).to(truth.dtype)


def _solve_sample(layer: KernelLayer, features: Tensor, truth: Tensor, penalty: float, check: Check) -> Tensor:
    """`(K_mn K_nm + penalty K_mm) a = K_mn y`, some rows at a time and in double precision."""
    corner = layer.similarity(layer.landmarks).double()
    gram, right = corner * penalty, torch.zeros(len(corner), truth.shape[1], dtype=torch.float64, device=truth.device)
    for start in range(0, len(features), CHUNK):
        check()
        part = layer.similarity(features[start : start + CHUNK])
        gram += (part.T @ part).double()
        right += (part.T @ truth[start : start + CHUNK]).double()
    gram.diagonal().add_(1e-6 * float(gram.diagonal().mean()))
    return torch.cholesky_solve(right, cholesky(gram)).float()


def rows_of(features: np.ndarray, shift: Tensor, scale: Tensor) -> Tensor:
    """Standardised features on the device of the head."""
    return (torch.from_numpy(np.array(features, np.float32)).to(shift.device) - shift) * scale
