"""The head that names hidden tokens: it shares the base's table, and learns alone at first where it is told to."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
import torch

import tiny
from graftwork.data.batch import Batch
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.heads.hidden_tokens import HiddenTokenHead
from graftwork.networks.heads.registry import build_head
from graftwork.networks.network import Network
from graftwork.networks.text.encoder import TextEncoder
from graftwork.tasks.pretext.masked_language import WARMUP, MaskedLanguage

TEXTS = tiny.tiny_texts(30)


def made(base: str, spec: str = "hidden-tokens") -> tuple[Network, Batch]:
    encoder = parse_base(base).build(TrainingRows(lambda: TEXTS), 0)
    assert isinstance(encoder, TextEncoder)
    network = Network({"text": encoder}, {})
    torch.manual_seed(0)
    network.set_heads({"pretext": build_head(network, 1, spec)})
    inputs = encoder.collate(encoder.prepare(TEXTS[:4]))
    target = {"places": torch.tensor([[1, 2]] * 4), "tokens": torch.tensor([[5, 6]] * 4)}
    return network.train(), Batch({"text": inputs}, torch.arange(4), targets={"pretext": target}, progress=0.05)


def head_of(network: Network) -> HiddenTokenHead:
    head = next(head for _, head in network.each_head())
    assert isinstance(head, HiddenTokenHead)
    return head


@pytest.mark.parametrize("base", ["bert-small:layers=1,width=8,heads=2", "gru:width=8", "cnn:width=8,widths=2+3"])
def test_logits_are_products_with_the_table_of_the_base(base: str) -> None:
    network, batch = made(base)
    network.eval()
    encoder, head = network.encoder("text"), head_of(network)
    assert isinstance(encoder, TextEncoder)
    assert encoder.table is not None
    with torch.no_grad():
        states = encoder.tokens_of(batch.inputs["text"]).states
        found = network(batch).predictions["pretext"]["logits"]
        vector = head.norm(torch.nn.functional.gelu(head.dense(states[2, 1])))
        expected = encoder.table @ vector * head.factor + head.bias
    torch.testing.assert_close(found[2, 0], expected)
    assert found.shape == (4, 2, encoder.tokenizer.size)
    assert not any("table" in name for name, _ in head.named_parameters())


def test_logits_begin_at_a_usual_size_whatever_the_table_is_drawn_at() -> None:
    for base in ("gru:width=64", "bert-small:layers=1,width=64,heads=2"):
        network, batch = made(base)
        with torch.no_grad():
            logits = network(batch).predictions["pretext"]["logits"]
        assert 0.3 < float(logits.std()) < 3


def test_the_head_learns_alone_at_first() -> None:
    network, batch = made("gru:width=8", "hidden-tokens:warmup=0.1")
    encoder, head = network.encoder("text"), head_of(network)
    for progress, moved in ((0.05, False), (0.1, True)):
        network.zero_grad(set_to_none=True)
        network(replace(batch, progress=progress)).predictions["pretext"]["logits"].square().mean().backward()
        assert all((parameter.grad is not None) == moved for parameter in encoder.parameters())
        assert all(parameter.grad is not None for parameter in head.parameters())


def test_only_a_base_that_was_trained_elsewhere_has_a_warm_up() -> None:
    network, _ = made("gru:width=8")
    assert MaskedLanguage().make_head(network, "hidden-tokens").spec == "hidden-tokens"
    network.encoder("text").pretrained = True
    assert MaskedLanguage().make_head(network, "hidden-tokens").spec == f"hidden-tokens:warmup={WARMUP}"
    assert MaskedLanguage().make_head(network, "hidden-tokens:warmup=0.3").spec == "hidden-tokens:warmup=0.3"


def test_nothing_is_asked_of_a_batch_in_which_nothing_is_hidden() -> None:
    network, batch = made("gru:width=8")
    with torch.no_grad():
        found = network(replace(batch, targets={})).predictions["pretext"]
    assert found["logits"].shape[:2] == (4, 0)
    assert MaskedLanguage().keep(found).tolist() == [[0.0, 0.0, 0.0]] * 4
    assert pa.array(MaskedLanguage().decode(MaskedLanguage().keep(found))).to_pylist() == [0.0] * 4
