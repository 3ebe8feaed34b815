"""graftwork.techniques.continual.replay, against its formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from graftwork.core.rows.old_rows import OldRows
from graftwork.errors import RefusedError, UsageError
from graftwork.networks.heads.rows import RowHead
from graftwork.tasks.classification import Classification
from graftwork.tasks.regression import Regression
from graftwork.techniques import Replay

ROWS, OLD = 24, 8


@pytest.fixture
def replayed(fixture):
    """A fixture whose last eight rows, which have no target of its own, are of an old task with two targets."""
    this = fixture(rows=ROWS, unlabelled=range(ROWS - OLD, ROWS))
    kind = Classification().learn(pa.chunked_array([["a", "b"]]), "old")
    size = Regression().learn(pa.chunked_array([[1.0, 2.0, 3.0]]), "old")
    there = np.arange(ROWS) >= ROWS - OLD
    some = there & (np.arange(ROWS) % 2 == 0)
    torch.manual_seed(1)
    heads = {"kind": RowHead(this.network.width, 2), "size": RowHead(this.network.width, 1)}
    targets = {"kind": np.arange(ROWS) % 3 % 2, "size": np.linspace(-1, 1, ROWS, dtype=np.float32)}
    old = OldRows({"kind": kind, "size": size}, targets, {"kind": there, "size": some}, lambda: heads)
    return replace(this, setup=replace(this.setup, old_rows={"old.csv": old})), old, heads


def test_the_loss_is_the_old_head_s_mean_over_the_old_rows(replayed):
    this, old, heads = replayed
    terms = this.stages(Replay("old.csv", weight=0.7)).objective(this.network.as_forward(), this.batch).terms
    features = this.network.features(this.batch).rows
    for name, task in old.tasks.items():
        rows = torch.from_numpy(np.flatnonzero(old.labelled[name]))
        given = heads[name].layers(features[rows])
        truth = torch.from_numpy(old.targets[name][rows.numpy()])
        kind = name == "kind"
        wanted = torch.nn.functional.cross_entropy(given, truth) if kind else task.loss(given, truth).mean()
        term = terms[f"replay {name}"]
        assert float(term.mean.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
        assert term.weight == 0.7


def test_the_old_head_stays_and_the_base_gets_the_gradient(replayed):
    this, _, heads = replayed
    plain, pulled = this.gradients(), this.gradients(Replay("old.csv"))
    assert any(not torch.equal(plain[n], pulled[n]) for n in plain if n.startswith("encoders."))
    assert all(torch.equal(plain[name], pulled[name]) for name in plain if name.startswith("heads."))
    assert all(p.grad is None and not p.requires_grad for head in heads.values() for p in head.parameters())


def test_parts_of_a_batch_add_up(replayed):
    this, _, _ = replayed
    stages = this.stages(Replay("old.csv"))
    whole = stages.objective(this.network.as_forward(), this.batch).terms["replay kind"].mean
    parts = [this.batch.part(torch.arange(at, at + 6)) for at in range(0, ROWS, 6)]
    means = [stages.objective(this.network.as_forward(), part).terms["replay kind"].mean for part in parts]
    assert float(sum(means).detach()) == pytest.approx(float(whole.detach()), rel=1e-5)


def test_a_batch_without_old_rows_has_no_such_loss(replayed):
    this, _, _ = replayed
    part = this.batch.part(torch.arange(ROWS - OLD))
    terms = this.stages(Replay("old.csv")).objective(this.network.as_forward(), part).terms
    assert float(terms["replay kind"].mean) == 0.0


def test_what_it_can_not_do_is_refused(fixture):
    this = fixture()
    with pytest.raises(RefusedError, match=r"nothing reads other\.csv"):
        Replay("other.csv").attach(this.network, this.setup)
    with pytest.raises(UsageError, match=r"replay:table=old\.csv"):
        Replay(" ")
    with pytest.raises(UsageError, match="replay: share is"):
        Replay("old.csv", share=1.0)
    with pytest.raises(UsageError, match="replay: weight is"):
        Replay("old.csv", weight=-1.0)
