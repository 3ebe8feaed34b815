"""graftwork.core.frozen.weights: the digest of weights is that of all of them, and follows every change."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from graftwork.core.frozen import weights
from graftwork.core.frozen.weights import weights_digest
from graftwork.networks.text.transformer import TransformerEncoder
from tiny import tiny_model


@pytest.fixture
def encoder(tmp_path: Path) -> TransformerEncoder:
    return TransformerEncoder.from_pretrained(tiny_model(tmp_path))


def anew(encoder: TransformerEncoder, depth: int) -> str:
    """The digest as it is computed where nothing is known."""
    weights._KNOWN.clear()
    return weights_digest(encoder, depth)


def test_it_is_computed_once_while_nothing_changes(encoder, monkeypatch):
    calls: list[int] = []
    digest = weights.digest
    monkeypatch.setattr(weights, "digest", lambda *parts: calls.append(len(parts)) or digest(*parts))
    found = [weights_digest(encoder, depth) for depth in (2, 3, 2, 3)]
    assert len(calls) == 2
    assert found[:2] == found[2:]
    assert found[0] != found[1]
    assert found == [anew(encoder, depth) for depth in (2, 3, 2, 3)]


@pytest.mark.parametrize("way", ["in place", "past the counter", "another tensor", "for inference alone", "permuted"])
def test_it_follows_every_change(encoder, way):
    before, weight = weights_digest(encoder, 3), encoder.blocks()[1][0].state_dict(keep_vars=True)
    name, parameter = next((name, one) for name, one in weight.items() if one.ndim == 2)
    with torch.inference_mode(way == "for inference alone"), torch.no_grad():
        if way == "in place":
            parameter[0, 0] += 1e-6
        elif way == "past the counter":
            parameter.data[0, 0] += 1
        elif way == "permuted":
            parameter.copy_(parameter.flip(0))
        else:
            owner = encoder.blocks()[1][0].get_submodule(name.rpartition(".")[0])
            setattr(owner, name.rpartition(".")[2], torch.nn.Parameter(parameter + 1))
    after = weights_digest(encoder, 3)
    assert after != before
    assert after == anew(encoder, 3)


def test_a_copy_has_the_same(encoder, tmp_path):
    other = TransformerEncoder.from_pretrained(tiny_model(tmp_path / "other"))
    assert weights_digest(encoder, 3) == weights_digest(other, 3)


def test_blocks_that_are_not_counted_do_not_matter(encoder):
    before = weights_digest(encoder, 2)
    with torch.no_grad():
        next(iter(encoder.blocks()[-1][0].parameters())).add_(1)
    assert weights_digest(encoder, 2) == before
