"""What teachers say of the training rows: of saved models and of transformers classifiers, kept on disk."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

import graftwork as gw
from graftwork.core.fit import fit
from graftwork.errors import DataError, ModelError, RefusedError
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import plan_single
from graftwork.runs.teachers import saved_model, teachers
from graftwork.runs.teachers.teachers import answers, converter
from graftwork.tasks.classification import Classification
from graftwork.tasks.regression import Regression
from jobs import job_of
from tiny import tiny_rows

QUICK = gw.Training(steps=4, batch=8, evaluations=1, precision="fp32")
SMALL = gw.Recipe(base="gru:width=8", techniques=[], training=QUICK)


def frame(rows: int = 48) -> pd.DataFrame:
    table = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    return table.assign(length=table.text.str.len() + np.arange(rows) / 100, size=table.text.str.len() % 5)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model of texts: topics."""
    out = tmp_path_factory.mktemp("teachers") / "texts"
    gw.fit(frame(), target="label", inputs=["text"], recipe=SMALL, out=out)
    return out


def job(table: pd.DataFrame | None = None, **more: Any) -> Job:
    given = {"target": "label", "inputs": ["text"], **more}
    return job_of(frame() if table is None else table, SMALL, **given)


def test_a_saved_model_says_what_it_predicts(teacher: Path) -> None:
    made = job()
    said = answers(made, str(teacher), Listener())
    model = gw.load(teacher)
    frames = pd.DataFrame({"text": made.train.values("text")})
    expected = model.predict_rows(frames).each_probabilities["label"]
    found = model.task.probabilities(torch.tensor(said.predictions["label"]), model.temperature["label"])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert said.features.shape == (len(made.train), model.network.width)


def test_techniques_of_prediction_count(teacher: Path) -> None:
    """A teacher that predicts with a technique says what it predicts with it."""
    seen: list[Any] = []

    def asked(_: Any, examples: Any, techniques: Any, **__: Any) -> dict[str, np.ndarray]:
        seen.append(techniques)
        return {"label": np.full((len(examples), 3), 7.0, np.float32)}

    made = job(frame(44))
    with (
        mock.patch.object(gw.SelfDistil, "predict", lambda _, inner, __: inner),
        mock.patch.object(saved_model, "predict_examples", asked),
    ):
        out = teacher.with_name("predicts")
        gw.fit(
            frame(), target="label", inputs=["text"], out=out,
            recipe=gw.Recipe(base="gru:width=8", techniques=[gw.SelfDistil(1.0)], training=QUICK),
        )  # fmt: skip
        said = answers(made, str(out), Listener())
    assert (said.predictions["label"] == 7.0).all()
    assert [technique.name for technique in seen[0]] == ["self-distil"]


def test_it_is_asked_once(teacher: Path) -> None:
    class Heard(Listener):
        def __init__(self) -> None:
            self.notes: list[str] = []

        def note(self, text: str) -> None:
            self.notes.append(text)

    table, heard = frame(47), Heard()
    first = answers(job(table), str(teacher), heard)
    second = answers(job(table), str(teacher), heard)
    assert len(heard.notes) == 1
    assert "asked about" in heard.notes[0]
    assert isinstance(second.features, np.memmap)
    np.testing.assert_array_equal(first.predictions["label"], second.predictions["label"])
    answers(job(table.assign(text="other " + table.text)), str(teacher), heard)
    assert len(heard.notes) == 2


def test_a_plan_asks_nothing(teacher: Path) -> None:
    recipe = gw.Recipe(
        base="cnn:width=8", techniques=[gw.Distil(str(teacher)), gw.DistilFeatures(str(teacher))], training=QUICK
    )
    with mock.patch.object(teachers, "_kept", side_effect=AssertionError("asked")):
        plan = plan_single(job(), recipe, timed=True)
        blank = answers(job(), str(teacher), None)
    assert plan.stages["distil"] == ("losses", "combine")
    assert blank.predictions["label"].shape == (len(job().train), 3)
    assert blank.predictions["label"].strides == (0, 0)


def test_a_students_own_order_of_labels() -> None:
    one, other = (
        Classification().with_state({"classes": names, "type": "string"})
        for names in (["a", "b", "c"], ["c", "a", "b"])
    )
    found = converter(np.array([[1.0, 2.0, 3.0]], np.float32), one, other)
    assert found.tolist() == [[3.0, 1.0, 2.0]]


def test_numbers_are_given_in_the_students_units() -> None:
    table = [1.0, 2.0, 6.0]
    first, second = (Regression().learn(pa.chunked_array([values]), "t") for values in (table, [10.0, 30.0]))
    found = converter(np.array([[0.5]], np.float32), first, second)
    assert (found * second.std + second.mean).item() == pytest.approx(0.5 * np.std(table) + 3.0)


@pytest.mark.parametrize("base", ["cnn:width=8", "gru:width=6,tokens=character"])
def test_another_architecture_and_another_tokenizer_learn_from_it(base: str, teacher: Path, tmp_path: Path) -> None:
    recipe = gw.Recipe(
        base=base,
        techniques=[gw.Distil(str(teacher)), gw.DistilFeatures(str(teacher)), gw.SelfDistil()],
        training=QUICK,
    )
    more = pd.DataFrame({"text": [text for text, _ in tiny_rows(70)[48:]]})
    model = gw.fit(frame(), target="label", inputs=["text"], unlabelled=more, recipe=recipe, out=tmp_path / "student")
    assert [technique.name for technique in gw.load(tmp_path / "student").recipe.listed] == [
        "distil",
        "distil-features",
        "self-distil",
    ]
    assert len(model.predict(["the cat is here"])) == 1


@pytest.mark.slow
def test_the_student_comes_near_its_teacher(base: Path, tmp_path: Path) -> None:
    """On rows without labels alone, it learns to answer as the teacher does."""
    training = gw.Training(steps=30, batch=16, lr=3e-3, precision="fp32", evaluations=1)
    whole = gw.Recipe(base=str(base), techniques=[], training=training)
    gw.fit(frame(90), target="label", inputs=["text"], recipe=whole, out=tmp_path / "teacher")
    few = pd.concat([frame(9), frame(90).iloc[9:].assign(label=None)])
    texts = frame(90)[["text"]]
    wanted = np.asarray(gw.load(tmp_path / "teacher").predict_proba(texts))
    student = gw.Training(steps=60, batch=32, lr=1e-2, precision="fp32", evaluations=1)
    distances = []
    for techniques in ([], [gw.Distil(str(tmp_path / "teacher"), temperature=1.0, weight=1.0)]):
        recipe = gw.Recipe(base="gru:width=16,dropout=0", techniques=techniques, training=student)
        model = gw.fit(few.iloc[:9], target="label", inputs=["text"], unlabelled=texts, valid=frame(30), recipe=recipe)
        distances.append(float(np.abs(np.asarray(model.predict_proba(texts)) - wanted).mean()))
    assert distances[1] < distances[0] / 2, distances


def test_its_answers_are_part_of_what_a_resumed_run_must_share(teacher: Path) -> None:
    from graftwork.runs.single.fingerprint import fingerprint
    from graftwork.runs.single.run import _make_run

    recipe = gw.Recipe(base="gru:width=8", techniques=[gw.Distil(str(teacher))], training=QUICK)
    run = _make_run(job(), recipe, started=True, listener=Listener())
    before = fingerprint(recipe, run)
    changed = {
        name: teachers.TeacherOutputs(one.predictions, one.features, "other")
        for name, one in run.teacher_outputs.items()
    }
    assert fingerprint(recipe, replace(run, teacher_outputs=changed)) != before
    assert fit(run).steps == 4


# --- what is refused --------------------------------------------------------------------------------
def test_other_labels_are_refused_with_their_names(teacher: Path) -> None:
    table = frame().replace({"label": {"food": "meals"}})
    with pytest.raises(RefusedError, match=r"other labels than 'label': it has no meals; the data has no food"):
        answers(job(table), str(teacher), None)


def test_another_task_is_refused(teacher: Path) -> None:
    with pytest.raises(RefusedError, match="does classification, but 'length' is a target for regression"):
        answers(job(target="length"), str(teacher), None)


def test_another_targets_name_is_fine_where_there_is_one_only(teacher: Path) -> None:
    table = frame().rename(columns={"label": "topic"})
    assert list(answers(job(table, target="topic"), str(teacher), None).predictions) == ["topic"]


def test_none_of_several_targets_is_refused(teacher: Path) -> None:
    with pytest.raises(RefusedError, match="predicts label, and the targets here are length, size"):
        answers(job(target=["length", "size"]), str(teacher), None)


def test_a_column_that_the_data_lacks(tmp_path: Path) -> None:
    recipe = gw.Recipe(base={"text": "gru:width=8", "table": "table-mlp:width=8"}, techniques=[], training=QUICK)
    gw.fit(frame(), target="label", inputs=["text", "length"], recipe=recipe, out=tmp_path / "both")
    with pytest.raises(DataError, match=r"reads the column 'length', which .* does not have"):
        answers(job(frame()[["text", "label"]]), str(tmp_path / "both"), None)
    # A column that the student does not read may still be the teacher's.
    assert len(answers(job(), str(tmp_path / "both"), Listener()).predictions["label"]) == len(job().train)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (
            "missing/folder",
            "^The teacher 'missing/folder' is no folder here and can't be had from the hub: .*Expected a folder that",
        ),
        ("rows.csv", "^The teacher rows.csv is a file. Expected a folder that graft fit wrote, or a transformers"),
        ("missing", "There is no folder missing for the teacher"),
        ("./missing", "There is no folder ./missing for the teacher"),
        ("empty", "is no model: it has neither model.json"),
        ("bert", "is no classifier: its config.json names BertModel"),
    ],
)
def test_a_teacher_that_is_none(
    name: str, reason: str, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "rows.csv").touch()
    (tmp_path / "bert").symlink_to(base)
    with pytest.raises(ModelError, match=reason):
        answers(job(), name, None)


# --- transformers classifiers --------------------------------------------------------------------------------
def classifier(folder: Path, base: Path, labels: list[str], **settings: Any) -> Any:
    """A tiny BERT with a head of random weights, in `folder`, with the base's tokenizer."""
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    config = BertConfig.from_pretrained(base, num_labels=len(labels), **settings)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: index for index, label in enumerate(labels)}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(base).save_pretrained(folder)
    return model


def test_a_transformers_classifier_says_its_logits(base: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    model = classifier(tmp_path / "bert", base, ["weather", "animals", "food"])
    made = job()
    said = answers(made, str(tmp_path / "bert"), Listener())
    tokenizer = AutoTokenizer.from_pretrained(base)
    for at in (0, 5, 11):
        inputs = tokenizer(made.train.values("text")[at], return_tensors="pt")
        with torch.no_grad():
            output = model(**inputs, output_hidden_states=True)
        expected = output.logits[0, [1, 2, 0]]  # the student's classes are sorted
        np.testing.assert_allclose(said.predictions["label"][at], expected, atol=1e-5)
        np.testing.assert_allclose(said.features[at], output.hidden_states[-1][0].mean(0), atol=1e-5)


def test_a_transformers_regression_is_in_the_columns_units(base: Path, tmp_path: Path) -> None:
    classifier(tmp_path / "bert", base, ["length"], problem_type="regression")
    made = job(target="length")
    said = answers(made, str(tmp_path / "bert"), Listener())
    task = made.tasks["length"]
    assert said.predictions["length"].shape == (len(made.train), 1)
    plain = teachers._opened(str(tmp_path / "bert"), made.train).ask().predictions[""]
    np.testing.assert_allclose(task.in_units(said.predictions["length"]), plain, atol=1e-4)


def test_its_labels_must_be_the_datas(base: Path, tmp_path: Path) -> None:
    classifier(tmp_path / "bert", base, ["LABEL_0", "LABEL_1", "LABEL_2"])
    message = "it has no animals, food, weather; the data has no LABEL_0, LABEL_1, LABEL_2"
    with pytest.raises(RefusedError, match=re.escape(message)):
        answers(job(), str(tmp_path / "bert"), None)


def test_it_reads_one_column(base: Path, tmp_path: Path) -> None:
    classifier(tmp_path / "bert", base, ["weather", "animals", "food"])
    table = frame().assign(more=frame().text + " again")
    with pytest.raises(DataError, match=r"2 of them \(text, more\)"):
        answers(job(table, inputs=["text", "more"]), str(tmp_path / "bert"), None)
