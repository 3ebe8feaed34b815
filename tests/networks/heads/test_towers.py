from __future__ import annotations

import math

import pytest
import torch

from graftwork.errors import RefusedError, UsageError
from graftwork.networks.fusion.fusion import Concat
from graftwork.networks.heads.layers.towers import LARGEST_SCALE, TwoTowersLayer
from graftwork.networks.heads.rows import RowHead


def head(spec: str = "towers", outputs: int = 8) -> RowHead:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return RowHead(8, outputs, spec, (5, 3))


@pytest.mark.parametrize("spec", ["towers", "towers:hidden=6"])
def test_a_tower_sees_its_own_input_only(spec: str) -> None:
    features, changed = torch.randn(2, 8), torch.randn(2, 8)
    changed[:, :5] = features[:, :5]
    before, after = head(spec).of_rows(features), head(spec).of_rows(changed)
    assert torch.equal(before["first"], after["first"])
    assert not torch.allclose(before["second"], after["second"])


def test_embeddings_have_length_1_and_scale_and_bias_stand_behind_them() -> None:
    found = head().of_rows(torch.randn(3, 8))
    assert found["first"].shape == found["second"].shape == (3, 4)
    torch.testing.assert_close(found["first"].norm(dim=1), torch.ones(3))
    torch.testing.assert_close(found["second"].norm(dim=1), torch.ones(3))
    assert found["scale"].exp().flatten().tolist() == pytest.approx([1 / 0.07] * 3)
    assert "bias" not in found
    with_bias = head("towers:bias=true").of_rows(torch.randn(3, 8))
    assert with_bias["scale"].exp().flatten().tolist() == pytest.approx([10.0] * 3)
    assert with_bias["bias"].flatten().tolist() == [-10.0] * 3


def test_the_scale_stays_below_its_limit() -> None:
    made = head()
    layer = made.layers[0]
    assert isinstance(layer, TwoTowersLayer)
    layer.log_scale.data.fill_(50.0)
    assert float(made.of_rows(torch.zeros(1, 8))["scale"].detach()) == pytest.approx(math.log(LARGEST_SCALE))


def test_a_side_alone_gives_the_same_embedding() -> None:
    made, features = head("towers:hidden=6"), torch.randn(4, 8)
    layer = made.layers[0]
    assert isinstance(layer, TwoTowersLayer)
    found = made.of_rows(features)
    torch.testing.assert_close(layer.side(1)(features[:, 5:]), found["second"])
    torch.testing.assert_close(layer.side(0)(features[:, :5]), found["first"])


def test_towers_need_two_inputs_side_by_side() -> None:
    with pytest.raises(RefusedError, match="two inputs apart"):
        RowHead(8, 8, "towers")
    with pytest.raises(UsageError, match="hidden is -1"):
        head("towers:hidden=-1")
    assert isinstance(Concat((5, 3)).head(8, "towers").layers[0], TwoTowersLayer)


def test_dropout_is_seen() -> None:
    assert head("towers:dropout=0.1").has_dropout
    assert not head().has_dropout
