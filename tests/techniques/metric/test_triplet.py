from __future__ import annotations

import numpy as np
import pytest
import torch

from graftwork.errors import UsageError
from graftwork.techniques import Triplet
from graftwork.techniques.metric.triplet import hardest


def brute_force(features: torch.Tensor, classes: list[int], margin: float) -> list[float]:
    """Hermans et al. 2017, equation 5, with loops, on features of length 1."""
    z = [f / f.norm() for f in features]
    losses = []
    for i in range(len(z)):
        own = [float((z[i] - z[j]).norm()) for j in range(len(z)) if j != i and classes[j] == classes[i]]
        other = [float((z[i] - z[j]).norm()) for j in range(len(z)) if classes[j] != classes[i]]
        losses.append(max(0.0, max(own) - min(other) + margin) if own and other else 0.0)
    return losses


@pytest.mark.parametrize("margin", [0.0, 0.2, 1.0])
def test_equals_the_papers_formula(margin: float) -> None:
    features = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
    classes = [0, 0, 1, 1, 1, 2, 0, 3]
    value, counted = hardest(features, torch.tensor(classes), torch.ones(8, dtype=torch.bool), margin)
    torch.testing.assert_close(value, torch.tensor(brute_force(features, classes, margin)), atol=1e-5, rtol=1e-5)
    assert counted.tolist() == [True, True, True, True, True, False, True, False]


def test_unused_rows_take_no_part() -> None:
    features, classes = torch.randn(6, 4), torch.tensor([0, 0, 1, 1, 0, 1])
    used = torch.tensor([True, True, True, True, False, False])
    value, counted = hardest(features, classes, used, 0.5)
    torch.testing.assert_close(value[:4], hardest(features[:4], classes[:4], used[:4], 0.5)[0])
    assert value[4:].tolist() == [0.0, 0.0]
    assert not counted[4:].any()


@pytest.mark.parametrize("classes", [[0], [0, 1, 2], [1, 1, 1], [0, 0, 1, 1]])
def test_gradients_are_finite_also_of_equal_rows(classes: list[int]) -> None:
    features = torch.ones(len(classes), 4, requires_grad=True)
    value, _ = hardest(features, torch.tensor(classes), torch.ones(len(classes), dtype=torch.bool), 0.2)
    value.sum().backward()
    assert torch.isfinite(features.grad).all()


def test_term_is_the_mean_over_rows_that_have_it(fixture) -> None:
    this = fixture(unlabelled=(0,))
    term = this.stages(Triplet(0.5)).objective(this.network.as_forward(), this.batch).terms["triplet classes"]
    targets = this.batch.targets["classes"]
    expected, counted = hardest(this.network.features(this.batch).rows, targets, targets >= 0, 0.2)
    torch.testing.assert_close(term.mean, expected[counted].mean())
    assert term.weight == 0.5


def test_batches_hold_groups_of_a_class(fixture) -> None:
    this = fixture(rows=60)
    graft = Triplet(group=3).attach(this.network, this.setup)
    batches = graft.sampler(0)
    assert sorted(np.concatenate(batches).tolist()) == list(range(60))
    assert Triplet(group=1).attach(this.network, this.setup).sampler is None


def test_settings_out_of_range() -> None:
    with pytest.raises(UsageError, match=r"triplet: margin is 3"):
        Triplet(margin=3.0)
