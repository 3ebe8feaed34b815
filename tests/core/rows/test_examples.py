from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch

from graftwork.core.rows.examples import make_batch, prepare
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Column, Schema, Table
from tiny import tiny_texts
from tinyrun import Worlds


def table(**columns: list[object]) -> Table:
    roles = {"weight": ("number", "weight"), "domain": ("category", "domain"), "group": ("category", "group")}
    schema = Schema(tuple(Column(name, *roles.get(name, ("text", None))) for name in columns))
    return Table(pa.table(columns), schema, "table", np.arange(1, len(next(iter(columns.values()))) + 1))


def test_tokens_are_kept_on_disk_and_the_same_in_memory(fixtures: Worlds, monkeypatch: pytest.MonkeyPatch):
    network = fixtures("cnn").network
    encoder = network.encoder("text")
    this = table(text=tiny_texts(20))
    kept = prepare(this, network, {}, TextSettings())
    memory = prepare(this, network, {}, TextSettings(), keep_on_disk=False)
    monkeypatch.setattr(type(encoder), "prepare", None)  # a second call would fail
    again = prepare(this, network, {}, TextSettings())
    for examples in (memory, again):
        assert all(map(np.array_equal, examples.inputs["text"].rows(range(20)), kept.inputs["text"].rows(range(20))))
    assert again.keys == kept.keys
    assert kept.lengths.tolist() == [len(row) for row in kept.inputs["text"].rows(range(20))]


def test_other_texts_have_other_keys(fixtures: Worlds):
    network = fixtures("cnn").network
    keys = {
        prepare(table(text=texts), network, {}, TextSettings()).keys["text"]
        for texts in (tiny_texts(20), tiny_texts(21))
    }
    assert len(keys) == 2


def test_roles_become_numbers(fixtures: Worlds):
    network = fixtures("cnn").network
    this = table(text=["the cat"] * 4, weight=[1.0, 3.0, 1.0, 3.0], domain=["b", "a", None, "b"], group=[7, 8, 7, 9])
    examples = prepare(this, network, {}, TextSettings())
    assert examples.weight is not None
    assert examples.weight.tolist() == [0.5, 1.5, 0.5, 1.5]
    assert examples.domain is not None
    assert examples.domain.tolist() == [0, 1, -1, 0]
    assert examples.group is not None
    assert examples.group.tolist() == [0, 1, 0, 2]
    batch = make_batch(examples, fixtures("cnn").network, np.array([2, 0]))
    assert batch.domain is not None
    assert batch.domain.tolist() == [-1, 0]
    assert batch.rows.tolist() == [2, 0]
    assert batch.size == 2


def test_weights_of_0_alone_are_no_division_by_it(fixtures: Worlds):
    network = fixtures("cnn").network
    examples = prepare(table(text=["the cat"] * 2, weight=[0.0, 0.0]), network, {}, TextSettings())
    assert examples.weight is not None
    assert examples.weight.tolist() == [0.0, 0.0]


def test_a_batch_holds_its_rows_in_their_order(fixtures: Worlds):
    fixture = fixtures("cnn", "classes", True)
    rows = np.array([9, 1, 5])
    batch = make_batch(fixture.train, fixture.network, rows, progress=0.25)
    assert batch.targets["label"].tolist() == fixture.train.targets["label"][rows].tolist()
    assert batch.labelled["label"].tolist() == fixture.train.labelled["label"][rows].tolist()
    assert batch.labelled_size == {"label": float(fixture.train.labelled["label"][rows].sum())}
    assert batch.progress == 0.25
    ids = batch.inputs["text"]["input_ids"]
    for place, row in enumerate(fixture.train.inputs["text"].rows(rows)):
        assert torch.equal(ids[place, : len(row)], torch.from_numpy(np.array(row)).to(ids.dtype))


def test_domains_are_numbered_as_in_the_training_table(fixtures: Worlds):
    network = fixtures("cnn").network
    levels = ("a", "b", "c")
    schema = Schema((Column("text", "text"), Column("domain", "category", "domain", levels)))
    data = pa.table({"text": ["the cat"] * 4, "domain": ["c", "a", "new", None]})
    examples = prepare(Table(data, schema, "table", np.arange(1, 5)), network, {}, TextSettings())
    assert examples.domain is not None
    assert examples.domain.tolist() == [2, 0, -1, -1]
    assert examples.domains == levels
