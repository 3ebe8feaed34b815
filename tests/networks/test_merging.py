"""Merged weights against formulas by hand and a loop over single numbers; heads that predict the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from graftwork.errors import RefusedError
from graftwork.networks.fusion.late import LateFusion
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.merging import (
    average,
    disjoint_mean,
    plain_head,
    rescaled,
    task_arithmetic,
    ties,
    trimmed,
)

BASE = {"a": torch.tensor([1.0, -1.0]), "b": torch.tensor([[0.5]])}
ONE = {"a": torch.tensor([2.0, -1.5]), "b": torch.tensor([[0.5]])}
TWO = {"a": torch.tensor([0.0, -4.0]), "b": torch.tensor([[1.5]])}


def random_weights(seed: int) -> dict[str, Tensor]:
    drawn = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=drawn) for name, shape in (("w", (4, 3)), ("b", (5,)))}


def test_average_by_hand():
    merged = average([ONE, TWO])
    assert merged["a"].tolist() == [1.0, -2.75]
    assert merged["b"].tolist() == [[1.0]]


def test_counters_are_the_first_ones():
    first, second = ({"n": torch.tensor(count), "x": torch.tensor([float(count)])} for count in (3, 9))
    merged = average([first, second])
    assert merged["n"].item() == 3
    assert merged["n"].dtype == torch.int64
    assert merged["x"].tolist() == [6.0]


def test_task_arithmetic_by_hand():
    """1 + 0.5 * (1 - 1), -1 + 0.5 * (-0.5 - 3), 0.5 + 0.5 * (0 + 1)."""
    merged = task_arithmetic(BASE, [ONE, TWO], 0.5)
    assert merged["a"].tolist() == [1.0, -2.75]
    assert merged["b"].tolist() == [[1.0]]


def test_the_mean_of_task_vectors_is_the_average():
    base, *models = (random_weights(seed) for seed in range(4))
    merged, mean = task_arithmetic(base, models, 1 / 3), average(models)
    for name in base:
        torch.testing.assert_close(merged[name], mean[name])


def test_only_what_the_base_has_is_merged():
    assert set(task_arithmetic({"a": BASE["a"]}, [ONE, TWO], 1.0)) == {"a"}
    assert set(ties({"a": BASE["a"]}, [ONE, TWO], 0.5, 1.0)) == {"a"}


def test_ties_of_the_papers_kind_by_hand():
    """Three vectors whose signs disagree: 3 + 2 against -1 is positive, -1 is left out; zeros don't count."""
    vectors = torch.tensor([[3.0, -2.0, 0.0, 1.0], [2.0, 1.0, 0.0, -1.0], [-1.0, -4.0, 5.0, 0.0]])
    assert disjoint_mean(vectors).tolist() == [2.5, -3.0, 5.0, 0.0]


def test_trimmed_keeps_the_largest():
    vector = torch.tensor([0.1, -3.0, 2.0, 0.0, -0.5])
    assert trimmed(vector, 0.4).tolist() == [0.0, -3.0, 2.0, 0.0, 0.0]
    assert trimmed(vector, 0.01).tolist() == [0.0, -3.0, 0.0, 0.0, 0.0]
    assert trimmed(vector, 1.0) is vector


@pytest.mark.parametrize("density", [0.1, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("scale", [0.4, 1.0])
def test_ties_by_brute_force(density: float, scale: float):
    base, *models = (random_weights(seed) for seed in range(4))
    merged = ties(base, models, density, scale)
    names = [(name, at) for name in base for at in np.ndindex(tuple(base[name].shape))]
    kept = []
    for one in models:
        vector = {(name, at): float(one[name][at] - base[name][at]) for name, at in names}
        largest = sorted(vector, key=lambda key: -abs(vector[key]))[: max(1, round(density * len(names)))]
        kept.append({key: vector[key] for key in largest})
    for name, at in names:
        values = [each[name, at] for each in kept if (name, at) in each]
        sign = np.sign(sum(values))
        agree = [value for value in values if np.sign(value) == sign]
        expected = float(base[name][at]) + scale * (sum(agree) / len(agree) if agree else 0.0)
        assert float(merged[name][at]) == pytest.approx(expected, abs=1e-6)


def standardised(head: RowHead, seed: int) -> RowHead:
    drawn = torch.Generator().manual_seed(seed)
    for member in head.modules():
        if isinstance(member, RowHead) and hasattr(member, "layers"):
            member.shift.copy_(torch.randn(member.width, generator=drawn))
            member.scale.copy_(torch.rand(member.width, generator=drawn) + 0.5)
    return head.eval()


@pytest.mark.parametrize("spec", ["linear", "mlp:width=7", "linear:dropout=0.5"])
def test_a_plain_head_predicts_the_same(spec: str):
    head, features = standardised(RowHead(6, 3, spec), 1), torch.randn(9, 6)
    plain = RowHead(6, 3, spec).eval()
    plain.load_state_dict(plain_head(head))
    assert not plain.shift.any()
    assert (plain.scale == 1).all()
    torch.testing.assert_close(plain.of_rows(features), head.of_rows(features))


def test_a_plain_head_of_several_inputs_predicts_the_same():
    fusion = LateFusion([4, 3])
    head, plain = standardised(fusion.head(2, "linear"), 1), fusion.head(2, "linear").eval()
    plain.load_state_dict(plain_head(head))
    features = torch.cat([torch.randn(5, 7), torch.zeros(5, 2)], dim=1)
    torch.testing.assert_close(plain.of_rows(features), head.of_rows(features))
    assert not any(member.shift.any() for member in plain.heads)


def test_the_mean_of_plain_heads_has_the_mean_prediction():
    heads = [standardised(RowHead(6, 3), seed) for seed in range(3)]
    merged = RowHead(6, 3)
    merged.load_state_dict(average([plain_head(head) for head in heads]))
    features = torch.randn(4, 6)
    torch.testing.assert_close(
        merged.of_rows(features), torch.stack([head.of_rows(features) for head in heads]).mean(0)
    )


def test_a_rescaled_head_predicts_in_other_units():
    head = RowHead(4, 1, "mlp:width=3").eval()
    other = RowHead(4, 1, "mlp:width=3").eval()
    other.load_state_dict(rescaled(head, head.state_dict(), 2.0, -0.5))
    features = torch.randn(3, 4)
    torch.testing.assert_close(other.of_rows(features), 2 * head.of_rows(features) - 0.5)


@pytest.mark.parametrize("spec", ["kernel", "cosine"])
def test_heads_in_coordinates_of_their_own_are_refused(spec: str):
    with pytest.raises(RefusedError, match=rf"The head '{spec}' .*Train the models with the head linear or mlp"):
        plain_head(standardised(RowHead(4, 2, spec), 1))


def test_a_cosine_head_as_it_begins_is_mergeable():
    head = RowHead(4, 2, "cosine")
    assert torch.equal(plain_head(head)["layers.1.weight"], head.state_dict()["layers.1.weight"])
