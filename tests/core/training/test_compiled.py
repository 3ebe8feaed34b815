"""Compiled encoders give what plain ones give, in place and under the same names; nothing is compiled for real here."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from graftwork.core.rows.examples import make_batch
from graftwork.core.training.compiled import compile_encoders
from graftwork.techniques.transfer.partial import Partial
from tinyrun import Worlds


@pytest.mark.filterwarnings("ignore")  # torch's own, while it looks through the code
@pytest.mark.parametrize("base", ["transformer", "image", "audio"])
def test_predictions_gradients_and_names_stay(fixtures: Worlds, base: str) -> None:
    fixture = fixtures(base)
    network = copy.deepcopy(fixture.network).eval()
    batch = make_batch(fixture.train, network, np.arange(6))
    names = set(network.state_dict())
    plain = network(batch).predictions["label"]
    assert compile_encoders(network, backend="eager") > 0
    compiled = network(batch).predictions["label"]
    torch.testing.assert_close(compiled, plain)
    compiled.sum().backward()  # type: ignore[union-attr]
    assert all(parameter.grad is not None for parameter in network.parameters() if parameter.requires_grad)
    assert set(network.state_dict()) == names
    torch.testing.assert_close(copy.deepcopy(network)(batch).predictions["label"], plain)


def test_recurrent_layers_and_frozen_blocks_stay_as_they_are(fixtures: Worlds) -> None:
    network = copy.deepcopy(fixtures("rnn").network)
    whole = compile_encoders(network, backend="eager")
    assert whole == 1  # the embedding alone: dropout holds nothing to train
    run = fixtures("transformer").run([Partial(blocks=1)])
    assert compile_encoders(run.network, backend="eager") == 1
