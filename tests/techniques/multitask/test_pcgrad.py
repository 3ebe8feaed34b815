"""Projected gradients, against Yu et al. 2020's algorithm written out in numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graftwork.errors import RefusedError
from graftwork.techniques import Accumulate, PCGrad, TargetWeights
from graftwork.techniques.multitask.pcgrad import project
from graftwork.techniques.multitask.targets import check_terms

Build = Callable[..., Any]


def surgery(gradients: np.ndarray, order: list[list[int]]) -> np.ndarray:
    """Algorithm 1 of the paper."""
    projected = gradients.copy()
    for i, others in enumerate(order):
        for j in others:
            dot = projected[i] @ gradients[j]
            if dot < 0:
                projected[i] -= dot / np.linalg.norm(gradients[j]) ** 2 * gradients[j]
    return np.asarray(projected.sum(axis=0))


@given(st.integers(0, 1000), st.integers(2, 5))
def test_it_is_the_algorithm_of_the_paper(seed: int, targets: int) -> None:
    draw = np.random.default_rng(seed)
    gradients = draw.normal(size=(targets, 6))
    order = [[j for j in draw.permutation(targets).tolist() if j != i] for i in range(targets)]
    found = project(torch.from_numpy(gradients), order).numpy()
    np.testing.assert_allclose(found, surgery(gradients, order), atol=1e-9)


def test_no_target_is_harmed_by_the_other() -> None:
    first, second = torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 1.0])
    total = project(torch.stack([first, second]), [[1], [0]])
    assert torch.allclose(total, torch.tensor([0.5, 1.5]))
    assert total @ first >= 0
    assert total @ second >= 0
    nothing = torch.zeros(2)
    assert torch.equal(project(torch.stack([first, nothing]), [[1], [0]]), first)
    vanishing = torch.tensor([-1e-25, 0.0])  # its square is 0 in float32
    assert torch.equal(project(torch.stack([first, vanishing]), [[1], [0]]), first)


def test_the_gradient_of_a_network(fixture: Build) -> None:
    """What both targets train is projected, with two targets in either order alike; the heads are left as they are."""
    conflicts = [_compare(fixture("classes", "number", unlabelled=(3, 4)), sign) for sign in (1.0, -1.0)]
    assert any(conflicts), "one of the two directions must conflict, or nothing was tested"


def _compare(made: Any, sign: float) -> bool:
    """Hold a gradient against the algorithm, with the numbers turned round by `sign`. True where they conflict."""
    made.batch.targets["number"].mul_(sign)
    alone = [made.gradients(TargetWeights({other: 0.0})) for other in ("number", "classes")]
    shared = [name for name in alone[0] if not name.startswith("heads.")]
    flat = [torch.cat([each[name].flatten() for name in shared]).numpy() for each in alone]
    found, plain = made.gradients(PCGrad()), made.gradients()
    together = torch.cat([found[name].flatten() for name in shared]).numpy()
    np.testing.assert_allclose(together, surgery(np.stack(flat), [[1], [0]]), atol=1e-6)
    heads = [name for name in plain if name.startswith("heads.")]
    assert heads
    for name in heads:
        torch.testing.assert_close(found[name], plain[name])
    return bool(flat[0] @ flat[1] < 0)


def test_parts_are_projected_one_by_one(fixture: Build) -> None:
    made = fixture("classes", "number")
    halves = [made.batch.part(torch.arange(start, start + 12)) for start in (0, 12)]
    parts = [replace(made, batch=half).gradients(PCGrad()) for half in halves]
    both = made.gradients(Accumulate(2), PCGrad())
    for name, value in both.items():
        torch.testing.assert_close(value, parts[0][name] + parts[1][name])


def test_a_loss_that_is_replaced_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"replaces that of price.*Drop pcgrad"):
        check_terms("pcgrad", {}, ["price"])
