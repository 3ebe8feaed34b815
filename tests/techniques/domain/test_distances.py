"""CORAL and MMD against their formulas, written out."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from graftwork.techniques import MMD, Coral
from graftwork.techniques.domain.coral import covariance_distance
from graftwork.techniques.domain.mmd import WIDTHS, discrepancy

DOMAIN = [0] * 8 + [1] * 10 + [2] * 4 + [-1] * 2


def features(rows: int, width: int = 5, seed: int = 0, shift: float = 0.0) -> torch.Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)) + shift


def brute_mmd(first: np.ndarray, second: np.ndarray) -> float:
    rows = np.concatenate([first, second])
    pairs = [np.sum((a - b) ** 2) for a, b in itertools.permutations(rows, 2)]
    usual = sum(pairs) / len(pairs)

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.mean([math.exp(-np.sum((a - b) ** 2) / (w * usual)) for w in WIDTHS]))

    def mean(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.mean([kernel(a, b) for a in one for b in other]))

    return mean(first, first) + mean(second, second) - 2 * mean(first, second)


def test_coral_is_the_distance_of_the_covariances():
    first, second = features(7), features(9, seed=1, shift=2.0)
    expected = np.sum((np.cov(first.numpy().T) - np.cov(second.numpy().T)) ** 2) / (4 * 5**2)
    assert float(covariance_distance(first, second)) == pytest.approx(expected, rel=1e-4)


def test_coral_does_not_see_a_shift_of_the_mean():
    first = features(20)
    assert float(covariance_distance(first, first + 3.0)) == pytest.approx(0.0, abs=1e-6)


def test_mmd_is_the_mean_kernel_within_less_that_across():
    first, second = features(6), features(8, seed=1, shift=0.5)
    assert float(discrepancy(first, second)) == pytest.approx(brute_mmd(first.numpy(), second.numpy()), rel=1e-4)


def test_mmd_of_far_and_of_equal_domains():
    first = features(30)
    assert float(discrepancy(first, first)) == pytest.approx(0.0, abs=1e-6)
    assert float(discrepancy(first, features(30, seed=1, shift=9.0))) > 0.5


@pytest.mark.parametrize(("technique", "distance"), [(Coral(2.0), covariance_distance), (MMD(2.0), discrepancy)])
def test_the_term_is_the_mean_over_pairs_of_domains(technique, distance, fixture):
    this = fixture(domain=DOMAIN)
    stages = this.stages(technique)
    measured = stages.objective(this.network.as_forward(), this.batch)
    parts = [measured.output.features.rows[[at for at, d in enumerate(DOMAIN) if d == code]] for code in range(3)]
    expected = torch.stack([distance(a, b) for a, b in itertools.combinations(parts, 2)]).mean()
    term = measured.terms[technique.name]
    assert float(term.mean.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert term.weight == 2.0


@pytest.mark.parametrize("technique", [Coral(), MMD()])
def test_a_batch_of_one_domain_has_a_term_of_zero_and_still_a_gradient(technique, fixture):
    this = fixture(domain=[0] * 23 + [1])
    measured = this.stages(technique).objective(this.network.as_forward(), this.batch)
    assert float(measured.terms[technique.name].mean.detach()) == 0.0
    measured.total.backward()


@pytest.mark.parametrize("technique", [Coral, MMD])
def test_nothing_at_weight_0(technique, fixture):
    this = fixture(domain=DOMAIN)
    plain, with_it = this.gradients(), this.gradients(technique(0.0))
    assert all(torch.equal(value, with_it[name]) for name, value in plain.items())
