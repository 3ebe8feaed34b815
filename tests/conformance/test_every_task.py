"""What a task promises (`tasks/task.py`), held for every task: from a target column to a report and a saved model."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from scipy.stats import norm

import graftwork as gw
from conformance.examine import train, unclear, unsound
from conformance.table import ROWS as TECHNIQUE_ROWS
from conformance.tasks import ALL, TARGET, TEXTS, Row
from graftwork.core.fit import Progress
from graftwork.core.rows.corruption import corruption
from graftwork.core.rows.examples import Examples, encoders_of, make_batch, prepare
from graftwork.data.columns.text import TextSettings
from graftwork.data.load import load_like
from graftwork.data.table import Table
from graftwork.data.tensors import Tensors
from graftwork.data.values import Targets
from graftwork.deploy.predict import predict_file
from graftwork.errors import DataError, RefusedError
from graftwork.model import Model
from graftwork.runs.listener import Listener
from graftwork.tasks.capabilities import (
    Calibrated,
    Comparable,
    Corrupts,
    Enumerated,
    Mixable,
    Sampled,
    Spreading,
    facts_of,
)
from graftwork.tasks.metrics.registry import given_to
from graftwork.tasks.registry import TASKS, parse_task
from graftwork.tasks.section import Section, SeenRows
from graftwork.tasks.task import Answer, Task
from tinyrun import Fixture, Killed

STEPS = 3
DRAWS = 2000
BATCH = 12


def test_every_task_has_a_row() -> None:
    assert {row.task.name for row in ALL} == set(TASKS.own)


@dataclass(frozen=True)
class Learned:
    """A row of the table, a model that was fitted on it, and where that is kept."""

    row: Row
    model: Model
    folder: Path

    @property
    def task(self) -> Task:
        return next(iter(self.model.tasks.values()))

    @property
    def target(self) -> str:
        return next(iter(self.model.tasks))

    def table(self, data: pa.Table | None = None) -> Table:
        given = self.row.data() if data is None else data
        return load_like(given, self.model.schema, with_target=self.row.target is not None, on_bad_rows="keep").table

    def encoded(self, data: pa.Table | None = None) -> Targets:
        found = self.task.encode_rows(self.table(data), self.target, encoders_of(self.model.network))
        assert found is not None
        return found

    def trained(self) -> np.ndarray:
        """Which rows have a target (N,); one that training knows, where whole classes are held out."""
        found = self.encoded()
        known: np.ndarray = (
            found.values < self.task.outputs if self.task.holds_out == "classes" else np.arange(len(TEXTS)) < 60
        )
        return found.labelled & known

    def rows(self) -> np.ndarray:
        """Some of these rows."""
        return np.flatnonzero(self.trained())[:BATCH]

    def batch(self) -> Tensors:
        """Their targets."""
        return self.targets(self.rows())

    def targets(self, rows: np.ndarray, data: pa.Table | None = None) -> Tensors:
        """Those of these rows; of a task that makes them of the inputs, as many as rows come of it."""
        if not isinstance(self.task, Corrupts):
            return self.task.collate(self.encoded(data).values, rows)
        network, tasks = self.model.network, self.model.tasks
        shown = rows[: len(rows) // 2] if self.task.shows_twice else rows
        examples = prepare(self.table(data).take(shown), network, tasks, TextSettings(), keep_on_disk=False)
        hidden = corruption(tasks, network)
        assert hidden is not None
        return hidden(make_batch(examples, network, np.arange(len(shown)))).targets[self.target]

    def answers(self) -> Tensors:
        return self.row.answer(self.task, self.batch())

    def random(self, seed: int = 0) -> Tensors:
        """Predictions of the same shape that know nothing."""
        draw = torch.Generator().manual_seed(seed)
        answers = self.answers()
        if isinstance(answers, torch.Tensor):
            return torch.randn(answers.shape, generator=draw)
        return {
            name: torch.randn(value.shape, generator=draw) if is_said(name, value) else value
            for name, value in answers.items()
        }


def is_said(name: str, value: torch.Tensor) -> bool:
    """Whether a head says it of itself: not a mask, nor the right answer that is handed on beside it."""
    return value.is_floating_point() and name != "wanted"


def fitted(row: Row, out: Path, **more: Any) -> Model:
    training = gw.Training(steps=STEPS, batch=8, evaluations=1, precision="fp32", lr=1e-3)
    recipe = gw.Recipe(base=row.base, task=row.spec, techniques=[], training=training)
    more |= {"target": TARGET} if row.target is not None else {}
    return gw.fit(
        row.data(),
        recipe=recipe,
        inputs=list(row.inputs),
        kinds=dict.fromkeys(row.inputs, row.kind),
        roles=row.roles,
        out=out,
        verbose=False,
        **more,
    )


@pytest.fixture(scope="module", params=ALL, ids=str)
def learned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Learned:
    folder = tmp_path_factory.mktemp("task") / "model"
    return Learned(request.param, fitted(request.param, folder), folder)


def plain(value: Any) -> Any:
    """Arrays as lists, so that predictions of any form can be compared."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def rows_of(tensors: Tensors, at: int) -> Any:
    if isinstance(tensors, torch.Tensor):
        return tensors[at].numpy()
    return {name: value[at].numpy() for name, value in tensors.items()}


# --- what is learned of the target ------------------------------------------------------------------------------------
def test_settings_are_written_and_read(learned: Learned) -> None:
    assert parse_task(learned.row.spec) == learned.row.task


def test_learning_changes_no_settings(learned: Learned) -> None:
    before = copy.deepcopy(learned.row.task)
    again = learned.row.task.learn_rows(learned.table(), learned.target)
    assert learned.row.task == before
    assert type(again) is type(before)
    assert again.outputs > 0
    assert not again.classes or len(again.classes) == again.outputs


def test_what_was_learned_is_plain_data(learned: Learned) -> None:
    state = json.loads(json.dumps(learned.task.state(), allow_nan=False))
    again = TASKS[learned.task.name]().with_state(state)
    assert again.state() == learned.task.state()
    assert (again.outputs, again.classes, again.facts) == (
        learned.task.outputs,
        learned.task.classes,
        learned.task.facts,
    )
    kept = learned.task.keep(learned.random())
    np.testing.assert_array_equal(again.in_units(kept), learned.task.in_units(kept))
    assert again.decode(again.in_units(kept)) == learned.task.decode(learned.task.in_units(kept))


def test_missing_targets_are_masked(learned: Learned) -> None:
    missing = [1, 5, 40]
    found = learned.encoded(learned.row.data(missing))
    assert found.labelled.dtype == bool
    assert np.flatnonzero(~found.labelled).tolist() == missing
    whole = learned.encoded()
    assert whole.labelled.all()
    assert len(whole.values) == len(whole.labelled) == len(TEXTS)
    for at in (0, 7, len(TEXTS) - 1):
        np.testing.assert_array_equal(found.values[at], whole.values[at])


def test_a_table_without_the_target_has_none(learned: Learned) -> None:
    assert (learned.task.target == "column") == (learned.row.target is not None)
    if learned.row.target is not None:
        table = load_like(learned.row.data().drop([TARGET]), learned.model.schema, with_target=False).table
        assert learned.task.encode_rows(table, TARGET, encoders_of(learned.model.network)) is None


def test_a_value_that_training_never_had_is_refused(learned: Learned) -> None:
    if learned.row.unknown is None:
        return
    data = learned.row.data()
    values = [*learned.row.values()[:-1], learned.row.unknown]
    kind = pa.array(values[-1:]).type if isinstance(learned.row.unknown, str) else None
    column = pa.array([str(value) for value in values]) if kind == pa.string() else pa.array(values)
    data = data.set_column(data.column_names.index(TARGET), TARGET, column)
    with pytest.raises(DataError, match=f"row {len(TEXTS)}"):
        learned.model.evaluate(data)


# --- the loss ---------------------------------------------------------------------------------------------------------
def test_the_loss_is_of_each_row(learned: Learned) -> None:
    """Summed over a row's units, equal to the reference, and of each row by itself unless the task couples rows."""
    task, target, predictions = learned.task, learned.batch(), learned.random()
    loss, units = task.loss(predictions, target), task.units(target)
    assert loss.shape == units.shape == (BATCH,)
    assert torch.isfinite(loss).all()
    assert (units > 0).all()
    if learned.row.loss is not None:
        assert not task.couples_rows
        expected = [learned.row.loss(task, rows_of(predictions, at), rows_of(target, at)) for at in range(BATCH)]
        torch.testing.assert_close(loss, torch.tensor(expected).float(), atol=1e-4, rtol=1e-4)
    else:
        assert task.couples_rows


def test_right_answers_have_the_least_loss(learned: Learned) -> None:
    target = learned.batch()
    best = learned.task.loss(learned.answers(), target).sum()
    assert best < learned.task.loss(learned.random(), target).sum()


def test_the_loss_can_be_descended(learned: Learned) -> None:
    predictions = learned.random()
    given = {"": predictions} if isinstance(predictions, torch.Tensor) else predictions
    leaves = [leaf for name, leaf in given.items() if is_said(name, leaf)]
    for leaf in leaves:
        leaf.requires_grad_(True)
    learned.task.loss(predictions, learned.batch()).sum().backward()  # type: ignore[no-untyped-call]
    assert all(leaf.grad is not None and torch.isfinite(leaf.grad).all() for leaf in leaves)
    assert any(leaf.grad is not None and bool(leaf.grad.any()) for leaf in leaves)


def test_rows_without_a_target_add_no_loss_that_is_not_finite(learned: Learned) -> None:
    """The core masks them, and what is masked must be a number."""
    rows = learned.rows()
    target = learned.targets(np.concatenate([[0, 1], rows[rows > 1]])[:BATCH], learned.row.data([0, 1]))
    assert torch.isfinite(learned.task.loss(learned.random(), target)).all()


# --- what it can do ---------------------------------------------------------------------------------------------------
def test_facts_follow_from_what_it_can_do(learned: Learned) -> None:
    task, predictions = learned.task, learned.random()
    assert facts_of(task) <= task.facts
    if isinstance(task, Mixable):
        target = learned.batch()
        soft = task.soften(target)
        assert soft.is_floating_point()
        torch.testing.assert_close(task.loss(predictions, soft), task.loss(predictions, target), atol=1e-5, rtol=1e-5)
    if isinstance(task, Comparable):
        same, other = task.divergence(predictions, predictions), task.divergence(predictions, learned.random(1))
        torch.testing.assert_close(same, torch.zeros(BATCH), atol=1e-5, rtol=0)
        assert (other > 0).all()
    if isinstance(task, Calibrated):
        probabilities = task.probabilities(predictions)
        assert ((probabilities >= 0) & (probabilities <= 1)).all()
        assert task.probabilities(predictions, 100.0).std() < probabilities.std()


def test_answers_are_drawn_as_it_says(learned: Learned) -> None:
    """Sampled: by the listed choices where there are few; by the normal distribution, where numbers are predicted."""
    task, predictions = learned.task, learned.random()
    if not isinstance(task, Sampled):
        return
    drawn = task.draw(predictions, DRAWS, torch.Generator().manual_seed(5))
    log_p = task.log_prob(predictions, drawn)
    assert log_p.shape == drawn.shape[:2] == (DRAWS, BATCH)
    entropy, mode = task.entropy(predictions), task.mode(predictions)
    torch.testing.assert_close(-log_p.mean(dim=0), entropy, atol=0.25, rtol=0.1)
    apart = task.relative_entropy(predictions, learned.random(1))
    other = task.log_prob(learned.random(1), drawn)
    torch.testing.assert_close((log_p - other).mean(dim=0), apart, atol=0.3, rtol=0.2)
    torch.testing.assert_close(task.relative_entropy(predictions, predictions), torch.zeros(BATCH), atol=1e-5, rtol=0)
    if isinstance(task, Enumerated):
        choices, log_probs = task.choices(predictions), task.choice_log_probs(predictions)
        assert len(choices) == len(log_probs) == task.choice_count
        torch.testing.assert_close(task.log_prob(predictions, choices), log_probs)
        torch.testing.assert_close(log_probs.exp().sum(dim=0), torch.ones(BATCH))
        torch.testing.assert_close(-(log_probs.exp() * log_probs).sum(dim=0), entropy)
        equal = drawn.unsqueeze(1) == choices.unsqueeze(0)
        same_as = equal.reshape(*equal.shape[:3], -1).all(dim=-1)
        torch.testing.assert_close(same_as.float().mean(dim=0), log_probs.exp(), atol=0.05, rtol=0)
    if isinstance(task, Spreading):
        off = (drawn - mode).double()
        spread = task.spread_by(0.3)
        assert isinstance(spread, Sampled)
        wider = spread.draw(predictions, DRAWS, torch.Generator().manual_seed(5)) - mode
        torch.testing.assert_close(wider.double(), off * 3, atol=1e-4, rtol=1e-3)
        by_hand = norm.logpdf(off.numpy(), 0, 0.1).reshape(DRAWS, BATCH, -1).sum(axis=2)
        np.testing.assert_allclose(log_p.numpy(), by_hand, rtol=1e-3, atol=1e-3)
    again = task.draw(predictions, DRAWS, torch.Generator().manual_seed(5))
    assert torch.equal(again, drawn)


def test_its_answers_score_as_predictions_do(learned: Learned) -> None:
    """What would be given scores as the predictions themselves, by every metric that reads answers."""
    task = learned.task
    if not isinstance(task, Sampled) or task.holds_out == "classes":
        return
    targets, predictions = learned.encoded().values[learned.rows()], learned.random()
    plain = task.scored(task.keep(predictions))
    drawn = task.as_kept(task.mode(predictions))
    for metric in task.metrics().values():
        if metric.reads in ("choices", "kept"):
            scores = [
                metric(truth, given_to(metric, task, compared))
                for truth, compared in (task.metric_inputs(targets, kept) for kept in (plain, drawn))
            ]
            assert scores[0] == pytest.approx(scores[1], rel=1e-4), metric.name


def test_what_it_says_of_itself(learned: Learned) -> None:
    task = learned.task
    assert task.answer in Answer.__args__  # type: ignore[attr-defined]
    assert task.target in ("column", "inputs")
    assert task.holds_out in ("rows", "classes")
    assert task.metrics()
    assert len(task.columns("y")) >= 1


# --- predictions become values ----------------------------------------------------------------------------------------
def test_right_answers_become_the_values_of_the_column(learned: Learned) -> None:
    task, row = learned.task, learned.row
    kept = task.keep(learned.answers())
    assert len(kept) == (6 if isinstance(task, Corrupts) and task.shows_twice else 12)
    table = learned.table().take(learned.rows()[: len(kept)])
    values = task.decode(task.in_units(task.located(kept, table, encoders_of(learned.model.network))))
    each = zip(*values, strict=True) if len(task.columns("y")) > 1 else [values]
    assert all(pa.array(list(one), task.value_type).null_count == 0 for one in each)
    if row.target is None:
        return
    for found, wanted in zip(values, [row.values()[at] for at in learned.rows()], strict=True):
        for one in found if isinstance(found, tuple) else (found,):
            assert same(one, wanted)


def same(found: Any, wanted: Any) -> bool:
    """Numbers nearly, lists of labels in any order."""
    if isinstance(wanted, float | int):
        return found == pytest.approx(wanted, rel=1e-4, abs=1e-6)
    if isinstance(wanted, str) and ";" in wanted:
        return same(found.split(";"), wanted.split(";"))
    if isinstance(wanted, list) and all(isinstance(each, str) for each in wanted):
        return sorted(found) == sorted(wanted)
    return bool(found == wanted)


def test_right_answers_score_best(learned: Learned) -> None:
    """Each metric of the task on what it reads of right answers, against answers that know nothing."""
    task = learned.task
    if task.holds_out == "classes":
        return  # embeddings are scored, not predictions
    found, rows = learned.encoded(), learned.rows()
    for name, metric in task.metrics().items():
        scores = []
        for predictions in (learned.answers(), learned.random()):
            kept = task.scored(task.keep(predictions))
            truth, compared = task.metric_inputs(found.values[rows[: len(kept)]], kept)
            given = task.predicted(compared) if metric.reads == "choices" else compared
            scores.append(metric(truth, given) * (1 if metric.higher_is_better else -1))
        assert np.isfinite(scores).all(), name
        assert scores[0] > scores[1] or (name == "top5_accuracy" and scores[0] == 1), name


def test_sections_are_plain_data(learned: Learned) -> None:
    task = learned.task
    if task.holds_out == "classes":
        return
    found, rows = learned.encoded(), learned.rows()
    kept = task.scored(task.keep(learned.random()))
    rows = rows[: len(kept)]
    truth, compared = task.metric_inputs(found.values[rows], kept)
    for section in task.sections(truth, compared, SeenRows(rows + 1, [TEXTS[at] for at in rows])):
        assert isinstance(section, Section)
        assert section.title
        assert section.sentences or section.grid or section.rows
        assert all(note.row in rows + 1 for note in section.rows)
        assert section.grid is None or all(len(row) == len(section.grid.columns) for row in section.grid.rows)


# --- a run, a report, a saved model -----------------------------------------------------------------------------------
def test_the_report_has_its_metrics(learned: Learned) -> None:
    page = (learned.folder / "report.html").read_text(encoding="utf-8")
    first = next(iter(learned.task.metrics().values()))
    assert first.display in page


def test_a_saved_model_predicts_the_same(learned: Learned) -> None:
    again = gw.load(learned.folder)
    data = learned.row.data().select(list(learned.row.inputs))
    assert plain(again.predict(data)) == plain(learned.model.predict(data))
    assert again.tasks[learned.target].state() == learned.task.state()
    assert again.tasks[learned.target].facts == learned.task.facts


def test_a_file_is_predicted(learned: Learned, tmp_path: Path) -> None:
    """Every row has its values, in columns of the type that the task says; also those of an empty file."""
    data, out = learned.row.data().select(list(learned.row.inputs)), tmp_path / "out.parquet"
    pq.write_table(data, tmp_path / "rows.parquet")
    predict_file(learned.folder, tmp_path / "rows.parquet", out)
    written = pq.read_table(out)
    columns = learned.task.columns(learned.target)
    names = ["prediction"] if len(columns) == 1 else [f"prediction({name})" for name in columns]
    assert set(names) <= set(written.column_names)
    expected = learned.model.predict_rows(data).each_values[learned.target]
    found = list(zip(*(written.column(name).to_pylist() for name in names), strict=True))
    assert found == [tuple(value) if len(names) > 1 else (value,) for value in expected]
    for ending in ("csv", "jsonl"):
        predict_file(learned.folder, tmp_path / "rows.parquet", tmp_path / f"out.{ending}")
        assert len((tmp_path / f"out.{ending}").read_text(encoding="utf-8").splitlines()) >= len(TEXTS)


def test_it_is_evaluated_again(learned: Learned) -> None:
    evaluation = learned.model.evaluate(learned.row.data())
    assert set(evaluation.scores) <= set(learned.task.metrics())
    assert evaluation.scores
    for score in evaluation.scores.values():
        assert np.isnan(score.value) or score.low <= score.value <= score.high


class Stop(Listener):
    """Stops a run like a process that is killed."""

    def stepped(self, name: str, progress: Progress) -> None:  # noqa: ARG002
        if progress.step == STEPS - 1:
            raise Killed


def test_a_stopped_run_goes_on_to_the_same_model(learned: Learned, tmp_path: Path) -> None:
    out = tmp_path / "model"
    with pytest.raises(Killed):
        fitted(learned.row, out, listener=Stop())
    resumed = fitted(learned.row, out, resume=True)
    ours, theirs = learned.model.network.state_dict(), resumed.network.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())


# --- techniques -------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def fixture(learned: Learned) -> Iterator[Fixture]:
    table = learned.table()

    def examples(rows: np.ndarray) -> Examples:
        return prepare(table.take(rows), learned.model.network, learned.model.tasks, TextSettings())

    network = learned.model.network.requires_grad_(True)
    metric = next(iter(learned.task.metrics()))
    yield Fixture(
        network,
        learned.model.tasks,
        examples(np.flatnonzero(learned.trained())),
        examples(np.flatnonzero(~learned.trained())),
        metric,
        learned.row.base,
        table.schema,
    )
    network.requires_grad_(False)


@pytest.mark.parametrize("name", [row.name for row in TECHNIQUE_ROWS])
def test_every_technique_composes_or_is_refused(name: str, fixture: Fixture) -> None:
    """With a reason that names it and a way out; what trains, trains all of it to finite numbers."""
    technique = next(row.acts for row in TECHNIQUE_ROWS if row.name == name)
    refused = ""
    try:
        run = fixture.run([technique], steps=4, evaluations=1, keep="last")
    except RefusedError as error:
        refused = str(error)
    if refused:
        assert unclear(refused, (name,)) == ()
        return
    unmoved, done = train(run)
    assert unsound(run, done) == []
    assert unmoved == []


def test_settings_are_a_dataclass() -> None:
    assert all(is_dataclass(task) for task in TASKS.own.values())
