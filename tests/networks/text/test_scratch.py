"""graftwork.networks.text.recurrent and convolutional: one contract for the bases that are trained from scratch."""

from __future__ import annotations

import json

import pytest
import torch

from graftwork.data.batch import Hidden
from graftwork.errors import DataError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.architectures import restore
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.text.convolutional import ConvolutionalEncoder
from graftwork.networks.text.recurrent import RecurrentEncoder
from tiny import tiny_rows, tiny_texts

SPECS = (
    "gru:width=16,layers=2",
    "lstm:width=16,layers=3",
    "gru:width=16,dropout=0",
    "cnn:width=16,layers=3",
    "cnn:width=16,widths=1+2+7,dropout=0",
)


@pytest.fixture(params=SPECS)
def encoder(request):
    return parse_base(request.param).build(TrainingRows(tiny_texts), seed=1).eval()


def inputs_of(encoder, texts=None):
    return encoder.collate(encoder.prepare(texts or tiny_texts(5)))


def test_states_then_forward_equal_the_plain_forward_bit_for_bit(encoder):
    inputs = inputs_of(encoder)
    assert "sequence_blocks" in encoder.facts
    with torch.no_grad():
        whole = encoder(inputs)
        assert whole.shape == (5, encoder.width)
        assert encoder.deepest_start == encoder.depth - 1
        for depth in range(1, encoder.depth):
            states = encoder.states(inputs, depth)
            assert states.shape == (*inputs["input_ids"].shape, encoder.hidden_width)
            assert torch.equal(encoder(inputs, Hidden(depth, states)), whole)
        assert torch.equal(encoder({}, Hidden(encoder.depth, whole)), whole)


def test_features_do_not_depend_on_the_padding(encoder):
    rows = encoder.prepare(["tea", "where is my cat , dog and cow ? no rain today", "the cat"])
    with torch.no_grad():
        together = encoder(encoder.collate(rows))
        alone = torch.cat([encoder(encoder.collate([row])) for row in rows])
        batch = encoder.collate(rows)
        longer = {name: torch.nn.functional.pad(value, (0, 9)) for name, value in batch.items()}
        torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(encoder(longer), together, rtol=1e-5, atol=1e-6)
        poisoned = {name: batch[name].clone() for name in batch}
        poisoned["input_ids"][batch["attention_mask"] == 0] = 5  # what stands at the padding is never read
        torch.testing.assert_close(encoder(poisoned), together, rtol=1e-5, atol=1e-6)


def test_every_parameter_stands_in_one_block_and_gets_a_gradient(encoder):
    blocks = [{id(p) for module in block for p in module.parameters()} for block in encoder.blocks()]
    assert len(blocks) == encoder.depth
    assert all(blocks)
    assert sum(map(len, blocks)) == len(set.union(*blocks)) == len(list(encoder.parameters()))
    encoder.train()(inputs_of(encoder)).square().sum().backward()
    assert [name for name, p in encoder.named_parameters() if p.grad is None] == []


def test_a_saved_encoder_gives_the_same_bits(encoder, tmp_path):
    encoder.save_files(tmp_path)
    before = torch.random.get_rng_state()
    again = restore(json.loads(json.dumps(encoder.config())), tmp_path)
    assert torch.equal(torch.random.get_rng_state(), before)
    again.load_state_dict(encoder.state_dict())
    assert again.config() == encoder.config()
    assert (again.facts, again.fingerprint) == (encoder.facts, encoder.fingerprint)
    with torch.no_grad():
        assert torch.equal(again.eval()(inputs_of(again)), encoder(inputs_of(encoder)))


@pytest.mark.parametrize("spec", ["gru:width=16", "cnn:width=16"])
def test_weights_follow_the_seed_and_nothing_else(spec):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, same, other = (parse_base(spec).build(TrainingRows(tiny_texts), seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("spec", ["gru:width=16", "cnn:width=16"])
def test_dropout_is_a_fact_and_acts_in_training_only(spec):
    base = parse_base(spec).build(TrainingRows(tiny_texts), seed=1)
    assert "dropout" in base.facts
    assert "dropout" not in parse_base(f"{spec},dropout=0").build(TrainingRows(tiny_texts), seed=1).facts
    inputs = inputs_of(base)
    assert not torch.equal(base.train()(inputs), base(inputs))
    assert torch.equal(base.eval()(inputs), base(inputs))


def test_one_gru_layer_equals_torch_on_a_row():
    encoder = parse_base("gru:width=16").build(TrainingRows(tiny_texts), seed=1).eval()
    assert isinstance(encoder, RecurrentEncoder)
    inputs = inputs_of(encoder, ["the cat is here"])
    with torch.no_grad():
        states, _ = encoder.layers[0](encoder.embedding(inputs["input_ids"]))
        torch.testing.assert_close(encoder(inputs), torch.cat([states.mean(1), states.amax(1)], dim=1))


def test_filters_equal_a_loop_over_windows():
    encoder = parse_base("cnn:width=4,widths=3").build(TrainingRows(tiny_texts), seed=1).eval()
    assert isinstance(encoder, ConvolutionalEncoder)
    inputs = inputs_of(encoder, ["the cat is here"])
    with torch.no_grad():
        tokens = torch.nn.functional.pad(encoder.embedding(inputs["input_ids"])[0], (0, 0, 1, 1))
        weight, bias = encoder.filters[0].weight, encoder.filters[0].bias
        windows = torch.stack([(weight * tokens[start : start + 3].T).sum((1, 2)) + bias for start in range(4)])
        torch.testing.assert_close(encoder(inputs)[0], windows.relu().amax(0))


@pytest.mark.parametrize("spec", ["gru:width=32", "lstm:width=32", "cnn:width=32"])
def test_it_learns(spec):
    texts, topics = zip(*tiny_rows(90), strict=True)
    classes = sorted(set(topics))
    targets = torch.tensor([classes.index(topic) for topic in topics])
    encoder = parse_base(spec).build(TrainingRows(lambda: texts), seed=0)
    torch.manual_seed(0)
    head = torch.nn.Linear(encoder.width, len(classes))
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=5e-3)
    inputs = inputs_of(encoder, list(texts))
    for _ in range(25):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(head(encoder(inputs)), targets).backward()
        optimizer.step()
    with torch.no_grad():
        accuracy = (head(encoder.eval()(inputs)).argmax(1) == targets).float().mean()
    assert accuracy > 0.95


def test_texts_without_tokens_are_refused():
    with pytest.raises(DataError, match="hold no token"):
        parse_base("gru").build(TrainingRows(lambda: ["", " "]), seed=0)
