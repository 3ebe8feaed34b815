"""What a model promises, from Python and the command line: sets, intervals, abstention, and where they come from."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import graft
from graftwork.errors import DataError, ModelError, UsageError

RECIPE = gw.Recipe(techniques=["probe"])


def rows(count: int, seed: int) -> pd.DataFrame:
    """Numbers that tell three kinds and a price apart, not always."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(count, 3))
    kind = np.array(["ash", "birch", "cedar"])[np.argmax(x + draw.normal(size=(count, 3)) * 0.3, axis=1)]
    return pd.DataFrame({"u": x[:, 0], "v": x[:, 1], "w": x[:, 2], "kind": kind, "price": x[:, 1] * 5 + 20})


TRAIN, CALIBRATE, NEW = rows(300, 0), rows(1200, 1), rows(1500, 2)


@pytest.fixture(scope="module")
def plain() -> gw.Model:
    return gw.fit(TRAIN.drop(columns="price"), target="kind", recipe=RECIPE, verbose=False)


@pytest.fixture(scope="module")
def model(plain: gw.Model) -> gw.Model:
    return plain.calibrated_on(CALIBRATE)


@pytest.fixture(scope="module")
def two() -> gw.Model:
    return gw.fit(TRAIN, target=["kind", "price"], recipe=RECIPE, verbose=False).calibrated_on(CALIBRATE)


@pytest.fixture(scope="module")
def folder(model: gw.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model.save(tmp_path_factory.mktemp("sure") / "model")


def read(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_sets_hold_the_truth_as_often_as_asked(model: gw.Model) -> None:
    for coverage in (0.8, 0.95):
        found = model.predict_sets(NEW, coverage=coverage)
        assert isinstance(found, pd.Series)
        held = np.mean([kind in one for kind, one in zip(NEW["kind"], found, strict=True)])
        assert abs(held - coverage) < 0.035
    first = [one[0] for one in found if one]
    predicted = [answer for answer, one in zip(model.predict(NEW), found, strict=True) if one]
    assert first == predicted  # the most probable class comes first


def test_a_list_of_dicts_gives_an_array_of_lists(model: gw.Model) -> None:
    found = model.predict_sets(NEW.head(4).to_dict("records"))
    assert isinstance(found, np.ndarray)
    assert found.shape == (4,)
    assert all(isinstance(one, list) for one in found)


def test_of_the_answers_few_are_wrong(model: gw.Model) -> None:
    found = model.predict_or_abstain(NEW, error=0.08)
    assert isinstance(found, pd.Series)
    answered = found.notna().to_numpy()
    assert 0.2 < answered.mean() < 1
    wrong = (found != NEW["kind"]).to_numpy()
    assert wrong[answered].mean() < 0.08
    assert (model.predict(NEW) != NEW["kind"]).mean() > 0.08


def test_several_targets_have_a_set_and_an_interval(two: gw.Model, tmp_path: Path) -> None:
    sets = two.predict_sets(NEW)
    ends = two.predict_intervals(NEW)
    assert isinstance(ends, pd.DataFrame)
    assert list(ends.columns) == ["price_low", "price_high"]
    assert isinstance(sets, pd.Series)
    held = (ends["price_low"] <= NEW["price"]) & (NEW["price"] <= ends["price_high"])
    assert 0.86 < held.mean() < 0.94
    folder, table = two.save(tmp_path / "m"), tmp_path / "new.csv"
    NEW.head(300).to_csv(table, index=False)
    graft("predict", folder, table, "--out", tmp_path / "p.csv", "--coverage", "0.9", "--abstain", "0.1").works()
    written = read(tmp_path / "p.csv")
    assert [json.loads(row["prediction_set(kind)"]) for row in written] == sets[:300].tolist()
    assert [float(row["prediction_low(price)"]) for row in written] == pytest.approx(ends["price_low"][:300].tolist())
    silent = [row for row in written if row["reason"]]
    assert {row["reason"] for row in silent} == {"abstained: kind"}
    assert all(row["prediction(kind)"] == "" and row["prediction(price)"] for row in silent)


def test_the_command_line_says_the_same(model: gw.Model, folder: Path, tmp_path: Path) -> None:
    table, out = tmp_path / "new.csv", tmp_path / "p.csv"
    NEW.to_csv(table, index=False)
    graft("predict", folder, table, "--out", out, "--coverage", "0.9", "--abstain", "0.08").works()
    written = read(out)
    assert [json.loads(row["prediction_set"]) for row in written] == list(model.predict_sets(NEW))
    expected = model.predict_or_abstain(NEW, error=0.08)
    assert [row["prediction"] or None for row in written] == [None if pd.isna(one) else one for one in expected]
    assert all((row["reason"] == "abstained") == (row["prediction"] == "") for row in written)
    assert all(row["confidence"] for row in written)
    graft("predict", folder, table, "--out", tmp_path / "p.parquet", "--coverage", "0.9", "--sets", "aps").works()
    frame = pd.read_parquet(tmp_path / "p.parquet")
    assert [list(one) for one in frame["prediction_set"]] == list(model.predict_sets(NEW, method="aps"))


def test_calibration_is_kept_with_the_model_and_goes_with_it(model: gw.Model, plain: gw.Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "m")
    loaded = gw.load(folder)
    assert np.array_equal(loaded.calibration["kind"].kept, model.calibration["kind"].kept)
    assert list(loaded.predict_sets(NEW)) == list(model.predict_sets(NEW))
    plain.save(folder)
    assert not (folder / "calibration.safetensors").exists()
    assert gw.load(folder).calibration == {}


def test_calibrate_puts_rows_into_a_model(plain: gw.Model, model: gw.Model, tmp_path: Path) -> None:
    folder, table = plain.save(tmp_path / "m"), tmp_path / "more.csv"
    CALIBRATE.to_csv(table, index=False)
    NEW.to_csv(tmp_path / "new.csv", index=False)
    graft("predict", folder, tmp_path / "new.csv", "--out", tmp_path / "p.csv", "--coverage", "0.9").fails(
        2, "this model has none", "graft calibrate", "calibration_share", "--test"
    )
    assert not (tmp_path / "p.csv").exists()
    before = (folder / "weights.safetensors").read_bytes()
    ran = graft("calibrate", folder, table).works()
    assert "1,200 calibration rows (more.csv)" in ran.out
    assert (folder / "weights.safetensors").read_bytes() == before
    assert list(gw.load(folder).predict_sets(NEW)) == list(model.predict_sets(NEW))
    other = graft("calibrate", folder, table, "--out", tmp_path / "other", "--json").works()
    told = json.loads(other.out)["kind"]
    assert told["rows"] == 1200
    assert [one["asked"] for one in told["covered"]] == [0.8, 0.9, 0.95]
    assert all(abs(one["found"] - one["asked"]) < 0.03 for one in told["covered"])
    assert (tmp_path / "other" / "model.json").is_file()


def test_a_damaged_calibration_is_no_model(folder: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "m"))
    content = bytearray((broken / "calibration.safetensors").read_bytes())
    content[-1] ^= 1
    (broken / "calibration.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"calibration\.safetensors is not as it was written"):
        gw.load(broken)
    (broken / "calibration.safetensors").unlink()
    with pytest.raises(ModelError, match="is missing"):
        gw.load(broken)


def test_a_calibration_that_the_manifest_does_not_vouch_for_is_not_read(plain: gw.Model, tmp_path: Path) -> None:
    folder = plain.save(tmp_path / "m")
    (folder / "calibration.safetensors").write_bytes(b"anything")
    assert gw.load(folder).calibration == {}


def test_techniques_at_prediction_have_nothing_to_rest_on(model: gw.Model, folder: Path, tmp_path: Path) -> None:
    assert model.predicting_with().calibration
    NEW.to_csv(tmp_path / "new.csv", index=False)
    graft(
        "predict", folder, tmp_path / "new.csv", "--out", tmp_path / "p.csv", "--with", "tta", "--abstain", "0.1"
    ).fails(2, "predicted without the techniques")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--coverage", "1"), "coverage is 1. Only a set of everything"),
        (("--coverage", "0"), "coverage is 0. Nothing would be promised"),
        (("--abstain", "0"), "error is 0"),
        (("--abstain", "1"), "error is 1"),
        (("--coverage", "0.9", "--sets", "best"), "expected lac or aps"),
        (("--coverage", "0.9999"), "needs 9,999 calibration rows at least, and there are 1,200"),
        (("--abstain", "0.0001"), "can't be promised"),
    ],
)
def test_what_can_not_be_promised_is_refused(folder: Path, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    NEW.to_csv(tmp_path / "new.csv", index=False)
    graft("predict", folder, tmp_path / "new.csv", "--out", tmp_path / "p.csv", *options).fails(2, said)
    assert not (tmp_path / "p.csv").exists()


def test_tables_that_can_not_calibrate_are_refused(folder: Path, plain: gw.Model, tmp_path: Path) -> None:
    bare = tmp_path / "bare.csv"
    CALIBRATE.drop(columns="kind").to_csv(bare, index=False)
    graft("calibrate", folder, bare, "--out", tmp_path / "m").fails(1, "kind")
    strange = CALIBRATE.head(3).assign(kind="oak")
    strange.to_csv(bare, index=False)
    graft("calibrate", folder, bare, "--out", tmp_path / "m").fails(1, "oak", "never had")
    graft("calibrate", tmp_path / "nothing", bare).fails(1, "no model folder")
    graft("calibrate", folder, tmp_path / "nothing.csv").fails(1, "nothing.csv")
    with pytest.raises(DataError):
        plain.calibrated_on(CALIBRATE.head(3).assign(kind=None))
    assert not (tmp_path / "m").exists()


def test_numbers_have_no_sets_and_classes_no_intervals(model: gw.Model) -> None:
    with pytest.raises(UsageError, match="predict_sets"):
        model.predict_intervals(NEW)
    number = gw.fit(TRAIN.drop(columns="kind"), target="price", recipe=RECIPE, verbose=False).calibrated_on(CALIBRATE)
    with pytest.raises(UsageError, match="predict_intervals"):
        number.predict_sets(NEW)
    with pytest.raises(UsageError, match="Intervals say how far off"):
        number.predict_or_abstain(NEW)
    ends = number.predict_intervals(NEW.to_dict("records"))
    assert isinstance(ends, np.ndarray)
    assert ends.shape == (len(NEW), 2)


def test_rows_that_can_not_be_read_have_neither(tmp_path: Path) -> None:
    words = {"good": "nice warm happy", "bad": "poor cold sad"}
    table = [{"text": f"{words[label].split()[at % 3]} {at}", "label": label} for at in range(60) for label in words]
    recipe = gw.Recipe(base="gru:width=8", techniques=[], training=gw.Training(steps=20, precision="fp32"))
    model = gw.fit(table, target="label", recipe=recipe, verbose=False).calibrated_on(table)
    found = model.predict_sets(["nice 1", "", "sad 2"], coverage=0.8)
    assert found[1] is None
    assert all(isinstance(found[at], list) for at in (0, 2))
    folder = model.save(tmp_path / "m")
    (tmp_path / "new.csv").write_text('text\nnice 1\n""\nsad 2\n', encoding="utf-8")
    graft(
        "predict", folder, tmp_path / "new.csv", "--out", tmp_path / "p.csv", "--coverage", "0.8", "--abstain", "0.8"
    ).works()
    written = read(tmp_path / "p.csv")
    assert written[1]["prediction_set"] == ""
    assert "empty" in written[1]["reason"]


def test_a_threshold_is_chosen_by_half_of_the_rows(tmp_path: Path) -> None:
    def rare(count: int, seed: int) -> pd.DataFrame:
        draw = np.random.default_rng(seed)
        x = draw.normal(size=(count, 2))
        late = np.where(x[:, 0] + draw.normal(size=count) > 2.2, "late", "in time")
        return pd.DataFrame({"u": x[:, 0], "v": x[:, 1], "label": late})

    for name, seed in (("train", 0), ("more", 1), ("new", 2)):
        rare(1000, seed).to_csv(tmp_path / f"{name}.csv", index=False)
    folder, more, new = tmp_path / "m", tmp_path / "more.csv", tmp_path / "new.csv"
    graft("fit", tmp_path / "train.csv", "--target", "label", "--with", "probe", "--out", folder).works()
    before = gw.load(folder).score(new, "macro_f1")
    ran = graft("calibrate", folder, more, "--metric", "macro_f1").works()
    assert "Predicted is 'late' from a probability of" in ran.out
    model = gw.load(folder)
    assert len(model.calibration["label"]) == 500
    assert model.score(new, "macro_f1") > before + 0.03
    graft("predict", folder, new, "--out", tmp_path / "p.csv", "--proba").works()
    written = read(tmp_path / "p.csv")
    threshold = model.tasks["label"].state()["threshold"]
    assert all((float(row["p(late)"]) >= threshold) == (row["prediction"] == "late") for row in written)
    assert all({row["prediction"], row["second_choice"]} == {"late", "in time"} for row in written)
    assert all(row["confidence"] == row[f"p({row['prediction']})"] for row in written)
    told = json.loads(graft("calibrate", folder, more, "--metric", "label=accuracy", "--json").works().out)
    assert told["label"]["decision"]["metric"] == "accuracy"
    graft("calibrate", folder, more, "--metric", "log_loss").fails(2, "reads probabilities")
