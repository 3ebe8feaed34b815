"""What a head promises (`networks/heads/head.py`), held for every head with every task that it fits."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import Tensor

import graftwork as gw
from conformance import tasks
from conformance.examine import train, unclear, unsound
from conformance.heads import ALL, L2, Row
from conformance.table import ROWS as TECHNIQUE_ROWS
from conformance.tasks import TARGET, TEXTS
from graftwork.core.rows.corruption import corruption
from graftwork.core.rows.examples import Examples, make_batch, prepare
from graftwork.data.batch import Batch
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Column, Kind, Role, Schema, Table
from graftwork.data.tensors import Tensors
from graftwork.errors import RefusedError, UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.heads.head import Head
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.heads.rows import RowHeadSettings
from graftwork.networks.heads.solving.problem import Problem
from graftwork.networks.network import Network
from graftwork.tasks.capabilities import Corrupts
from graftwork.tasks.registry import fits, head_of
from graftwork.tasks.task import Task
from tinyrun import Fixture

SEED, BATCH = 3, 12
FITTING = [(row, task) for row in ALL for task in tasks.ALL if HEADS[row.name].fits <= task.task.facts]
LOGGED: dict[Role, Kind] = {"reward": "number", "propensity": "number", "rollout": "category", "step": "number"}
"""Roles of columns that a task may learn from."""
each = pytest.mark.parametrize(("row", "task_row"), FITTING, ids=[f"{row.spec}-{task}" for row, task in FITTING])


def test_every_head_has_a_row() -> None:
    assert {row.name for row in ALL} == set(HEADS.own)


@dataclass(frozen=True)
class Setting:
    """A task that was learned, a network without heads that reads its inputs, and all rows."""

    task: Task
    network: Network
    table: Table
    examples: Examples

    def head(self, spec: str) -> Head:
        with torch.random.fork_rng():
            torch.manual_seed(SEED)
            return self.task.make_head(self.network, spec)

    def with_head(self, head: Head) -> Network:
        network = copy.deepcopy(self.network)
        network.set_heads({TARGET: head})
        return network

    @property
    def twice(self) -> bool:
        """Whether each row comes twice in a batch."""
        return isinstance(self.task, Corrupts) and self.task.shows_twice

    def batch(self, network: Network, rows: int = BATCH) -> Batch:
        shown = rows // 2 if self.twice else rows
        batch = make_batch(self.examples, network, np.flatnonzero(self.examples.labelled[TARGET])[:shown])
        hidden = corruption({TARGET: self.task}, network)
        return batch if hidden is None else hidden(batch)

    def problem(self, network: Network, *, weight: np.ndarray | None = None) -> Problem:
        """The task, on the features of all rows."""
        with torch.no_grad():
            features = network.eval().features(self.batch(network, len(TEXTS))).rows.numpy()
        return Problem(features, self.examples.targets[TARGET], self.task, weight=weight, l2=L2, seed=SEED)

    def loss(self, predictions: Tensors, batch: Batch) -> Tensor:
        return self.task.loss(predictions, batch.targets[TARGET])


@cache
def setting(row: tasks.Row) -> Setting:
    inputs = tuple(Column(name, row.kind) for name in row.inputs)
    target = () if row.target is None else (Column(TARGET, row.task.target_kinds[0], "target"),)
    logged = tuple(Column(row.roles[role], kind, role) for role, kind in LOGGED.items() if role in row.roles)
    schema = Schema((*inputs, *target, *logged, Column("place", "category", "domain", ("far", "here"))))
    table = Table(row.data(), schema, "tiny", np.arange(1, len(TEXTS) + 1))
    task = row.task.learn_rows(table, TARGET)
    encoder = parse_base(row.base).build(TrainingRows(lambda: TEXTS), SEED)
    network = Network(dict.fromkeys(row.inputs, encoder), {})
    return Setting(task, network, table, prepare(table, network, {TARGET: task}, TextSettings()))


def ready(row: Row, task_row: tasks.Row) -> tuple[Setting, Network, Head]:
    """With a head that can be trained: one that has to be solved first is."""
    made = setting(task_row)
    head = made.head(row.spec)
    network = made.with_head(head)
    if head.must_be_solved:
        assert head.solve(made.problem(network))
    return made, network.train(), head


@pytest.fixture(autouse=True)
def _drawn_alike() -> Iterator[None]:
    """What is dropped does not depend on the tests before."""
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        yield


# --- which tasks it fits ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("row", ALL, ids=lambda row: row.spec)
@pytest.mark.parametrize("task_row", tasks.ALL, ids=str)
def test_it_is_taken_or_refused_in_words(row: Row, task_row: tasks.Row) -> None:
    """A plain linear head, which is what recipes say that name none, gives way to the task's own."""
    task = task_row.task
    assert fits(task, HEADS[task.usual_head])
    if fits(task, HEADS[row.name]):
        assert head_of(task, row.spec) == row.spec
    elif row.spec == "linear":
        assert head_of(task, row.spec) == task.usual_head
    else:
        with pytest.raises(
            UsageError, match=f"'{row.name}' does not fit the task {task.name}. Expected one of: "
        ) as told:
            head_of(task, row.spec)
        assert task.usual_head in str(told.value)


# --- what it gives ----------------------------------------------------------------------------------------------------
@each
def test_it_learns_all_that_it_holds(row: Row, task_row: tasks.Row) -> None:
    """The task's loss can be descended: finite, one a row, and a gradient for every parameter of the head; or none has
    one, and the head says so."""
    made, network, head = ready(row, task_row)
    batch = replace(made.batch(network), progress=0.5)  # behind whatever a head does at first
    loss = made.loss(network(batch).predictions[TARGET], batch)
    assert loss.shape == (BATCH,)
    assert torch.isfinite(loss).all()
    parameters = dict(head.named_parameters())
    assert parameters
    if not head.has_gradient:
        assert head.must_be_solved
        assert not any(value.requires_grad for value in parameters.values())
        return
    optimizer = torch.optim.SGD(head.parameters(), lr=1e-3)
    moved = set()
    for _ in range(4):  # dropout may hide one for a step
        optimizer.zero_grad()
        made.loss(network(batch).predictions[TARGET], batch).sum().backward()
        moved |= {name for name, value in parameters.items() if value.grad is not None and bool(value.grad.any())}
        optimizer.step()
    assert moved == parameters.keys()


@each
def test_rows_are_predicted_alone_as_together(row: Row, task_row: tasks.Row) -> None:
    made, network, _ = ready(row, task_row)
    network.eval()
    batch = made.batch(network)
    with torch.no_grad():
        whole = network.as_forward().predict(batch).predictions[TARGET]
        own = torch.tensor([6, 7] if made.twice else [3])
        part = network.as_forward().predict(batch.part(own)).predictions[TARGET]
    kept, alone = made.task.keep(whole), made.task.keep(part)
    np.testing.assert_allclose(alone[0], kept[3][: len(alone[0])], atol=1e-4, rtol=1e-3)


@each
def test_dropout_is_as_it_says(row: Row, task_row: tasks.Row) -> None:
    made, network, head = ready(row, task_row)
    network.eval()
    head.train()
    batch = made.batch(network)
    with torch.no_grad():
        seen = network.features(batch)
        first, second = (made.task.keep(head(seen, batch)) for _ in range(2))
    same = all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    assert head.has_dropout == (not same)


@each
def test_saved_and_restored(row: Row, task_row: tasks.Row) -> None:
    made, network, head = ready(row, task_row)
    config = json.loads(json.dumps(head.config(), allow_nan=False))
    again = made.task.make_head(made.network, config["spec"])
    again.load_state_dict(head.state_dict())
    restored = made.with_head(again).eval()
    batch = made.batch(network.eval())
    with torch.no_grad():
        first, second = (made.task.keep(each(batch).predictions[TARGET]) for each in (network, restored))
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    assert again.config() == head.config()


# --- solved -----------------------------------------------------------------------------------------------------------
@each
def test_solving(row: Row, task_row: tasks.Row) -> None:
    """The same bits each time; what another library says, or at least a lower loss; rows of weight 0 take no part."""
    made = setting(task_row)
    head, again, other, spoilt = (made.head(row.spec) for _ in range(4))
    network = made.with_head(head).eval()
    problem = made.problem(network)
    if not head.can_be_solved:
        assert not head.must_be_solved
        assert not head.solve(problem)
        return
    batch = made.batch(network, len(TEXTS))
    start = None if head.must_be_solved else made.loss(network(batch).predictions[TARGET], batch).sum()
    assert head.solve(problem)
    assert again.solve(problem)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in head.state_dict().items())
    with torch.no_grad():
        found = network.eval()(batch).predictions[TARGET]
    assert start is None or made.loss(found, batch).sum() < start
    some = np.where(np.arange(len(TEXTS)) % 5 == 2, 0.0, 1.0).astype(np.float32)
    weighted = made.problem(network, weight=some)
    assert other.solve(weighted)
    features = np.where(some[:, None] == 0, np.float32(100), weighted.features)
    assert spoilt.solve(replace(weighted, features=features))
    for name, value in other.state_dict().items():
        torch.testing.assert_close(spoilt.state_dict()[name], value, atol=1e-5, rtol=1e-5)
    if made.task.name in row.solved:
        features = problem.features
        standard = (features - features.mean(0)) / features.std(0) / np.sqrt(features.shape[1])
        expected = row.solved[made.task.name](standard, problem.targets)
        kept = made.task.keep(found)
        ours = kept if made.task.answer == "number" else made.task.in_units(kept)
        np.testing.assert_allclose(ours, expected, atol=5e-3)


# --- in runs ----------------------------------------------------------------------------------------------------------
IN_RUNS = list(dict.fromkeys(row for row, _ in FITTING))


def first_task(row: Row) -> tasks.Row:
    return next(task for head, task in FITTING if head is row)


@pytest.mark.parametrize("row", IN_RUNS, ids=lambda row: row.spec)
def test_a_model_with_it_is_saved_and_loaded(row: Row, tmp_path: Path) -> None:
    task_row = first_task(row)
    training = gw.Training(steps=3, batch=8, evaluations=1, precision="fp32")
    head, began = HEADS[row.name], []
    if issubclass(head, RowHeadSettings):
        began = [gw.WarmStart() if head.has_gradient else gw.Probe()]
    recipe = gw.Recipe(base=task_row.base, task=task_row.spec, head=row.spec, techniques=began, training=training)
    target = {} if task_row.target is None else {"target": TARGET}
    kinds = dict.fromkeys(task_row.inputs, task_row.kind)
    inputs = list(task_row.inputs)
    data = task_row.data()
    model = gw.fit(data, recipe=recipe, inputs=inputs, kinds=kinds, out=tmp_path / "m", verbose=False, **target)
    again = gw.load(tmp_path / "m")
    asked = data.select(inputs)
    assert pa.array(again.predict_rows(asked).each_values[model.target]) == pa.array(
        model.predict_rows(asked).each_values[model.target]
    )
    assert [head.spec for _, head in again.network.each_head()] == [row.spec]


@cache
def fixture(row: Row) -> Fixture:
    made = setting(first_task(row))
    rows = np.arange(len(TEXTS))
    train_rows, valid_rows = (
        prepare(made.table.take(part), made.network, {TARGET: made.task}, TextSettings())
        for part in (rows[:60], rows[60:])
    )
    metric = next(iter(made.task.metrics()))
    network = made.with_head(made.head(row.spec))
    return Fixture(
        network, {TARGET: made.task}, train_rows, valid_rows, metric, first_task(row).base, made.table.schema
    )


@pytest.mark.parametrize("name", [row.name for row in TECHNIQUE_ROWS])
@pytest.mark.parametrize("row", [row for row in IN_RUNS if row.spec != "linear"], ids=lambda row: row.spec)
def test_every_technique_composes_or_is_refused(row: Row, name: str) -> None:
    """With a reason that names it, or the head, and a way out; what trains, trains all of it to finite numbers."""
    technique = next(row.acts for row in TECHNIQUE_ROWS if row.name == name)
    refused = ""
    try:
        run = fixture(row).run([technique], steps=4, evaluations=1, keep="last")
    except RefusedError as error:
        refused = str(error)
    if refused:
        solving = re.search(rf"The head '{row.name}.* can't learn by itself: add a technique that solves it", refused)
        assert solving or unclear(refused, (name, row.name)) == ()
        return
    unmoved, done = train(run)
    if done.steps:  # where all is solved there is none
        assert unsound(run, done) == []
        assert unmoved == []
