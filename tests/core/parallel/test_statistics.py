"""Batch norm over the rows of all workers, against torch's own on the whole batch."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from graftwork.core.parallel.statistics import shared_statistics, sum_of_all
from graftwork.core.parallel.workers import Joined
from graftwork.networks.fusion.missing import MissingEmbedding
from together import together


@pytest.mark.parametrize("momentum", [0.1, None])
@pytest.mark.parametrize("shape", [(7, 3), (7, 3, 5), (7, 3, 4, 4)])
def test_batch_norm_is_that_of_the_whole_batch(shape: tuple[int, ...], momentum: float | None) -> None:
    torch.manual_seed(0)
    given, weights = torch.randn(shape) * 3 + 50, torch.randn(shape)
    kinds = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}
    layer = kinds[len(shape)](3, momentum=momentum)
    nn.init.normal_(layer.weight)
    start = copy.deepcopy(layer)
    whole = given.clone().requires_grad_(True)
    expected = layer(whole)
    (expected * weights).sum().backward()

    def work(workers: Joined) -> tuple[nn.Module, Tensor, Tensor, Tensor, Tensor]:
        own = copy.deepcopy(start)
        part = given[workers.index :: 2].clone().requires_grad_(True)
        with shared_statistics(own, workers):
            found = own(part)
            (found * weights[workers.index :: 2]).sum().backward()
        workers.sum_gradients(own.parameters())
        assert part.grad is not None
        assert "forward" not in vars(own)
        return own, found, part.grad, own.weight.grad, own.bias.grad

    for index, (own, found, gradient, of_weight, of_bias) in enumerate(together(2, work)):
        torch.testing.assert_close(found, expected[index::2], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(gradient, whole.grad[index::2], atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(of_weight, layer.weight.grad, atol=1e-3, rtol=1e-4)
        torch.testing.assert_close(of_bias, layer.bias.grad, atol=1e-4, rtol=1e-4)
        for name, buffer in layer.named_buffers():
            torch.testing.assert_close(own.get_buffer(name), buffer, atol=1e-4, rtol=1e-4)


def test_a_layer_that_keeps_its_statistics_is_left_alone() -> None:
    layer = nn.BatchNorm1d(2).eval()
    with shared_statistics(layer, Joined(0, 2)):
        assert "forward" not in vars(layer)


def test_a_sum_has_a_gradient_of_a_gradient() -> None:
    """Penalties on gradients go through it twice. Of all workers: the cube of the sum, and three times its square."""

    def work(workers: Joined) -> float:
        value = torch.tensor([float(workers.index + 1)], requires_grad=True)
        cubed = sum_of_all(value, workers) ** 3 / 2
        (first,) = torch.autograd.grad(cubed, value, create_graph=True)
        (second,) = torch.autograd.grad(first / 2, value)
        return float(second)

    assert together(2, work) == [pytest.approx(6 * 3.0)] * 2


def test_the_usual_features_follow_the_rows_of_all() -> None:
    part = torch.arange(10.0).view(5, 2)
    present = torch.tensor([True, False, True, True, False])
    alone = MissingEmbedding(2)
    alone.follow(part, present)

    def work(workers: Joined) -> Tensor:
        module = MissingEmbedding(2)
        with shared_statistics(nn.ModuleList([module]), workers):
            module.follow(part[workers.index :: 2], present[workers.index :: 2])
        return module.usual

    for found in together(2, work):
        torch.testing.assert_close(found, alone.usual)
