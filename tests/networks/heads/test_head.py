"""graftwork.networks.heads.head: standardised features to predictions."""

from __future__ import annotations

import pytest
import torch

from graftwork.errors import UsageError
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.heads.rows import RowHead, RowHeadSettings

UNFIT = (
    "linear:dropout=1",
    "mlp:dropout=-0.1",
    "mlp:width=0",
    "kernel:gamma=0",
    "kernel:landmarks=0",
    "kernel:gamma=nan",
)
FEATURES = torch.randn(4, 6, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("spec", [name for name, kind in HEADS.own.items() if issubclass(kind, RowHeadSettings)])
def test_shapes_and_gradients(spec):
    head = RowHead(6, 3, spec, (3, 3) if spec == "towers" else ())
    found = head.of_rows(FEATURES)
    if not head.has_gradient:
        assert found.shape == (4, 3)
        assert not found.requires_grad
        return
    given = [found["first"], found["second"], found["scale"]] if spec == "towers" else [found]
    assert [each.shape for each in given] == ([(4, 1)] * 3 if spec == "towers" else [(4, 3)])
    sum(each.sum() for each in given).backward()
    assert all(parameter.grad is not None for parameter in head.parameters())


@pytest.mark.parametrize("spec", UNFIT)
def test_settings_out_of_range(spec):
    with pytest.raises(UsageError, match=rf"head '{spec.split(':')[0]}': .* Expected"):
        RowHead(6, 3, spec)


def test_linear_head_is_a_linear_map_of_standardised_features():
    head = RowHead(6, 3).eval()
    head.shift.copy_(torch.arange(6.0))
    head.scale.fill_(2.0)
    layer = head.layers[1]
    expected = ((FEATURES - torch.arange(6.0)) * 2) @ layer.weight.T + layer.bias
    torch.testing.assert_close(head.of_rows(FEATURES), expected)


def test_standardisation_is_saved_but_not_trained():
    head = RowHead(6, 3)
    assert {"shift", "scale"} <= set(head.state_dict())
    assert not {"shift", "scale"} & {name for name, _ in head.named_parameters()}


def test_settings_are_read_from_the_written_form():
    head = RowHead(6, 3, "mlp:width=5,dropout=0")
    assert head.layers[1].out_features == 5
    assert RowHead(**head.config()).layers[1].out_features == 5


def test_dropout_acts_in_training_only():
    head = RowHead(6, 3, "linear:dropout=0.5")
    torch.manual_seed(0)
    assert not torch.equal(head.train().of_rows(FEATURES), head.of_rows(FEATURES))
    assert torch.equal(head.eval().of_rows(FEATURES), head.of_rows(FEATURES))


def test_an_unknown_head_or_setting_is_refused():
    with pytest.raises(UsageError, match=r"Unknown head 'mpl'\. Did you mean 'mlp'"):
        RowHead(6, 3, "mpl")
    with pytest.raises(UsageError, match=r"no setting 'widht'"):
        RowHead(6, 3, "mlp:widht=5")
