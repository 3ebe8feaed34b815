"""Fusions against the formulas of their sources, with inputs that rows lack, and as saved."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from graftwork.networks.fusion.fusion import Concat, Projection
from graftwork.networks.fusion.gated import GatedFusion
from graftwork.networks.fusion.late import LateFusion, LateHead
from graftwork.networks.fusion.registry import FUSIONS, restore_fusion
from graftwork.networks.fusion.transformer import TransformerFusion, capped
from graftwork.networks.fusion.weighted import WeightedSumFusion
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.heads.solving.problem import Problem
from graftwork.tasks.regression import Regression

WIDTHS = (5, 3, 4)
HERE = torch.tensor([True, False, True, True])


@pytest.fixture
def parts():
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(4, width, generator=generator) for width in WIDTHS]


def shaken(fusion):
    """With all weights and buffers at random, so that zeros and ones hide nothing."""
    generator = torch.Generator().manual_seed(1)
    for tensor in (*fusion.parameters(), *fusion.buffers()):
        tensor.data.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
    return fusion.eval()


MADE = {
    "concat": lambda: Concat(WIDTHS),
    "weighted-sum": lambda: WeightedSumFusion(WIDTHS, 6),
    "gated": lambda: GatedFusion(WIDTHS, 6),
    "fusion-transformer": lambda: TransformerFusion(WIDTHS, 6, layers=1, heads=2, dropout=0.1, tokens=4),
    "late": lambda: LateFusion(WIDTHS),
}


def test_every_fusion_is_tested():
    assert set(MADE) == set(FUSIONS)


def test_weighted_sum_is_its_formula(parts):
    fusion = shaken(WeightedSumFusion(WIDTHS, 6))
    weights = fusion.weights.exp() / fusion.weights.exp().sum()
    expected = torch.zeros(4, 6)
    for weight, part, one in zip(weights, parts, fusion.projections, strict=True):
        expected += weight * (((part - one.shift) * one.scale) @ one.linear.weight.T + one.linear.bias)
    torch.testing.assert_close(fusion(parts, [None] * 3), expected)


def test_gates_of_two_inputs_are_the_bimodal_unit(parts):
    """Arevalo et al. 2017: z = sigmoid(W [x1, x2]), h = z * tanh(W1 x1) + (1 - z) * tanh(W2 x2)."""
    fusion = GatedFusion(WIDTHS[:2], 6).eval()
    first, second = parts[:2]
    one, two = (gate.weight.view(2, 6, -1) for gate in fusion.gates)
    z = torch.sigmoid(first @ (one[0] - one[1]).T + second @ (two[0] - two[1]).T)
    h = [torch.tanh(projection.linear(part)) for projection, part in zip(fusion.projections, parts, strict=False)]
    torch.testing.assert_close(fusion(parts[:2], [None, None]), z * h[0] + (1 - z) * h[1])


def test_a_row_with_one_input_takes_all_of_it(parts):
    fusion = shaken(GatedFusion(WIDTHS, 6))
    nothing = torch.zeros(4, dtype=torch.bool)
    alone = torch.tanh(fusion.each_projection()[1](parts[1]))
    torch.testing.assert_close(fusion(parts, [nothing, None, nothing]), alone)
    assert fusion(parts, [nothing] * 3).isfinite().all()  # left out by hand, where nothing else was there


@pytest.mark.parametrize("name", ["gated", "late", "fusion-transformer"])
def test_what_is_lacking_has_no_influence(name, parts):
    fusion = shaken(MADE[name]())
    other = [parts[0], torch.where(HERE.unsqueeze(1), parts[1], 100.0), parts[2]]
    present = [None, HERE, None]
    if fusion.reads_tokens:
        parts, other = ([part.unsqueeze(1) for part in each] for each in (parts, other))
        present = [torch.ones(4, 1, dtype=torch.bool), HERE.unsqueeze(1), torch.ones(4, 1, dtype=torch.bool)]
    if name == "late":
        fusion, late = shaken(fusion.head(2, "linear")), fusion
        given = [fusion.of_rows(late(each, present)) for each in (parts, other)]
    else:
        given = [fusion(each, present) for each in (parts, other)]
    assert torch.equal(*given)
    assert not fusion.training


def test_late_predictions_are_the_mean_of_the_heads_that_have_something(parts):
    fusion = LateFusion(WIDTHS)
    head = shaken(fusion.head(3, "linear"))
    each = [one.of_rows(part) for one, part in zip(head.heads, parts, strict=True)]
    whole = head.of_rows(fusion(parts, [None] * 3))
    torch.testing.assert_close(whole, sum(each) / 3)
    some = head.of_rows(fusion(parts, [None, HERE, None]))
    torch.testing.assert_close(some[1], (each[0][1] + each[2][1]) / 2)
    torch.testing.assert_close(some[[0, 2, 3]], whole[[0, 2, 3]])
    # Averaged before softmax: the normalised geometric mean of the probabilities.
    product = torch.stack([one.softmax(1).log() for one in each]).mean(0).exp()
    torch.testing.assert_close(whole.softmax(1), product / product.sum(1, keepdim=True))


def test_a_late_head_is_what_its_heads_are():
    fusion = LateFusion(WIDTHS)
    head = fusion.head(2, "mlp:width=3,dropout=0.5")
    assert isinstance(head, LateHead)
    assert head.has_dropout
    assert not head.must_be_solved
    assert fusion.head(2, "kernel").must_be_solved


def test_each_head_of_a_late_head_is_solved_on_the_rows_that_have_its_input():
    rows = np.random.default_rng(0).normal(size=(60, sum(WIDTHS))).astype(np.float32)
    lacks = np.zeros((60, len(WIDTHS)), np.float32)
    lacks[40:, 1] = 1
    target = rows.sum(axis=1)
    task = Regression().learn(pa.chunked_array([target]), "t.csv")
    head = LateFusion(WIDTHS).head(1, "linear")
    assert head.solve(Problem(np.concatenate([rows, lacks], axis=1), target, task, l2=0.5))
    start = 0
    for one, width, count in zip(head.heads, WIDTHS, (60, 40, 60), strict=True):
        alone = RowHead(width, 1)
        alone.solve(Problem(rows[:count, start : start + width], target[:count], task, l2=0.5))
        torch.testing.assert_close(one.state_dict(), alone.state_dict())
        start += width


def test_capped_averages_neighbours_of_long_rows_only():
    tokens = torch.arange(12.0).view(2, 6, 1)
    counts = torch.tensor([[True] * 6, [True] * 3 + [False] * 3])
    some, used = capped(tokens, counts, 3)
    assert some.squeeze(2).tolist() == [[0.5, 2.5, 4.5], [6.0, 7.0, 8.0]]
    assert used.tolist() == [[True] * 3, [True] * 3]
    some, used = capped(tokens, counts, 4)  # runs of 2, 1, 2 and 1
    assert some[0].squeeze(1).tolist() == [0.5, 2.0, 3.5, 5.0]
    assert used.tolist() == [[True] * 4, [True, True, True, False]]
    assert capped(tokens[:1], counts[:1], 6)[0] is not None
    nothing = capped(tokens, torch.zeros(2, 6, dtype=torch.bool), 3)
    assert not nothing[1].any()
    assert not nothing[0].any()


def test_a_transformer_does_not_see_padding_or_neighbours():
    fusion = shaken(TransformerFusion((3, 2), 8, layers=2, heads=2, dropout=0.3, tokens=4))
    generator = torch.Generator().manual_seed(2)
    words, place = torch.randn(2, 7, 3, generator=generator), torch.randn(2, 1, 2, generator=generator)
    counts = torch.tensor([[True] * 7, [True] * 2 + [False] * 5])
    one = torch.ones(2, 1, dtype=torch.bool)
    whole = fusion([words, place], [counts, one])
    alone = fusion([words[1:, :2], place[1:]], [counts[1:, :2], one[1:]])
    torch.testing.assert_close(whole[1:], alone)
    assert not torch.allclose(whole[:1], fusion([words[:1].flip(2), place[:1]], [counts[:1], one[:1]]))


def test_projections_standardise_once_they_know_how():
    generator = torch.Generator().manual_seed(3)
    features = torch.randn(500, 3, generator=generator) * torch.tensor([2.0, 0.5, 1e-6]) + torch.tensor([5.0, -1, 0])
    projection = Projection(3, 3)
    with torch.no_grad():
        projection.linear.weight.copy_(torch.eye(3))
        projection.linear.bias.zero_()
    assert torch.equal(projection(features), features)
    projection.set_statistics(None)
    assert torch.equal(projection(features), features)
    projection.set_statistics((features.mean(0), features.std(0)))
    standard = projection(features)
    torch.testing.assert_close(standard.mean(0), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(standard.std(0)[:2], torch.ones(2))
    assert standard.std(0)[2] < 1e-4  # one that hardly varies is not blown up
    projection.set_statistics((torch.zeros(3), torch.zeros(3)))
    assert projection(features).isfinite().all()


@pytest.mark.parametrize("name", MADE)
def test_a_saved_fusion_is_built_again(name, parts):
    fusion = shaken(MADE[name]())
    again = restore_fusion({"architecture": fusion.architecture, **fusion.config()})
    assert type(again) is type(fusion)
    again.load_state_dict(fusion.state_dict())
    given = [part.unsqueeze(1) for part in parts] if fusion.reads_tokens else parts
    present = [torch.ones(4, 1, dtype=torch.bool)] * 3 if fusion.reads_tokens else [None] * 3
    assert torch.equal(again.eval()(given, present), fusion(given, present))
    assert fusion(given, present).shape == (4, fusion.width)
    head = fusion.head(2, "linear")
    assert isinstance(head, nn.Module)
    assert head.config()["width"] == fusion.width


def test_an_unknown_fusion_is_named():
    with pytest.raises(KeyError, match="crossbar"):
        restore_fusion({"architecture": "crossbar"})
