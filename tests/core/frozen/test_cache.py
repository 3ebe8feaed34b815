from __future__ import annotations

import copy
import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from core.fakes import Shallow
from graftwork.core.frozen import cache as frozen
from graftwork.core.frozen.cache import build_cache, cache_depths
from graftwork.core.rows.examples import Cached, Examples, make_batch
from graftwork.core.run import features_of
from graftwork.core.scoring import predict_examples
from graftwork.data.store import cache as disk
from graftwork.data.store.ragged import Ragged
from graftwork.errors import DataError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network
from graftwork.techniques import EMA, Mixup, Partial, Probe
from tiny import KINDS, tiny_model, tiny_texts
from tinyrun import BASES, DEPTH, Fixture, Worlds, weights


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test begins with an empty cache for frozen blocks; prepared rows are held open by the fixtures."""
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("blocks", [0, 1])
def test_cached_is_as_computed(base: str, blocks: int, fixtures: Worlds):
    fixture = fixtures(base)
    run = fixture.run([Partial(1) if blocks else Probe()])
    assert {name: store.depth for name, store in run.cached.items()} == {"text": DEPTH - blocks}
    with_cache = predict_examples(run.network, fixture.train, cached=run.cached)["label"]
    without = predict_examples(run.network, fixture.train)["label"]
    assert np.allclose(with_cache, without, atol=1e-5)
    assert (with_cache.argmax(1) == without.argmax(1)).all()
    batch = make_batch(fixture.train, run.network, np.array([3, 0, 9]), run.cached)
    assert batch.hidden["text"].depth == DEPTH - blocks
    assert ("text" in batch.inputs) == bool(blocks)  # whole features need no tokens


@pytest.mark.parametrize("base", BASES)
def test_training_on_the_cache_is_as_training_without(base: str, fixtures: Worlds):
    fixture = fixtures(base)
    cached = fixture.fit([Partial(1)], keep="last")[1]
    uncached = fixture.fit([Partial(1), Shallow(0)], keep="last")[1]
    for name, value in weights(cached.network).items():
        torch.testing.assert_close(value, weights(uncached.network)[name], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layers", [1, 2])
def test_every_kind_of_transformer(kind: str, layers: int, tmp_path: Path, fixtures: Worlds):
    """Padding on either side, several pooled layers, bases that can't start in the middle."""
    fixture = fixtures("transformer")
    encoder = parse_base(f"{tiny_model(tmp_path / kind, kind)}:layers={layers}").build(TrainingRows(), 0)
    network = Network({"text": encoder}, {"label": RowHead(encoder.width, 3)})
    examples = _examples(fixture, network)
    for technique in (Partial(1), Probe()):
        adapted = technique.adapt(network, None)  # type: ignore[arg-type]
        depths, _ = cache_depths(adapted, [technique])
        cached = build_cache(adapted, examples, depths)
        with_cache = predict_examples(adapted, examples, cached=cached)["label"]
        assert np.allclose(with_cache, predict_examples(adapted, examples)["label"], atol=1e-4)
    assert depths == {"text": encoder.depth}


def _examples(fixture: Fixture, network: Network) -> Examples:
    encoder = network.encoder("text")
    rows = encoder.prepare(tiny_texts(20))
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    return dataclasses.replace(
        fixture.train,
        inputs={"text": Ragged(np.concatenate(rows), offsets)},
        keys={"text": f"tiny {encoder.fingerprint}"},
        tokens={"text": np.diff(offsets)},
        numbers=np.arange(20),
        targets={},
        labelled={},
    )


def test_the_second_run_computes_nothing(fixtures: Worlds):
    fixture = fixtures("transformer")
    assert "sequence_blocks" in fixture.network.encoders[0].facts  # found out by a call, once
    calls: list[int] = []
    handle = fixture.network.encoders[0].register_forward_hook(lambda *seen: calls.append(len(seen[-1])))
    try:
        first = fixture.run([Probe()])
        assert sum(calls) == len(fixture.train) + len(fixture.valid)
        calls.clear()
        second = fixture.run([Probe()])
        assert calls == []
        assert np.array_equal(first.cached["text"].states, second.cached["text"].states)
    finally:
        handle.remove()


def test_other_weights_are_computed_anew(fixtures: Worlds):
    fixture = fixtures("cnn")
    fixture.run([Probe()])
    changed = dataclasses.replace(fixture, network=other_weights(fixture))
    before, after = fixture.run([Probe()]).cached["text"], changed.run([Probe()]).cached["text"]
    assert not np.allclose(np.asarray(before.states), np.asarray(after.states))


def other_weights(fixture: Fixture) -> Network:
    network = copy.deepcopy(fixture.network)
    with torch.no_grad():
        next(network.encoders.parameters()).add_(1.0)
    return network


@pytest.mark.parametrize(
    ("listed", "depth"),
    [
        ([Probe()], DEPTH),
        ([Probe(), Mixup(), EMA()], DEPTH),
        ([Partial(1)], DEPTH - 1),
        ([Partial(2)], None),  # the embedding alone is quicker to compute
        ([], None),
        ([Probe(), Shallow(0)], None),
        ([Probe(), Shallow(DEPTH - 1)], DEPTH - 1),
    ],
    ids=lambda value: "+".join(t.name for t in value) if isinstance(value, list) else str(value),
)
def test_depth(listed: list, depth: int | None, fixtures: Worlds):
    run = fixtures("transformer").run(listed, started=False)
    assert run.plan.cache == ({} if depth is None else {"text": depth})


def test_who_shortened_it_is_said(fixtures: Worlds):
    network = Probe().adapt(fixtures("cnn").run([]).network, None)  # type: ignore[arg-type]
    assert cache_depths(network, [Probe(), Shallow(0)]) == (
        {},
        ["shallow changes the input of block 0 of text: the cache ends there"],
    )


def test_states_too_large_for_the_disk_are_not_kept(
    fixtures: Worlds, monkeypatch: pytest.MonkeyPatch, own_folder: Path
):
    monkeypatch.setenv("GRAFTWORK_CACHE_LIMIT_GB", "0.00001")
    run = fixtures("transformer").run([Partial(1)])
    assert run.cached == {}
    assert run.plan.cache == {}
    assert not (own_folder / "frozen").exists()


def test_a_stopped_computation_leaves_nothing(fixtures: Worlds, own_folder: Path):
    fixture = fixtures("cnn")

    def stop(_done: int, _rows: int) -> None:
        raise KeyboardInterrupt

    network = Probe().adapt(fixture.run([]).network, None)  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        build_cache(network, fixture.train, {"text": DEPTH}, stop)
    assert list((own_folder / "frozen").iterdir()) == []


def test_a_full_disk_is_named(fixtures: Worlds, monkeypatch: pytest.MonkeyPatch, own_folder: Path):
    fixture = fixtures("cnn")
    network = Probe().adapt(fixture.run([]).network, None)  # type: ignore[arg-type]

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("graftwork.data.store.ragged.reserve", full)
    with pytest.raises(DataError, match=r"No space left to write .*GRAFTWORK_CACHE"):
        build_cache(network, fixture.train, {"text": DEPTH})
    assert disk.cache_dir() == own_folder
    assert list((own_folder / "frozen").iterdir()) == []


def test_features_come_from_the_cache(fixtures: Worlds):
    fixture = fixtures("rnn")
    run = fixture.run([Probe()])
    states = run.cached["text"].states
    assert isinstance(states, np.ndarray)
    assert features_of(run.network, fixture.train, run.cached) is states
    assert np.allclose(features_of(run.network, fixture.train, {}), states, atol=1e-5)


def test_bf16_states_survive_the_disk(fixtures: Worlds):
    fixture = fixtures("transformer")
    run = fixture.run([Partial(1)], precision="bf16")
    cached: Cached = run.cached["text"]
    assert cached.bf16
    with_cache = predict_examples(run.network, fixture.valid, cached=run.valid_cached)["label"]
    without = predict_examples(run.network, fixture.valid)["label"]
    assert np.abs(with_cache - without).max() < 0.15 * np.abs(without).max()


def test_an_entry_that_vanishes_while_it_is_read_is_computed_again(fixtures: Worlds, monkeypatch: pytest.MonkeyPatch):
    fixture = fixtures("transformer")
    network = fixture.run([Probe()]).network
    depths = cache_depths(network, [Probe()])[0]
    whole = build_cache(network, fixture.train, depths)
    real, failures = frozen._read, [FileNotFoundError("pruned")]

    def flaky(*args):
        if failures:
            raise failures.pop()
        return real(*args)

    monkeypatch.setattr(frozen, "_read", flaky)
    again = build_cache(network, fixture.train, depths)
    assert not failures
    assert (np.asarray(again["text"].states) == np.asarray(whole["text"].states)).all()
