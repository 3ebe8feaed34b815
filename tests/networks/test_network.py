"""graftwork.networks.network: columns fused, heads by target, frozen blocks in eval mode."""

from __future__ import annotations

import pytest
import torch

from graftwork.data.batch import Batch, Hidden
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network, frozen_depth
from tiny import tiny_texts


@pytest.fixture
def encoders():
    return [
        parse_base(spec).build(TrainingRows(tiny_texts), seed=0) for spec in ("gru:width=8,layers=2", "cnn:width=8")
    ]


@pytest.fixture
def network(encoders):
    gru, cnn = encoders
    columns = {"title": gru, "body": cnn, "note": gru}
    width = 2 * gru.width + cnn.width
    return Network(columns, {"topic": RowHead(width, 3), "stars": RowHead(width, 1)})


def batch_of(network: Network, rows: int = 4) -> Batch:
    inputs = {}
    for place, column in enumerate(network.columns):
        encoder = network.encoder(column)
        inputs[column] = encoder.collate(encoder.prepare(tiny_texts(30)[place * rows : (place + 1) * rows]))
    return Batch(inputs, torch.arange(rows))


def test_columns_are_fused_in_order_and_each_target_has_its_head(network, encoders):
    gru, cnn = encoders
    network.eval()
    batch = batch_of(network)
    output = network(batch)
    parts = [gru(batch.inputs["title"]), cnn(batch.inputs["body"]), gru(batch.inputs["note"])]
    assert torch.equal(output.features.rows, torch.cat(parts, dim=1))
    assert network.width == output.features.rows.shape[1]
    assert {target: tuple(value.shape) for target, value in output.predictions.items()} == {
        "topic": (4, 3),
        "stars": (4, 1),
    }
    heads = dict(network.each_head())
    assert torch.equal(output.predictions["topic"], heads["topic"](output.features, batch))


def test_columns_of_one_base_share_its_weights(network):
    assert network.encoder("title") is network.encoder("note")
    assert len(list(network.each_encoder())) == 2
    assert len(list(network.named_parameters())) == len({id(parameter) for parameter in network.parameters()})


def test_hidden_states_and_features_stand_in_for_inputs(network):
    network.eval()
    batch = batch_of(network)
    whole = network(batch).features.rows
    gru, cnn = network.encoder("title"), network.encoder("body")
    hidden = {
        "title": Hidden(1, gru.states(batch.inputs["title"], 1)),
        "body": Hidden(cnn.depth, cnn(batch.inputs["body"])),
    }
    without_body = {name: value for name, value in batch.inputs.items() if name != "body"}
    assert torch.equal(network(Batch(without_body, batch.rows, hidden=hidden)).features.rows, whole)


def test_a_technique_can_step_between_features_and_heads(network):
    network.eval()
    batch, forward = batch_of(network), network.as_forward()
    assert torch.equal(forward(batch).features.rows, forward.features(batch).rows)
    assert torch.equal(forward(batch).predictions["stars"], forward.heads(forward.features(batch), batch)["stars"])


def test_frozen_blocks_stay_in_eval_mode(network):
    gru = network.encoder("title")
    for module in gru.blocks()[0]:
        module.requires_grad_(False)
    network.train()
    modes = [[module.training for module in block] for block in gru.blocks()]
    assert modes == [[False, False], [True, True], [True, True]]
    assert frozen_depth(gru) == 1
    assert not any(module.training for module in network.eval().modules())


def test_frozen_depth_counts_from_below(network):
    gru = network.encoder("title")
    assert frozen_depth(gru) == 0
    gru.blocks()[2][0].requires_grad_(False)
    assert frozen_depth(gru) == 0
    gru.requires_grad_(False)
    assert frozen_depth(gru) == gru.depth


def test_blocks_above_names_every_encoder_parameter(network):
    above = network.blocks_above()
    assert set(above) == {name for name, _ in network.named_parameters() if name.startswith("encoders.")}
    assert {name: above[name] for name in ("encoders.0.embedding.weight", "encoders.1.embedding.weight")} == {
        "encoders.0.embedding.weight": 2,
        "encoders.1.embedding.weight": 1,
    }
    assert above["encoders.0.layers.1.weight_ih_l0"] == 0
