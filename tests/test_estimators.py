"""graftwork.estimators: scikit-learn's own checks, and what its users do with an estimator."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import graftwork as gw
from tiny import tiny_rows

QUICK = {"base": "columns", "techniques": ["probe"]}
FAILS = {
    "check_methods_sample_order_invariance": (
        "probabilities are float32: a row's differ by about 1e-7 with its place in the matrix that is multiplied, "
        "where the check allows a relative 1e-7"
    ),
}
"""Why a check of scikit-learn's does not hold."""


@parametrize_with_checks(
    [gw.Classifier(**QUICK), gw.Regressor(**QUICK)],
    expected_failed_checks=lambda estimator: FAILS if isinstance(estimator, gw.Classifier) else {},
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def wine():
    X, y = load_wine(return_X_y=True, as_frame=True)
    return X, y.map({0: "barolo", 1: "grignolino", 2: "barbera"})


def test_settings_are_stored_unchanged_and_cloned():
    techniques = ["lora:rank=4", gw.LabelSmoothing(0.2)]
    estimator = gw.Classifier(base={"table": "table-mlp"}, techniques=techniques, lr=1e-3, epochs=2, batch=8, seed=4)
    assert estimator.techniques is techniques
    assert clone(estimator).get_params() == estimator.get_params()
    assert estimator.set_params(lr=2e-3).recipe.training == gw.Training(lr=2e-3, epochs=2, batch=8)
    assert [technique.name for technique in estimator.recipe.listed] == ["lora", "label-smoothing"]


@pytest.mark.slow
def test_cross_validation_and_pipeline(wine):
    X, y = wine
    assert cross_val_score(make_pipeline(StandardScaler(), gw.Classifier(**QUICK)), X, y, cv=3).min() > 0.9
    X, y = load_diabetes(return_X_y=True)
    assert cross_val_score(gw.Regressor(**QUICK), X, y, cv=3).mean() > 0.4


@pytest.mark.slow
def test_grid_search(wine):
    grid = {"base": ["columns", "columns:numbers=quantile"], "techniques": [["probe:l2=1"], ["probe"]]}
    search = GridSearchCV(gw.Classifier(**QUICK), grid, cv=2).fit(*wine)
    assert len(search.cv_results_["params"]) == 4
    assert search.best_score_ > 0.9
    assert search.best_params_["base"] in grid["base"]


def test_frames_of_numbers_and_categories():
    draw = np.random.default_rng(0)
    X = pd.DataFrame({"age": draw.integers(18, 80, 80), "city": draw.choice(["Rome", "Oslo", "Bern"], 80)})
    X.loc[::9, "age"] = np.nan
    X.loc[1::9, "city"] = None
    y = np.where(X["city"] == "Oslo", 7, 3)
    fitted = gw.Classifier(**QUICK).fit(X, y)
    assert fitted.n_features_in_ == 2
    assert fitted.feature_names_in_.tolist() == ["age", "city"]
    assert fitted.classes_.tolist() == [3, 7]
    assert fitted.score(X, y) == 1.0
    assert fitted.predict_proba(X).shape == (80, 2)
    assert (fitted.predict_proba(X).argmax(1) == (y == 7)).all()
    unseen = pd.DataFrame({"age": [33.0], "city": ["Atlantis"]})
    with pytest.warns(UserWarning, match="such as 'Atlantis'"):
        assert fitted.predict(unseen).dtype == y.dtype


def test_missing_numbers_in_an_array():
    X = np.array([[0.0, 1.0], [np.nan, 1.0], [5.0, 0.0], [6.0, np.nan]] * 10)
    y = np.array([0, 0, 1, 1] * 10)
    fitted = gw.Classifier(**QUICK).fit(X, y)
    assert fitted.score(X, y) == 1.0
    with pytest.raises(ValueError, match=r"1 rows that can't be read .*row 2"):
        fitted.predict([[1.0, 1.0], [np.nan, np.nan]])


@pytest.mark.parametrize("kind", [list, np.array, pd.Series])
def test_a_list_of_texts_is_one_column(kind):
    texts, topics = zip(*tiny_rows(30), strict=True)
    estimator = gw.Classifier(base="cnn:width=8", techniques=[], epochs=1)
    fitted = estimator.fit(kind(texts), list(topics))
    assert set(fitted.predict(kind(texts[:4]))) <= set(topics)
    np.testing.assert_allclose(fitted.predict_proba(list(texts)).sum(1), 1, rtol=1e-5)


def test_a_column_of_a_frame_is_texts_for_a_pipeline():
    texts, topics = zip(*tiny_rows(30), strict=True)
    frame = pd.DataFrame({"words": texts, "other": 1.0})
    pick = make_column_transformer(("passthrough", ["words"]), remainder="drop").set_output(transform="pandas")
    pipeline = make_pipeline(pick, gw.Classifier(base="cnn:width=8", techniques=[], epochs=1))
    assert len(pipeline.fit(frame, list(topics)).predict(frame)) == 30


def test_a_fitted_estimator_is_pickled(wine):
    fitted = gw.Classifier(**QUICK).fit(*wine)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(wine[0]), fitted.predict_proba(wine[0]))
    assert isinstance(again.model_, gw.Model)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"base": "colums"}, r"Unknown base 'colums'.*Did you mean 'columns'"),
        ({"techniques": ["prob"]}, r"Unknown technique 'prob'"),
        ({"techniques": ["mixup", "supervised-contrastive"]}, r"supervised-contrastive needs hard_labels"),
        ({"lr": -1.0}, r"lr is -1.0"),
        ({"metric": "rmse"}, r"rmse"),
        ({"budget": -1}, r"budget"),
    ],
)
def test_wrong_settings_are_value_errors_of_fit(settings, message, wine):
    with pytest.raises(ValueError, match=message):
        gw.Classifier(**{**QUICK, **settings}).fit(*wine)


def test_what_does_not_fit_is_explained(wine):
    X, y = wine
    with pytest.raises(ValueError, match=r"one class, \['a'\]"):
        gw.Classifier(**QUICK).fit(X, ["a"] * len(X))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        gw.Classifier(**QUICK).fit(X, y[:5])
    fitted = gw.Classifier(**QUICK).fit(X, y)
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(X.rename(columns={"alcohol": "proof"}))
    with pytest.raises(ValueError, match="is texts, but Classifier was fitted on a table"):
        fitted.predict(["a text"])


def test_scikit_learn_is_imported_only_when_used():
    seen = "print('sklearn' in sys.modules)"
    code = f"import sys, graftwork as gw; gw.Recipe; {seen}; gw.Classifier; {seen}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "True"]


def test_without_scikit_learn(monkeypatch):
    monkeypatch.delitem(sys.modules, "graftwork.estimators")
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(gw.GraftworkError, match=r"pip install graftwork\[sklearn\]"):
        _ = gw.Classifier
