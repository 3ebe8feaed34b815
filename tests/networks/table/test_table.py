"""graftwork.networks.table.encoder and the trained bases for tables: one contract, and what each computes."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pyarrow as pa
import pytest
import torch

from graftwork.data.batch import Hidden
from graftwork.data.table import Column, Schema, Table
from graftwork.errors import DataError, UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.architectures import restore
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.table.columns import Number
from graftwork.networks.table.encoder import Bins

TRAINED = (
    "table-mlp:width=16",
    "table-mlp:width=16,layers=3,dropout=0,numbers=quantile",
    "ft-transformer:width=16,heads=2",
    "ft-transformer:width=16,heads=4,layers=1,dropout=0,attention_dropout=0,numbers=standard",
)
SPECS = ("columns", "columns:numbers=quantile", "columns:numbers=standard,levels=2", *TRAINED)
ROWS = [(1.0, 5.0, "a", "x"), (None, 2.0, "b", None), (4.0, -3.0, "a", "y"), (2.0, 0.5, "b", "x"), (9.0, 1.0, "c", "x")]
KINDS = {"mass": "number", "size": "number", "kind": "category", "mark": "category"}


def training(rows=ROWS, kinds=KINDS, times=12):
    columns = tuple(Column(name, kind) for name, kind in kinds.items())
    values = {name: [row[at] for row in rows] * times for at, name in enumerate(kinds)}
    table = Table(pa.table(values), Schema(columns), "made", np.arange(1, times * len(rows) + 1))
    return TrainingRows(columns=columns, table=table)


@pytest.fixture(params=SPECS)
def encoder(request):
    return parse_base(request.param).build(training(), seed=1).eval()


def inputs_of(encoder, rows=ROWS):
    return encoder.collate(encoder.prepare(rows))


def test_states_then_forward_equal_the_plain_forward_bit_for_bit(encoder):
    inputs = inputs_of(encoder)
    with torch.no_grad():
        whole = encoder(inputs)
        assert whole.shape == (5, encoder.width)
        for depth in range(1, encoder.depth):
            states = encoder.states(inputs, depth)
            assert states.shape == (5, *encoder.state_shape(depth))
            assert torch.equal(encoder({}, Hidden(depth, states)), whole)
        assert torch.equal(encoder({}, Hidden(encoder.depth, whole)), whole)


def test_a_row_does_not_see_the_others(encoder):
    with torch.no_grad():
        alone = torch.cat([encoder(inputs_of(encoder, [row])) for row in ROWS])
        torch.testing.assert_close(encoder(inputs_of(encoder)), alone, rtol=1e-5, atol=1e-6)


def test_every_parameter_stands_in_one_block_and_gets_a_gradient(encoder):
    blocks = [{id(p) for module in block for p in module.parameters()} for block in encoder.blocks()]
    assert len(blocks) == encoder.depth
    assert sum(map(len, blocks)) == len(set.union(*blocks)) == len(list(encoder.parameters()))
    if encoder.architecture != "columns":
        encoder.train()(inputs_of(encoder)).square().sum().backward()
        assert [name for name, p in encoder.named_parameters() if p.grad is None] == []
        silent = [name for name, p in encoder.named_parameters() if not p.grad.any()]
        assert silent == []


def test_a_saved_encoder_gives_the_same_bits(encoder, tmp_path):
    encoder.save_files(tmp_path)
    before = torch.random.get_rng_state()
    again = restore(json.loads(json.dumps(encoder.config())), tmp_path)
    assert torch.equal(torch.random.get_rng_state(), before)
    again.load_state_dict(encoder.state_dict(), assign=True)
    assert again.config() == encoder.config()
    assert (again.facts, again.fingerprint, again.width) == (encoder.facts, encoder.fingerprint, encoder.width)
    with torch.no_grad():
        assert torch.equal(again.eval()(inputs_of(again)), encoder(inputs_of(encoder)))


def test_what_was_never_seen_gives_finite_features(encoder):
    rows = [(np.inf, -np.inf, "?", "?"), (1e308, -1e308, 3, True), (None, None, None, None), (np.nan, 0.0, 1.5, "")]
    with torch.no_grad(), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        features = encoder(inputs_of(encoder, rows))
    whole = [column.name for column in encoder.reader.categories if not column.rare]
    assert [f"column {name} holds" in str(one.message) for name, one in zip(whole, said, strict=True)] == [True] * len(
        whole
    )
    assert features.isfinite().all()
    assert features.abs().max() < 1e3


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(
    ("kinds", "row"),
    [
        ({"a": "number"}, (1.0,)),
        ({"a": "category"}, ("x",)),
        ({"a": "number"}, (None,)),
        ({"a": "category", "b": "number"}, (None, 2.0)),
    ],
)
def test_one_constant_column_is_enough(spec, kinds, row):
    encoder = parse_base(spec).build(training([row], kinds, times=3), seed=0)
    features = encoder(inputs_of(encoder, [row, row]))
    assert features.shape == (2, encoder.width)
    assert encoder.width >= 1
    assert features.isfinite().all()
    if encoder.architecture != "columns":
        features.sum().backward()
        assert [name for name, p in encoder.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("spec", TRAINED)
def test_weights_follow_the_seed_and_nothing_else(spec):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    one, same, other = (parse_base(spec).build(training(), seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("spec", TRAINED)
def test_dropout_is_a_fact_and_acts_in_training_only(spec):
    encoder = parse_base(spec).build(training(), seed=1)
    inputs = inputs_of(encoder)
    assert ("dropout" in encoder.facts) == ("dropout=0" not in spec)
    assert torch.equal(encoder.train()(inputs), encoder(inputs)) == ("dropout=0" in spec)
    assert torch.equal(encoder.eval()(inputs), encoder(inputs))


def test_columns_are_what_they_say():
    encoder = parse_base("columns:numbers=standard").build(training(), seed=0)
    features = encoder(inputs_of(encoder)).numpy()
    mass = np.array([1.0, 4.0, 2.0, 9.0])
    assert encoder.width == 2 + 1 + 3 + 3  # numbers, the gap of mass, levels of kind, levels of mark with its gap
    np.testing.assert_allclose(features[[0, 2, 3, 4], 0], (mass - mass.mean()) / mass.std(), rtol=1e-5, atol=1e-6)
    assert features[:, 2].tolist() == [0, 1, 0, 0, 0]
    assert features[1, 0] == 0
    assert features[:, 3:6].tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert features[:, 6:].tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0], [1, 0, 0]]


def test_rare_categories_share_the_place_of_the_unknown():
    encoder = parse_base("columns").build(training([("a",), ("a",), ("b",)], {"k": "category"}, times=1), seed=0)
    assert encoder(inputs_of(encoder, [("a",), ("b",), ("?",)])).tolist() == [[0, 1], [1, 0], [1, 0]]


def test_bins_equal_interpolation():
    number = Number("x", 1.0, 0.0, 1.0, -9.0, 9.0, (), (-1.0, 0.5, 2.0), missing=False)
    values = torch.linspace(-3, 3, 13).unsqueeze(1)
    inside = Bins([number])({"numbers": values, "missing": torch.zeros(13, 1, dtype=torch.bool)}).numpy()
    np.testing.assert_allclose(inside[:, 0], np.interp(values[:, 0], [-1.0, 0.5], [0, 1]), atol=1e-6)
    np.testing.assert_allclose(inside[:, 1], np.interp(values[:, 0], [0.5, 2.0], [0, 1]), atol=1e-6)
    assert not Bins([number])({"numbers": values, "missing": torch.ones(13, 1, dtype=torch.bool)}).any()


def test_attention_equals_torch():
    encoder = parse_base("ft-transformer:width=8,heads=2,layers=1").build(training(), seed=0).eval()
    block, peer = encoder.layers[0], torch.nn.MultiheadAttention(8, 2, batch_first=True)
    peer.load_state_dict(
        {
            "in_proj_weight": block.projections.weight,
            "in_proj_bias": block.projections.bias,
            "out_proj.weight": block.out.weight,
            "out_proj.bias": block.out.bias,
        }
    )
    states = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(block._attend(states), peer(states, states, states)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("spec", ["table-mlp:width=32", "ft-transformer:width=32,heads=4"])
def test_it_learns_what_no_column_says_alone(spec):
    draw = np.random.default_rng(0)
    rows = [(float(x), str(c)) for x, c in zip(draw.normal(size=200), draw.choice(["p", "q"], 200), strict=True)]
    targets = torch.tensor([(x > 0) == (c == "p") for x, c in rows]).long()
    encoder = parse_base(spec).build(training(rows, {"x": "number", "c": "category"}, times=1), seed=0)
    torch.manual_seed(0)
    head = torch.nn.Linear(encoder.width, 2)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], lr=5e-3)
    inputs = inputs_of(encoder, rows)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(head(encoder(inputs)), targets).backward()
        optimizer.step()
    with torch.no_grad():
        assert (head(encoder.eval()(inputs)).argmax(1) == targets).float().mean() > 0.95


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("columns:levels=0", r"levels is 0. Expected 1 or more"),
        ("columns:numbers=ranks", r"Expected one of: standard, quantile, bins"),
        ("table-mlp:dropout=1", r"dropout is 1.0. Expected 0 or more, and less than 1"),
        ("table-mlp:embedding=0", r"embedding is 0"),
        ("ft-transformer:width=10", r"width is 10, which 8 heads can't share"),
        ("ft-transformer:attention_dropout=-1", r"attention_dropout is -1.0"),
    ],
)
def test_wrong_settings_are_explained(spec, message):
    with pytest.raises(UsageError, match=message):
        parse_base(spec)


def test_a_table_without_columns_is_refused():
    with pytest.raises(DataError, match="needs number or category columns"):
        parse_base("columns").build(TrainingRows(), seed=0)
