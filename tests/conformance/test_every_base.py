"""What an encoder promises (`networks/encoder.py`), held for every base, at tiny settings."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from conformance.bases import ALL, LEARNS_FROM, MISSING, VALUES, Row
from graftwork.bases.home import SOURCE, folder_of
from graftwork.data.batch import Batch, Hidden, Inputs
from graftwork.networks.bases.architectures import restore
from graftwork.networks.bases.registry import BASES, build, parse_base
from graftwork.networks.encoder import Encoder
from graftwork.networks.fusion.transformer import TransformerFusion
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network, frozen_depth

SEED = 3
Build = Callable[[str], Encoder]


def test_every_base_has_a_row() -> None:
    assert {row.base for row in ALL} == set(BASES.own)
    assert Counter(row.spec.partition(":")[0] for row in ALL) == Counter(row.base for row in ALL)
    assert max(Counter(map(str, ALL)).values()) == 1


@pytest.fixture(scope="module", params=ALL, ids=str)
def row(request: pytest.FixtureRequest) -> Row:
    if request.param.package and importlib.util.find_spec(request.param.package) is None:
        pytest.skip(f"the package {request.param.package} is not installed")
    return request.param


@pytest.fixture(autouse=True)
def _drawn_alike() -> Iterator[None]:
    """What is dropped does not depend on the tests before."""
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        yield


@pytest.fixture(scope="module")
def build_spec(row: Row, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Build]:
    folder = row.folder(tmp_path_factory.mktemp("base")) if row.folder else Path()

    def made(spec: str) -> Encoder:
        settings = parse_base(spec.replace("{folder}", str(folder)))
        assert settings.name == row.base
        return build(settings, LEARNS_FROM[settings.modality], SEED)

    with pytest.MonkeyPatch.context() as patch:
        if row.fetched:
            patch.setenv("GRAFTWORK_HOME", str(tmp_path_factory.mktemp("home")))
            place = folder_of(row.base)
            place.parent.mkdir()
            row.fetched(place)
            (place / SOURCE).touch()
        yield made


@pytest.fixture(scope="module")
def built(row: Row, build_spec: Build) -> Encoder:
    return build_spec(row.spec)


@pytest.fixture
def encoder(built: Encoder) -> Iterator[Encoder]:
    """In eval mode, to be left as it was found: one is shared by all tests of a base."""
    before = {name: value.clone() for name, value in built.state_dict().items()}
    built.requires_grad_(True).eval()
    yield built
    assert all(torch.equal(value, before[name]) for name, value in built.state_dict().items()), "weights changed"
    built.zero_grad(set_to_none=True)


def rows_of(encoder: Encoder) -> list[np.ndarray]:
    return encoder.prepare(VALUES[encoder.modality])


def inputs_of(encoder: Encoder, most: int = 24) -> Inputs:
    return encoder.collate(rows_of(encoder)[:most])


def depths(encoder: Encoder) -> range:
    """Where a forward can start, the whole encoder apart."""
    return range(1, encoder.deepest_start + 1)


def close(first: Tensor, second: Tensor) -> None:
    torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-4)


# --- values become rows ---------------------------------------------------------------------------------------------
def test_the_same_value_is_prepared_the_same(encoder: Encoder) -> None:
    values = VALUES[encoder.modality]
    together, again = encoder.prepare(values), encoder.prepare(values)
    alone = [encoder.prepare([value])[0] for value in values]
    assert len(together) == len(values)
    for first, second, third in zip(together, again, alone, strict=True):
        assert first.dtype == np.dtype(encoder.prepared_dtype)
        assert first.ndim == 1
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first, third)


def test_what_a_row_is_does_not_depend_on_the_seed(row: Row, encoder: Encoder, build_spec: Build) -> None:
    again = build_spec(row.spec)
    assert again.fingerprint == encoder.fingerprint
    for first, second in zip(rows_of(encoder), rows_of(again), strict=True):
        np.testing.assert_array_equal(first, second)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in encoder.state_dict().items())


def test_the_fingerprint_tells_what_is_prepared_otherwise(row: Row, encoder: Encoder, build_spec: Build) -> None:
    if not row.other:
        pytest.skip("it reads as what it was tuned from does")
    other = build_spec(row.other)
    pairs = zip(rows_of(encoder), rows_of(other), strict=True)
    assert any(not np.array_equal(first, second) for first, second in pairs), "the row's `other` changes nothing"
    assert encoder.fingerprint != other.fingerprint


def test_no_rows_and_missing_values(encoder: Encoder) -> None:
    assert encoder.prepare([]) == []
    missing = encoder.prepare([MISSING[encoder.modality]])
    if encoder.modality in ("image", "audio"):
        assert len(missing[0]) == 0
    with torch.no_grad():
        for rows in (missing, missing * 2, [rows_of(encoder)[0], *missing, rows_of(encoder)[1]]):
            features = encoder(encoder.collate(rows))
            assert features.shape == (len(rows), encoder.width)
            assert torch.isfinite(features).all()


def test_work_is_counted(encoder: Encoder) -> None:
    lengths = np.array([len(each) for each in rows_of(encoder)])
    counted = encoder.tokens(lengths)
    assert counted.shape == lengths.shape
    assert np.issubdtype(counted.dtype, np.integer)
    assert (counted >= 1).all()


# --- rows become features -------------------------------------------------------------------------------------------
def test_features(encoder: Encoder) -> None:
    """Finite, of the width it states, varied, and of each row by itself."""
    rows = rows_of(encoder)
    with torch.no_grad():
        features = encoder(encoder.collate(rows))
        assert features.shape == (len(rows), encoder.width)
        assert torch.isfinite(features).all()
        assert len({tuple(one.tolist()) for one in features}) > len(rows) // 2
        for at in (0, len(rows) - 1):
            close(encoder(encoder.collate([rows[at]]))[0], features[at])


def test_bfloat16(encoder: Encoder) -> None:
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        features = encoder(inputs_of(encoder))
    assert features.shape[1] == encoder.width
    assert torch.isfinite(features).all()


def test_a_forward_can_start_at_any_depth_it_names(encoder: Encoder) -> None:
    rows = rows_of(encoder)[:6]
    inputs, lengths = encoder.collate(rows), np.array([len(each) for each in rows])
    assert 0 <= encoder.deepest_start < max(encoder.depth, 1)
    with torch.no_grad():
        whole = encoder(inputs)
        assert torch.equal(encoder(inputs, Hidden(encoder.depth, whole)), whole)
        for depth in depths(encoder):
            states = encoder.states(inputs, depth)
            shape = encoder.state_shape(depth)
            if shape is not None:
                assert states.shape == (len(rows), *shape)
            else:
                assert states.shape[::2] == (len(rows), encoder.state_width(depth))
                assert states.shape[1] >= encoder.state_lengths(lengths, depth).max()
            close(encoder(inputs, Hidden(depth, states)), whole)


def test_kept_states_are_as_long_as_they_say(encoder: Encoder) -> None:
    """The cache keeps `state_lengths` vectors a row, and pads them again: nothing else is needed."""
    rows = rows_of(encoder)[:6]
    inputs, lengths = encoder.collate(rows), np.array([len(each) for each in rows])
    with torch.no_grad():
        whole = encoder(inputs)
        for depth in depths(encoder):
            if encoder.state_shape(depth) is not None:
                continue
            states = encoder.states(inputs, depth).clone()
            for at, length in enumerate(encoder.state_lengths(lengths, depth)):
                states[at, length:] = 0.0
            close(encoder(inputs, Hidden(depth, states)), whole)


# --- tokens ---------------------------------------------------------------------------------------------------------
def tokens_of(encoder: Encoder, inputs: Inputs, hidden: Hidden | None = None) -> tuple[Tensor, Tensor]:
    tokens = encoder.tokens_of(inputs, hidden)
    return tokens.states, tokens.counts


def test_tokens(encoder: Encoder) -> None:
    """Of the width it states, with one that counts in every row, the same beside shorter and longer rows."""
    rows = rows_of(encoder)[:6]
    inputs = encoder.collate(rows)
    with torch.no_grad():
        states, counts = tokens_of(encoder, inputs)
        assert states.shape == (len(rows), counts.shape[1], encoder.token_width)
        assert counts.dtype == torch.bool
        assert counts.any(dim=1).all()
        assert torch.isfinite(states[counts]).all()
        pooled, beside = encoder.features_and_tokens(inputs)
        close(pooled, encoder(inputs))
        close(beside.states[counts], states[counts])
        assert torch.equal(beside.counts, counts)
        for at in (0, len(rows) - 1):
            alone, counted = tokens_of(encoder, encoder.collate([rows[at]]))
            close(alone[0][counted[0]], states[at][counts[at]])
        for depth in depths(encoder):
            later, same = tokens_of(encoder, inputs, Hidden(depth, encoder.states(inputs, depth)))
            assert torch.equal(same, counts)
            close(later[counts], states[counts])


def test_it_is_fused_by_rows_and_by_tokens(encoder: Encoder) -> None:
    """Beside another input, in training, also where rows lack it: the gradient reaches it through either fusion."""
    text = build(parse_base("gru:width=6"), LEARNS_FROM["text"], SEED)
    encoders: dict[str, Encoder] = {"one": encoder, "two": text}
    plain = Network(encoders, {"label": RowHead(encoder.width + text.width, 2)})
    tokens = TransformerFusion(plain.widths(tokens=True), 8, 1, 2, 0.0, 6)
    batch = Batch({"one": inputs_of(encoder, 6), "two": inputs_of(text, 6)}, torch.arange(6))
    lacking = replace(batch, present={"one": torch.tensor([True, False] * 3)})
    for network in (plain, Network(encoders, {"label": RowHead(8, 2)}, tokens)):
        for each in (batch, lacking):
            predictions = network.train()(each).predictions["label"]
            assert isinstance(predictions, Tensor)
            assert predictions.shape == (6, 2)
            assert torch.isfinite(predictions).all()
            predictions.square().sum().backward()
            parameters = list(encoder.parameters())
            assert not parameters or any(value.grad is not None and value.grad.any() for value in parameters)
            encoder.zero_grad(set_to_none=True)


# --- blocks ---------------------------------------------------------------------------------------------------------
def test_blocks_hold_every_parameter_once(encoder: Encoder) -> None:
    blocks = encoder.blocks()
    assert len(blocks) == encoder.depth
    held = Counter(id(value) for block in blocks for module in block for value in module.parameters())
    assert held.keys() == {id(value) for value in encoder.parameters()}
    assert set(held.values()) <= {1}


def test_frozen_blocks(encoder: Encoder) -> None:
    """What stands behind frozen blocks is trained alike from their states and from the inputs, and they are not."""
    inputs = inputs_of(encoder, 6)
    for depth in depths(encoder):
        encoder.requires_grad_(True)
        frozen = [value for block in encoder.blocks()[:depth] for m in block for value in m.parameters()]
        for value in frozen:
            value.requires_grad_(False)
        assert frozen_depth(encoder) >= depth
        gradients = []
        for hidden in (None, Hidden(depth, encoder.states(inputs, depth).detach())):
            encoder.zero_grad(set_to_none=True)
            features = encoder(inputs, hidden)
            if features.requires_grad:
                features.square().sum().backward()
            gradients.append({name: value.grad for name, value in encoder.named_parameters()})
        assert all(value.grad is None for value in frozen)
        for name, first in gradients[0].items():
            second = gradients[1][name]
            assert (first is None) == (second is None), name
            if first is not None and second is not None:
                torch.testing.assert_close(first, second, atol=1e-4, rtol=1e-3)
    encoder.requires_grad_(False)
    assert frozen_depth(encoder) == encoder.depth


def test_every_weight_is_trained(encoder: Encoder) -> None:
    """Every parameter that a step may change has a gradient: nothing is carried along that never learns."""
    if not list(encoder.parameters()):
        return
    encoder.train()
    encoder(inputs_of(encoder)).square().sum().backward()
    still = [name for name, value in encoder.named_parameters() if value.grad is None]
    assert still == []


def test_dropout_is_as_it_says(encoder: Encoder) -> None:
    inputs = inputs_of(encoder, 6)
    encoder.train()
    with torch.no_grad():
        first, *others = (encoder(inputs) for _ in range(20))  # few rows may escape a small share for a while
    assert ("dropout" in encoder.facts) == any(not torch.equal(first, other) for other in others)


# --- saving ---------------------------------------------------------------------------------------------------------
def test_saved_and_restored(encoder: Encoder, tmp_path: Path) -> None:
    """The same rows and the same bits; the configuration is plain JSON, which names the architecture."""
    config: dict[str, Any] = json.loads(json.dumps(encoder.config(), allow_nan=False))
    encoder.save_files(tmp_path)
    again = restore({**config, "architecture": encoder.architecture}, tmp_path)
    assert type(again) is type(encoder)
    again.load_state_dict(encoder.state_dict())
    again.eval()
    assert again.fingerprint == encoder.fingerprint
    for name in ("width", "depth", "hidden_width", "facts", "token_width", "deepest_start"):
        assert getattr(again, name) == getattr(encoder, name), name
    rows = rows_of(encoder)
    for first, second in zip(rows, rows_of(again), strict=True):
        np.testing.assert_array_equal(first, second)
    with torch.no_grad():
        assert torch.equal(again(again.collate(rows)), encoder(encoder.collate(rows)))
