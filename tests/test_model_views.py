"""Predictions as means over several views, of a model in memory and of a saved one on the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from graftwork.cli.main import app
from graftwork.errors import RefusedError, UsageError
from graftwork.model import Model, load
from graftwork.recipe import Recipe
from graftwork.techniques import TTA, Flip
from tinyrun import Worlds, make_worlds, picture


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return make_worlds(tmp_path_factory.mktemp("fixtures"))


@pytest.fixture(scope="module")
def model(fixtures: Worlds) -> Model:
    fixture = fixtures("image")
    _, fitted = fixture.fit([Flip()])
    return Model(Recipe(base=fixture.spec, techniques=[Flip()]), fixture.schema, fitted.network, fixture.tasks)


PICTURES = [picture(topic, at) for at, topic in enumerate(["animals", "weather", "food"] * 4)]
DATA = {"image": PICTURES}


def test_views_change_the_probabilities_and_nothing_else(model: Model):
    plain, averaged = model.predict_proba(DATA), model.predicting_with(TTA(4)).predict_proba(DATA)
    assert plain.shape == averaged.shape
    assert not np.array_equal(plain, averaged)
    np.testing.assert_allclose(averaged.sum(1), 1, atol=1e-5)
    assert np.array_equal(averaged, model.predicting_with("tta:views=4").predict_proba(DATA))
    assert np.array_equal(model.predict_proba(DATA), plain)


def test_one_view_is_none_and_the_last_choice_counts(model: Model):
    plain = model.predict_proba(DATA)
    again = model.predicting_with(TTA(4)).predicting_with(TTA(1))
    assert np.array_equal(again.predict_proba(DATA), plain)
    assert [technique.name for technique in again.recipe.named] == ["flip", "tta"]
    assert [technique.name for technique in again.recipe.listed] == ["flip"]


def test_it_is_saved_with_the_model(model: Model, tmp_path: Path):
    averaged = model.predicting_with(TTA(3))
    averaged.save(tmp_path / "model")
    assert np.array_equal(load(tmp_path / "model").predict_proba(DATA), averaged.predict_proba(DATA))


def test_calibration_rows_were_seen_without_them(model: Model) -> None:
    labelled = {**DATA, "label": ["animals", "weather", "food"] * 4}
    calibrated = model.calibrated_on(labelled)
    assert len(calibrated.calibration["label"]) == 12
    assert calibrated.predicting_with().calibration
    averaged = calibrated.predicting_with(TTA(4))
    assert not averaged.calibration
    again = averaged.calibrated_on(labelled).calibration["label"]
    assert np.array_equal(again.kept, averaged.predict_proba(DATA))


def test_a_model_of_texts_has_no_views(fixtures: Worlds):
    fixture = fixtures("cnn")
    text_model = Model(Recipe(base=fixture.spec, techniques=[]), fixture.schema, fixture.network, fixture.tasks)
    with pytest.raises(RefusedError, match=r"tta needs other_views.*an image or audio column"):
        text_model.predicting_with(TTA(4))
    with pytest.raises(UsageError, match="views is 13"):
        text_model.predicting_with(TTA(13))


def test_command_line(model: Model, tmp_path: Path):
    model.save(tmp_path / "model")
    labels = ["animals", "weather", "food"] * 4
    rows = {"image": pa.array(PICTURES, pa.binary()), "label": labels, "place": ["here"] * len(labels)}
    pq.write_table(pa.table(rows), tmp_path / "rows.parquet")
    base = [str(tmp_path / "model"), str(tmp_path / "rows.parquet")]
    for spec in ("tta:views=2", "tta:views=2,flip=no"):
        done = CliRunner().invoke(app, ["evaluate", *base, "--json", "--with", spec])
        assert done.exit_code == 0, done.output
    out = tmp_path / "predictions.parquet"
    done = CliRunner().invoke(app, ["predict", *base, "--out", str(out), "--proba", "--with", "tta:views=2"])
    assert done.exit_code == 0, done.output
    found = pq.read_table(out).column("p(food)").to_numpy()
    names = model.columns
    np.testing.assert_array_equal(found, model.predicting_with(TTA(2)).predict_proba(DATA)[:, names.index("food")])
    wrong = CliRunner().invoke(app, ["evaluate", *base, "--with", "tta:views=many"])
    assert isinstance(wrong.exception, UsageError)
    assert "views" in str(wrong.exception)
