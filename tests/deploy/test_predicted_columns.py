"""graftwork.deploy.predicted_columns: prediction, confidence, second choice and reason, whatever the table holds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.deploy.predict import predict_file
from tiny import tiny_model, tiny_rows

ROWS = 30


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    found = pd.DataFrame(tiny_rows(ROWS), columns=["text", "topic"])
    draw = np.random.default_rng(0)
    return found.assign(
        stars=draw.integers(1, 4, ROWS), price=np.arange(ROWS) / 3, tags=[["x"], ["y"], ["x", "y"]] * 10
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("bases") / "bert")


def fitted(table: pd.DataFrame, base: Path, folder: Path, *targets: str) -> gw.Model:
    recipe = gw.Recipe(base=str(base), techniques=(gw.Probe(),))
    return gw.fit(table[["text", *targets]], target=list(targets), recipe=recipe, out=folder)


def written(folder: Path, rows: pd.DataFrame, tmp_path: Path, **options: bool) -> pd.DataFrame:
    rows.to_parquet(tmp_path / "new.parquet")
    predict_file(folder, tmp_path / "new.parquet", tmp_path / "out.parquet", **options)
    return pd.read_parquet(tmp_path / "out.parquet")


def test_confidence_is_the_highest_probability_and_second_choice_the_next(
    table: pd.DataFrame, base: Path, tmp_path: Path
) -> None:
    model = fitted(table, base, tmp_path / "m", "topic")
    rows = pd.concat([table[["text"]], pd.DataFrame({"text": ["", "bread"]})], ignore_index=True)
    found = written(tmp_path / "m", rows, tmp_path, proba=True)
    assert list(found.columns)[1:5] == ["prediction", "confidence", "second_choice", "reason"]
    shares = found[[f"p({name})" for name in model.columns]].to_numpy()
    good = found.reason.isna().to_numpy()
    assert good.sum() == ROWS + 1
    order = np.argsort(-shares[good], axis=1)
    names = np.array(model.columns)
    assert found.confidence[good].to_numpy() == pytest.approx(shares[good].max(axis=1))
    assert found.prediction[good].tolist() == names[order[:, 0]].tolist()
    assert found.second_choice[good].tolist() == names[order[:, 1]].tolist()
    assert found[~good][["prediction", "confidence", "second_choice"]].isna().all(axis=None)


def test_labels_keep_their_type_and_names_that_are_taken_get_an_underscore(
    table: pd.DataFrame, base: Path, tmp_path: Path
) -> None:
    fitted(table, base, tmp_path / "m", "stars")
    rows = table[["text"]].assign(confidence="mine", reason="own")
    found = written(tmp_path / "m", rows, tmp_path)
    assert list(found.columns) == [
        *("text", "confidence", "reason"),
        *("prediction", "confidence_", "second_choice", "reason_"),
    ]
    assert set(found.confidence) == {"mine"}
    assert found.second_choice.dtype.kind == found.prediction.dtype.kind == "i"
    assert (found.second_choice != found.prediction).all()


@pytest.mark.slow
def test_of_several_targets_only_choices_have_them(table: pd.DataFrame, base: Path, tmp_path: Path) -> None:
    fitted(table, base, tmp_path / "m", "topic", "price", "tags")
    found = written(tmp_path / "m", table[["text"]], tmp_path)
    assert list(found.columns) == [
        *("text", "prediction(topic)", "confidence(topic)", "second_choice(topic)"),
        *("prediction(price)", "prediction(tags)", "reason"),
    ]


def test_rows_that_can_not_be_read_have_the_columns_too(table: pd.DataFrame, base: Path, tmp_path: Path) -> None:
    fitted(table, base, tmp_path / "m", "topic")
    (tmp_path / "new.csv").write_text('text\n""\n')
    predict_file(tmp_path / "m", tmp_path / "new.csv", tmp_path / "out.csv")
    header = (tmp_path / "out.csv").read_text().splitlines()[0].replace('"', "")
    assert header == "text,prediction,confidence,second_choice,reason"
