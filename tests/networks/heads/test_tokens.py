"""A linear head on the tokens of a text."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from graftwork.core.frozen.cache import cache_depths
from graftwork.core.rows.examples import make_batch
from graftwork.errors import UsageError
from graftwork.networks.heads.registry import build_head
from graftwork.networks.heads.tokens import TokenHead
from graftwork.networks.network import Network
from graftwork.techniques import FusionTransformer
from tinyrun import make_worlds


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory):
    return make_worlds(tmp_path_factory.mktemp("bases"))


@pytest.fixture
def tagged(fixtures):
    """A network with a head on rows and one on tokens, and a batch of rows."""

    def build(base="transformer", **changes):
        this = fixtures(base)
        encoders = {name: this.network.encoder(name) for name in this.network.columns}
        network = Network(encoders, dict(this.network.each_head()))
        made = build_head(network, 4, changes.get("spec", "token-linear:dropout=0"))
        network.set_heads({**dict(network.each_head()), "tags": made})
        return network.eval(), make_batch(this.train, network, np.arange(6)), this

    return build


@pytest.mark.parametrize("base", ["transformer", "rnn", "cnn"])
def test_each_token_is_labelled_by_its_own_vector(base, tagged):
    network, batch, this = tagged(base)
    output = network(batch)
    tokens = network.encoder("text").tokens_of(batch.inputs["text"])
    found, layer = output.predictions["tags"], dict(network.each_head())["tags"].layers[1]
    assert found["logits"].shape == (*tokens.counts.shape, 4)
    assert torch.equal(found["counts"], batch.inputs["text"]["attention_mask"].bool())
    torch.testing.assert_close(found["logits"], tokens.states @ layer.weight.T + layer.bias)
    # Beside it the head on rows sees what it saw without.
    torch.testing.assert_close(output.predictions["label"], this.network.eval()(batch).predictions["label"])


def test_tokens_are_there_only_where_a_head_asks(tagged):
    network, batch, this = tagged()
    assert set(network.features(batch).tokens) == {"text"}
    assert network.reads_tokens
    assert this.network.features(batch).tokens == {}
    assert not this.network.reads_tokens


def test_gradients_reach_every_token_that_counts(tagged):
    network, batch, _ = tagged()
    found = network.train()(batch).predictions["tags"]
    found["logits"][found["counts"]].square().sum().backward()
    head = dict(network.each_head())["tags"]
    assert isinstance(head, TokenHead)
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in head.parameters())


def test_the_cache_ends_below_the_last_block(tagged):
    network, _, this = tagged()
    network.requires_grad_(False)
    this.network.requires_grad_(False)
    encoder = network.encoder("text")
    assert cache_depths(network, [])[0] == {"text": encoder.deepest_start}
    assert cache_depths(this.network, [])[0] == {"text": encoder.depth}


def test_a_fusion_over_tokens_shares_them_with_the_head(fixtures):
    this = fixtures("mixed")

    network = FusionTransformer(width=8, heads=2).adapt(
        this.network, this.run(started=False).setup(FusionTransformer())
    )
    plain = network.eval()(make_batch(this.train, network, np.arange(4)))
    network.set_heads({**dict(network.each_head()), "tags": build_head(network, 3, "token-linear")})
    batch = make_batch(this.train, network, np.arange(4))
    output = network.eval()(batch)
    assert output.predictions["tags"]["logits"].shape[2] == 3
    torch.testing.assert_close(output.predictions["label"], plain.predictions["label"])


def test_a_head_reads_one_text(fixtures):
    pairs, pictures = fixtures("transformer", "pairs").network, fixtures("image").network
    with pytest.raises(UsageError, match=r"reads the tokens of one text input, and there are 2 \(text, other\)"):
        build_head(pairs, 3, "token-linear")
    assert build_head(pairs, 3, "token-linear:input=other").inputs == {"other"}
    with pytest.raises(UsageError, match=r"there is no text input 'others'\. Did you mean 'other'"):
        build_head(pairs, 3, "token-linear:input=others")
    with pytest.raises(UsageError, match="one text input, and there are none"):
        build_head(pictures, 3, "token-linear")


def test_a_base_without_places_says_so(fixtures):
    with pytest.raises(UsageError, match=r"'small-cnn' does not say where its tokens stand|does not say where"):
        fixtures("image").network.encoder("image").places(b"")
