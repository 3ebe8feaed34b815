"""graftwork.model and graftwork.fit: the Python way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.errors import DataError, UsageError
from graftwork.evidence.views import words_of
from graftwork.model import HANDED_OUT, Model
from graftwork.runs.listener import Listener
from graftwork.uses.few_shot import ClassLearner
from graftwork.uses.nearest import Searcher
from graftwork.uses.verification import Verifier
from tiny import tiny_bert, tiny_rows

TEXTS = ["the cat is here", "no rain today , only snow", "bread , soup and cake !"]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> gw.Recipe:
    base = tiny_bert(tmp_path_factory.mktemp("base") / "bert")
    training = gw.Training(steps=6, batch=8, evaluations=1, precision="fp32")
    return gw.Recipe(base=str(base), techniques=[gw.LabelSmoothing(0.1)], training=training)


@pytest.fixture(scope="module")
def model(recipe: gw.Recipe) -> Model:
    return gw.fit(frame(90), target="label", recipe=recipe)


def frame(rows: int) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


def test_a_list_gives_an_array(model: Model) -> None:
    values = model.predict(TEXTS)
    assert isinstance(values, np.ndarray)
    assert values.shape == (3,)
    probabilities = model.predict_proba(TEXTS)
    assert isinstance(probabilities, np.ndarray)
    assert probabilities.shape == (3, 3)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)
    assert [model.columns[at] for at in probabilities.argmax(1)] == list(values)


def test_a_frame_gives_a_series_and_a_frame_with_its_index(model: Model) -> None:
    table = pd.DataFrame({"text": TEXTS, "other": [1, 2, 3]}, index=["c", "a", "b"])
    values, probabilities = model.predict(table), model.predict_proba(table)
    assert isinstance(values, pd.Series)
    assert isinstance(probabilities, pd.DataFrame)
    assert list(values.index) == list(probabilities.index) == ["c", "a", "b"]
    assert values.name == "label"
    assert list(probabilities.columns) == ["animals", "food", "weather"]
    assert list(values) == list(model.predict(TEXTS))


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_a_row_that_can_not_be_read(model: Model, empty: str | None) -> None:
    values = model.predict([TEXTS[0], empty, TEXTS[1]])
    assert values[1] is None
    assert [values[0], values[2]] == list(model.predict(TEXTS[:2]))
    probabilities = np.asarray(model.predict_proba([TEXTS[0], empty, TEXTS[1]]))
    assert np.isnan(probabilities[1]).all()
    assert not np.isnan(probabilities[[0, 2]]).any()
    rows = model.predict_rows([TEXTS[0], empty])
    assert [(bad.row, bad.column, bad.reason) for bad in rows.bad] == [(2, "text", "empty")]


def test_other_sources(model: Model, tmp_path: Path) -> None:
    expected = list(model.predict(TEXTS))
    table = pd.DataFrame({"text": TEXTS})
    table.to_csv(tmp_path / "new.csv", index=False)
    sources: list[Any] = [tuple(TEXTS), [{"text": text} for text in TEXTS], {"text": TEXTS}, tmp_path / "new.csv"]
    for source in (*sources, np.array(TEXTS)):
        assert list(model.predict(source)) == expected


def test_evaluate_is_the_share_of_right_answers(model: Model) -> None:
    test = frame(30)
    evaluation = model.evaluate(test)
    right = float((np.asarray(model.predict(test)) == test["label"].to_numpy()).mean())
    assert evaluation.scores["accuracy"].value == pytest.approx(right)
    assert set(evaluation.to_json()["accuracy"]) == {"value", "low", "high"}
    with pytest.raises(DataError, match="label"):
        model.evaluate(test[["text"]])


def test_saved_and_loaded_it_predicts_the_same_bits(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "m")
    loaded = gw.load(folder)
    assert np.array_equal(np.asarray(loaded.predict_proba(TEXTS)), np.asarray(model.predict_proba(TEXTS)))
    assert loaded.recipe == model.recipe
    assert loaded.temperature == model.temperature
    code = f"import graftwork as gw; print(gw.load({str(folder)!r}).predict_proba({TEXTS!r}).tobytes().hex())"
    environment = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == np.asarray(model.predict_proba(TEXTS)).tobytes().hex()


def test_prediction_needs_none_of_the_training_libraries(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "m")
    code = (
        f"import sys, graftwork as gw; gw.load({str(folder)!r}).predict({TEXTS!r});"
        "print([name for name in ('sklearn', 'matplotlib', 'peft', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert not done.stderr, "no warnings, no progress bars"


def test_a_fit_says_what_the_command_line_says(recipe: gw.Recipe, capsys: pytest.CaptureFixture[str]) -> None:
    model = gw.fit(frame(90), recipe=recipe)
    heard = capsys.readouterr()
    assert heard.out == "", "stdout belongs to the program"
    assert model.report is not None
    for said in ("target: label", "task: classification", "validation", "run: done in", *words_of(model.report)):
        assert said in heard.err
    gw.plan(frame(90), recipe=recipe)
    assert "target: label" in capsys.readouterr().err


def test_a_fit_can_be_silent(recipe: gw.Recipe, capfd: pytest.CaptureFixture[str]) -> None:
    gw.fit(frame(90), target="label", recipe=recipe, verbose=False)
    gw.fit(frame(90), target="label", recipe=recipe, listener=Listener())
    gw.plan(frame(90), target="label", recipe=recipe, verbose=False)
    heard = capfd.readouterr()
    assert (heard.out, heard.err) == ("", "")


def test_the_recipe_is_the_same_in_python_in_yaml_and_on_the_command_line(recipe: gw.Recipe, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    from command import graft

    table = tmp_path / "train.csv"
    frame(90).to_csv(table, index=False)
    gw.fit(table, target="label", recipe=recipe, out=tmp_path / "python")
    (tmp_path / "recipe.yaml").write_text(recipe.to_yaml())
    graft("fit", table, "--target", "label", "--recipe", tmp_path / "recipe.yaml", "--out", tmp_path / "yaml").works()
    settings = ("steps=6", "batch=8", "evaluations=1", "precision=fp32")
    given = ["--base", recipe.base, "--with", "label-smoothing:amount=0.1"]
    chosen = [part for setting in settings for part in ("--set", setting)]
    graft("fit", table, "--target", "label", *given, *chosen, "--out", tmp_path / "line").works()
    first, *others = (load_file(tmp_path / name / "weights.safetensors") for name in ("python", "yaml", "line"))
    assert all(first[name].equal(other[name]) for other in others for name in first)
    recipes = {(tmp_path / name / "recipe.yaml").read_text() for name in ("python", "yaml", "line")}
    assert len(recipes) == 1


def test_a_listener_hears_what_was_inferred(recipe: gw.Recipe) -> None:
    class Ear(Listener):
        def __init__(self) -> None:
            self.notes: list[str] = []
            self.steps = 0

        def note(self, text: str) -> None:
            self.notes.append(text)

        def stepped(self, name: str, progress: Any) -> None:  # noqa: ARG002
            self.steps = progress.step

    ear = Ear()
    gw.fit(frame(90), recipe=recipe, listener=ear)
    heard = "\n".join(ear.notes)
    assert "target: label" in heard
    assert "input: text" in heard
    assert "validation" in heard
    assert ear.steps == 6


def test_few_rows_are_all_trained_on(recipe: gw.Recipe, tmp_path: Path) -> None:
    model = gw.fit(frame(24), target="label", recipe=recipe, out=tmp_path / "m")
    assert (tmp_path / "m" / "report.html").is_file()
    assert len(model.predict(TEXTS)) == 3


def test_wrong_calls(recipe: gw.Recipe, model: Model, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="budget"):
        gw.fit(frame(90), recipe=recipe, budget=-1)
    with pytest.raises(UsageError, match="is not understood"):
        gw.Recipe(techniques=[gw.LoRA])  # type: ignore[list-item]
    assert gw.Recipe(techniques=["lora:rank=4"]) == gw.Recipe(techniques=[gw.LoRA(rank=4)])  # type: ignore[list-item]
    with pytest.raises(UsageError, match=r"'drop'. Expected fail or skip"):
        gw.fit(frame(90), recipe=recipe, on_bad_rows="drop")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"'keep'. Expected fail or skip"):
        model.evaluate(frame(90), on_bad_rows="keep")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="techniques"):
        gw.Recipe(techniques="all")  # type: ignore[arg-type]
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="not a model"):
        model.save(tmp_path)
    with pytest.raises(UsageError, match=r"is no table|Expected"):
        model.predict(3)  # type: ignore[arg-type]


def test_a_regression(recipe: gw.Recipe, tmp_path: Path) -> None:
    table = frame(90).assign(label=np.arange(90) / 3.0)
    model = gw.fit(table, target="label", recipe=gw.Recipe(base=recipe.base, techniques=[], training=recipe.training))
    values = model.predict(TEXTS)
    assert values.dtype == np.float64
    assert np.asarray(model.predict_proba(TEXTS)).shape == (3, 1)
    assert np.array_equal(np.asarray(gw.load(model.save(tmp_path / "m")).predict(TEXTS)), np.asarray(values))


def test_names_of_version_0_1_lead_to_what_a_model_hands_out(model: Model) -> None:
    with pytest.deprecated_call(match=r"model.adapt\(...\) is model.few_shot\(\).adapt\(...\) now"):
        adapted = model.adapt([{"text": "a cat", "label": "pet"}, {"text": "a cow", "label": "farm"}])
    assert adapted.task.classes == ("farm", "pet")
    for name, now in HANDED_OUT.items():
        handed = {"searcher": Searcher, "verifier": Verifier, "few_shot": ClassLearner}[now]
        assert callable(getattr(handed, name))
        assert name not in dir(model)
    with pytest.deprecated_call(), pytest.raises(UsageError, match="compares no identities"):
        model.verify("a", "b")
    with pytest.raises(AttributeError, match="'Model' object has no attribute 'verifyer'"):
        getattr(model, "verify" + "er")
