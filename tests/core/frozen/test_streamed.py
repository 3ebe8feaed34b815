"""core.frozen.streamed: the same prepared rows, when they are asked for, and lengths without preparing them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import graftwork as gw
from graftwork.core.frozen import streamed as streaming
from graftwork.core.frozen.streamed import Streamed, streamed
from graftwork.core.rows.examples import Examples, prepare
from graftwork.data.columns.text import TextSettings
from graftwork.networks.network import Network
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import build_network
from jobs import job_of
from tinysound import encoded, tone

ROWS, FIRST = 60, 16


def picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file := io.BytesIO(), format="PNG")
    return file.getvalue()


def texts(column: str) -> list[str]:
    draw = np.random.default_rng(sum(map(ord, column)))
    return [" ".join(draw.choice(["red", "green", "blueish", "fog"], draw.integers(1, 9))) for _ in range(ROWS)]


COLUMNS: dict[str, Any] = {
    "text": texts("text"),
    "photo": [picture(at) for at in range(ROWS)],
    "sound": [encoded(tone(200 + 5 * at, seconds=0.2 + 0.005 * at)) for at in range(ROWS)],
    "size": list(range(ROWS)),
}
BASES = {"text": "gru:width=8", "image": "small-cnn:width=8", "audio": "mel-cnn:width=8", "table": "columns"}
READ: list[list[str]] = [["text"], ["photo"], ["sound"], ["size"], ["text", "photo", "size"]]


def world(columns: Sequence[str]) -> tuple[Job, Network, gw.Recipe]:
    recipe = gw.Recipe(base=BASES)
    frame = pd.DataFrame({name: COLUMNS[name] for name in columns} | {"label": ["a", "b"] * (ROWS // 2)})
    if len(columns) > 1:
        frame.loc[[3, 40], "text"] = None
    job = job_of(frame, recipe, target="label")
    return job, build_network(job, recipe), recipe


def both(columns: Sequence[str]) -> tuple[Examples, Examples, Network]:
    job, network, recipe = world(columns)
    plain = prepare(job.train, network, job.tasks, recipe.text)
    return plain, streamed(job.train, network, job.tasks, recipe.text, FIRST), network


@pytest.mark.parametrize("columns", READ, ids="+".join)
def test_rows_are_those_that_are_prepared_at_once(columns: list[str]) -> None:
    plain, made, network = both(columns)
    assert len(made) == len(plain)
    order = np.random.default_rng(0).permutation(len(plain))[:20]
    for name in network.columns:
        assert isinstance(made.inputs[name], Streamed)
        for one, other in zip(made.inputs[name].rows(order), plain.inputs[name].rows(order), strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(made.targets["label"], plain.targets["label"])
    assert made.present.keys() == plain.present.keys()
    for name, mask in made.present.items():
        np.testing.assert_array_equal(mask, plain.present[name])


@pytest.mark.parametrize("columns", READ, ids="+".join)
def test_the_first_rows_are_prepared_as_ever(columns: list[str]) -> None:
    plain, made, network = both(columns)
    assert made.first is not None
    assert len(made.first) == FIRST
    for name in network.columns:
        for row in range(FIRST):
            np.testing.assert_array_equal(made.first.inputs[name][row], plain.inputs[name][row])


def test_lengths_come_from_the_table_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts by their bytes; pictures are all alike. No row beyond the first ones is prepared for it."""
    job, network, _ = world(["text"])
    monkeypatch.setattr(streaming, "prepared_values", lambda *_: pytest.fail("a row was prepared"))
    made = streamed(job.train, network, job.tasks, TextSettings(), FIRST)
    true = prepare(job.train, network, job.tasks, TextSettings()).lengths
    np.testing.assert_array_equal(made.lengths[:FIRST], true[:FIRST])
    assert np.corrcoef(made.lengths[FIRST:], true[FIRST:])[0, 1] > 0.8
    plain, made, _ = both(["photo"])
    np.testing.assert_array_equal(made.lengths, plain.lengths)


def test_keys_change_with_the_rows() -> None:
    job, network, recipe = world(["text"])
    less = job.train.take(np.arange(len(job.train) - 1))
    keys = [streamed(table, network, job.tasks, recipe.text, FIRST).keys for table in (job.train, job.train, less)]
    assert keys[0] == keys[1] != keys[2]
    assert keys[0] != prepare(job.train, network, job.tasks, recipe.text).keys


def test_memory_does_not_hold_the_prepared_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the rows behind the first ones reaches the cache folder."""
    job, network, recipe = world(["photo"])
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path))
    made = streamed(job.train, network, job.tasks, recipe.text, FIRST)
    before = sorted(tmp_path.rglob("*"))
    made.inputs["photo"].rows(np.arange(len(made)))
    assert sorted(tmp_path.rglob("*")) == before
    first = made.first
    assert first is not None
    kept = sum(file.stat().st_size for file in tmp_path.rglob("values.bin"))
    assert kept == sum(row.nbytes for row in first.inputs["photo"])
