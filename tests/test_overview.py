"""What a model, a report, an evaluation and plans say of themselves: a few lines, a card, one score, one figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.errors import UsageError
from graftwork.evidence.evaluation import Evaluation, Evaluations
from graftwork.evidence.views import words_of
from graftwork.model import Model
from tiny import tiny_bert, tiny_rows


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> gw.Recipe:
    base = tiny_bert(tmp_path_factory.mktemp("base") / "bert")
    training = gw.Training(steps=6, batch=8, evaluations=1, precision="fp32")
    return gw.Recipe(base=str(base), techniques=[gw.LabelSmoothing(0.1)], training=training)


@pytest.fixture(scope="module")
def model(recipe: gw.Recipe) -> Model:
    return gw.fit(frame(90), target="label", recipe=recipe, verbose=False)


def frame(rows: int) -> pd.DataFrame:
    return pd.DataFrame(tiny_rows(rows), columns=["text", "label"])


def test_a_few_lines_say_what_it_is(recipe: gw.Recipe, model: Model, tmp_path: Path) -> None:
    evaluation = model.evaluate(frame(30))
    plans = gw.plan(frame(90), target="label", recipe=recipe, verbose=False)
    assert model.report is not None
    shown = {name: repr(one) for name, one in (("m", model), ("r", model.report), ("e", evaluation), ("p", plans))}
    for text in shown.values():
        assert 1 <= len(text.splitlines()) <= 5
        assert max(map(len, text.splitlines())) < 300
    assert str(model) == shown["m"]
    assert "label (classification, 3 classes) from text" in shown["m"]
    assert "label-smoothing" in shown["m"]
    assert words_of(model.report)[0] in shown["m"]
    assert words_of(model.report)[0] in shown["r"]
    assert "Accuracy" in shown["e"]
    assert "30 rows" in shown["e"]
    assert "label-smoothing" in shown["p"]
    assert "\n" not in repr(plans[0][1])
    folder = model.save(tmp_path / "m")
    assert str(folder) in repr(gw.load(folder))


def test_a_loaded_model_says_what_was_found_when_it_was_made(recipe: gw.Recipe, tmp_path: Path) -> None:
    made = gw.fit(frame(90), target="label", recipe=recipe, out=tmp_path / "m", verbose=False)
    assert made.report is not None
    loaded = gw.load(tmp_path / "m")
    assert words_of(made.report)[0] in repr(loaded)
    assert "report.html" in repr(loaded)
    assert "learn from" in loaded._repr_html_()
    for damaged in ("{", "[]", '{"summary": 3}', '{"summary": {"title": "a", "verdicts": [1]}}'):
        (tmp_path / "m" / "metrics.json").write_text(damaged)
        assert "classification" in repr(gw.load(tmp_path / "m"))


def test_a_notebook_shows_cards_and_tables(recipe: gw.Recipe) -> None:
    rows = [(text, {"food": "<script>x</script>\x1b[31m"}.get(topic, topic)) for text, topic in tiny_rows(90)]
    table = pd.DataFrame(rows, columns=["text", "<b>kind</b>"])
    model = gw.fit(table, target="<b>kind</b>", recipe=recipe, verbose=False)
    plans = gw.plan(table, target="<b>kind</b>", recipe=recipe, verbose=False)
    assert model.report is not None
    for one in (model, model.report, model.evaluate(table), plans, plans[0][1]):
        html = one._repr_html_()
        assert "<script" not in html
        assert "<b>" not in html
        assert "\x1b" not in html + repr(one)
    assert "&lt;b&gt;kind" in model._repr_html_()
    assert "<table" in model._repr_html_()
    assert "Accuracy" in model.evaluate(table)._repr_html_()
    assert "label-smoothing" in plans._repr_html_()


def test_several_targets(recipe: gw.Recipe) -> None:
    rows = [(text, topic, "long" if len(text) > 20 else "short") for text, topic in tiny_rows(90)]
    table = pd.DataFrame(rows, columns=["text", "label", "length"])
    model = gw.fit(table, target=["label", "length"], recipe=recipe, verbose=False)
    found = model.evaluate(table)
    assert isinstance(found, Evaluations)
    assert len(repr(found).splitlines()) == 2
    assert found._repr_html_().count("<table") == 2
    assert "label" in repr(model)
    assert "length" in repr(model)
    each = [found[name].scores["accuracy"].value for name in ("label", "length")]
    assert model.score(table) == pytest.approx(np.mean(each))
    assert "length" in model.plot(target="length").axes[0].get_title(loc="left")


def test_a_score_is_one_number(model: Model) -> None:
    test = frame(30)
    right = float((np.asarray(model.predict(test)) == test["label"].to_numpy()).mean())
    assert model.score(test) == pytest.approx(right)
    assert isinstance(model.score(test), float)
    found = model.evaluate(test)
    assert isinstance(found, Evaluation)
    assert model.score(test, "macro_f1") == pytest.approx(found.scores["macro_f1"].value)
    with pytest.raises(UsageError, match="acuracy"):
        model.score(test, "acuracy")


def test_a_score_of_numbers_is_r2_and_more_is_better() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    x = np.random.default_rng(0).normal(size=(120, 2))
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": 3 * x[:, 0] - x[:, 1]})
    model = gw.fit(table, target="y", recipe=gw.Recipe(base="columns", techniques=["probe"]), verbose=False)
    assert model.score(table) == pytest.approx(metrics.r2_score(table["y"], model.predict(table)), abs=1e-5)
    assert model.score(table) > 0.9
    assert model.plot().axes[0].get_xlabel() == "true"


def test_a_plot_shows_the_main_evidence(model: Model, tmp_path: Path) -> None:
    figure = model.plot()
    assert figure.axes[0].get_ylabel() == "true"
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["animals", "food", "weather"]
    counted = sum(int(text.get_text()) for text in model.plot(frame(30)).axes[0].texts)
    assert counted == 30
    loaded = gw.load(model.save(tmp_path / "m"))
    with pytest.raises(UsageError, match=r"model\.plot\(data\)"):
        loaded.plot()
    with pytest.raises(UsageError, match="Did you mean 'label'"):
        loaded.plot(frame(30), target="lable")
    figure.savefig(tmp_path / "p.png")
    assert figure._repr_png_().startswith(b"\x89PNG"), "a notebook shows it"
