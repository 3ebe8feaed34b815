"""Images are decoded once: for the run, its report and a later run; and few rows of them are held in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork import predicting
from graftwork.core.frozen import cache
from graftwork.core.frozen.cache import features_cache
from graftwork.core.rows import examples
from graftwork.networks.image import encoder as image
from graftwork.networks.image.encoder import PASS_PIXELS
from tiny import tiny_rows
from tinyrun import make_worlds, picture

ROWS, TESTED = 72, 18


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each image that a base prepares."""
    seen: list[int] = []
    plain = image.decode

    def decode(encoded: bytes, least: int | None = None) -> Any:
        seen.append(len(encoded))
        return plain(encoded, least)

    monkeypatch.setattr(image, "decode", decode)
    return seen


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Where each pass of a base over rows keeps what it gives."""
    seen: list[str] = []
    plain = cache._compute

    def compute(network: Any, rows: Any, name: str, depth: int, folder: Path, watch: Any) -> None:
        seen.append(str(folder))
        plain(network, rows, name, depth, folder, watch)

    monkeypatch.setattr(cache, "_compute", compute)
    return seen


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "cache"))


def frame(rows: int, start: int = 0) -> pd.DataFrame:
    made = tiny_rows(start + rows)[start:]
    return pd.DataFrame(
        {
            "text": [f"{at} {text}" for at, (text, _) in enumerate(made)],
            "photo": [picture(topic, start + at) for at, (_, topic) in enumerate(made)],
            "topic": [topic for _, topic in made],
        }
    )


def fitted(inputs: list[str], technique: Any) -> gw.Model:
    recipe = gw.Recipe(
        base={"text": "gru:width=8", "image": "small-cnn:width=8,size=8"} if len(inputs) > 1 else "small-cnn:width=8",
        techniques=[technique],
        training=gw.Training(steps=2, precision="fp32"),
    )
    return gw.fit(frame(ROWS), target="topic", inputs=inputs, test=frame(TESTED, ROWS), recipe=recipe)


@pytest.mark.parametrize("inputs", [["photo"], ["text", "photo"]], ids=len)
@pytest.mark.parametrize("technique", [gw.Probe(), gw.LabelSmoothing(0.1)], ids=lambda one: one.name)
def test_each_image_is_decoded_once(inputs: list[str], technique: Any, counted: list[int], passes: list[str]) -> None:
    model = fitted(inputs, technique)
    assert len(counted) == ROWS + TESTED
    first = len(passes)
    assert len({*passes}) == first
    fitted(inputs, technique)
    assert len(counted) == ROWS + TESTED
    if technique.name == "probe":
        assert first
        assert len(passes) == first, "a frozen base read rows again that it had read before"
    model.evaluate(frame(TESTED, ROWS))
    assert len(counted) == ROWS + TESTED
    model.predict(frame(TESTED, ROWS))  # rows to predict are not kept on disk
    assert len(counted) == ROWS + 2 * TESTED


def test_predictions_hold_few_images_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    model, held = fitted(["photo"], gw.Probe()), list[int]()
    plain = examples.prepare

    def prepare(table: Any, *args: Any, **more: Any) -> Any:
        held.append(len(table))
        return plain(table, *args, **more)

    expected = np.asarray(model.predict_proba(frame(TESTED)))
    monkeypatch.setattr(predicting, "prepare", prepare)
    monkeypatch.setitem(examples.HELD, "image", 7)
    np.testing.assert_allclose(np.asarray(model.predict_proba(frame(TESTED))), expected, atol=1e-5)
    assert held == [7, 7, 4]
    assert model.evaluate(frame(TESTED, 3)).rows == TESTED
    assert held[3:] == [7, 7, 4]


def test_only_images_and_sounds_are_held_in_small_numbers(tmp_path: Path) -> None:
    fixtures = make_worlds(tmp_path)
    kinds = {"transformer": 10_000, "mixed": 512, "image": 512, "audio": 64}
    assert {kind: examples.held_rows(fixtures(kind).network, 10_000) for kind in kinds} == kinds


def test_a_pass_over_large_images_takes_few_at_a_time(tmp_path: Path) -> None:
    network = make_worlds(tmp_path)("image").network
    encoder = next(network.each_encoder())
    encoder.view = encoder.view.with_size(256, None)
    lengths = np.ones(50, np.int64)
    assert encoder.pass_rows == PASS_PIXELS // 256**2 == 4
    assert max(map(len, network.pass_batches(lengths, 1000, network.columns))) == 4
    assert len(network.pass_batches(lengths, 1000, [])) == 1, "cached images cost nothing"
    assert max(map(len, network.pass_batches(lengths, 3, network.columns))) == 3


def test_features_are_those_of_the_network_and_of_every_input(tmp_path: Path) -> None:
    fixture = make_worlds(tmp_path)("mixed")
    found = features_cache(fixture.network, fixture.valid, ())
    assert {name: store.depth for name, store in found.items()} == {
        name: fixture.network.encoder(name).depth
        for name in fixture.network.columns
        if fixture.network.encoder(name).depth > 1
    }
    assert features_cache(fixture.network, fixture.valid, [gw.TTA(2)]) == {}
    single = make_worlds(tmp_path / "single")("image")
    assert features_cache(single.network, single.valid, ()) == {}, "it is tuned, so no other run would read them"
