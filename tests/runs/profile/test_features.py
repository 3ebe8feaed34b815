"""graftwork.runs.profile.features: the frozen features of a job's rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.core.frozen import cache
from graftwork.core.rows.examples import prepare
from graftwork.core.run import features_of
from graftwork.data.load import load_like
from graftwork.runs.listener import Listener
from graftwork.runs.profile.features import frozen_base
from graftwork.runs.single.run import build_network
from jobs import job_of
from tiny import WIDTH, tiny_rows

FP32 = gw.Training(precision="fp32")


def rows(count: int = 24) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(count), columns=["text", "label"])


def test_they_are_what_a_probe_reads(base: Path) -> None:
    recipe = gw.Recipe(base=f"{base}:layers=2", training=FP32)
    job = job_of(rows(), recipe)
    found = frozen_base(job, recipe).features(job.train)
    network = build_network(job, recipe)
    examples = prepare(job.train, network, job.tasks, recipe.text)
    np.testing.assert_allclose(found.values, features_of(network, examples, {}), atol=1e-5)
    assert len(found) == 24
    assert np.array_equal(found.by_input["text"], found.values)
    assert found.numbers.tolist() == list(range(1, 25))
    assert np.array_equal(found.targets["label"], examples.targets["label"])
    assert found.labelled["label"].all()


def test_the_last_layers_stand_side_by_side_unless_the_recipe_says_how_many(base: Path) -> None:
    width = {}
    for layers in ("", ":layers=2"):
        recipe = gw.Recipe(base=f"{base}{layers}", training=FP32)
        job = job_of(rows(), recipe)
        width[layers] = frozen_base(job, recipe).features(job.train).values.shape[1]
    assert width == {"": 3 * WIDTH, ":layers=2": 2 * WIDTH}


def test_they_are_computed_once(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []

    class Counts(Listener):
        def computed(self, done: int, rows: int) -> None:
            heard.append(done)
            assert rows == 24

    recipe = gw.Recipe(base=str(base), training=FP32)
    table = rows().assign(text=lambda frame: frame["text"] + " of once")
    job = job_of(table, recipe)
    first = frozen_base(job, recipe).features(job.train, Counts())
    assert heard[-1] == 24
    monkeypatch.setattr(cache, "_compute", None)  # computing again would fail
    second = frozen_base(job, recipe).features(job.train, Counts())
    assert np.array_equal(first.values, second.values)


def test_a_table_without_the_target(base: Path) -> None:
    recipe = gw.Recipe(base=str(base), training=FP32)
    job = job_of(rows(), recipe)
    pool = load_like(rows()[["text"]], job.train.schema, with_target=False).table
    found = frozen_base(job, recipe).features(pool)
    assert len(found) == 24
    assert not found.targets


def test_a_base_that_starts_from_nothing_is_named(base: Path) -> None:
    for spec, expected in ((str(base), ()), ("gru:width=16", ("text",))):
        recipe = gw.Recipe(base=spec, training=FP32)
        assert frozen_base(job_of(rows(), recipe), recipe).unlearned == expected


def test_heads_are_of_targets_that_a_vector_a_row_says_something_of(base: Path) -> None:
    recipe = gw.Recipe(base=str(base), task="tagging", training=FP32)
    texts = [text for text, _ in tiny_rows(12)]
    spans = [[{"start": 0, "end": 3, "label": "THING"}] for _ in texts]
    job = job_of(pd.DataFrame({"text": texts, "label": spans}), recipe)
    assert not frozen_base(job, recipe).heads
    plain = gw.Recipe(base=str(base), training=FP32)
    assert list(frozen_base(job_of(rows(), plain), plain).heads) == ["label"]
