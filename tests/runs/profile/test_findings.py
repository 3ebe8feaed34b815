"""graftwork.runs.profile.findings: what the features of small tables say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.evidence.profile.finding import Finding
from graftwork.runs.profile.curve import errors_by_size
from graftwork.runs.profile.features import FrozenBase, RowFeatures, frozen_base
from graftwork.runs.profile.findings import feature_findings
from graftwork.runs.profile.probes import out_of_fold
from graftwork.runs.profile.shift import table_shift
from jobs import job_of
from pictures import encoded, picture, tiny_image_model
from tiny import tiny_rows

FP32 = gw.Training(precision="fp32")


def rows(count: int = 240) -> pd.DataFrame:
    """Texts that are told apart by a number, so that none is like another."""
    frame = pd.DataFrame(tiny_rows(count), columns=["text", "label"])
    return frame.assign(text=[f"{text} {'the ' * (at % 7)}" for at, text in enumerate(frame["text"])])


def recipe_of(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base), training=FP32)


def findings(frame: pd.DataFrame, recipe: gw.Recipe, test: pd.DataFrame | None = None) -> dict[str, Finding]:
    job = job_of(frame, recipe, target="label", valid=frame.head(min(30, len(frame))), test=test)
    return {found.about: found for found in feature_findings(job, recipe)}


@pytest.mark.slow
def test_planted_labels_are_found(base: Path) -> None:
    frame = rows()
    wrong = np.arange(10, 240, 24)
    frame.loc[wrong, "label"] = ["food" if one != "food" else "weather" for one in frame["label"][wrong]]
    found = findings(frame, recipe_of(base))["label-errors"]
    named = {note.row - 1 for note in found.rows}
    assert len(named & set(wrong)) >= 6
    assert len(named) <= 20


@pytest.mark.slow
def test_the_curve_is_measured_on_the_test_rows_where_there_are_enough(base: Path) -> None:
    frame, recipe = rows(), recipe_of(base)
    for test, expected in ((None, "held out"), (rows(30), "held out"), (rows(150), "the test rows")):
        found = findings(frame, recipe, test)["learning-curve"]
        assert expected in found.numbers["scored_on"]
        assert found.numbers["rows"] == 240
        assert [one["rows"] for one in found.numbers["forecast"]] == [480, 960]
        assert 0.8 < found.numbers["score"] <= 1


@pytest.mark.parametrize("count", [12, 30])
def test_few_rows_have_no_curve(base: Path, count: int) -> None:
    found = findings(rows(count), recipe_of(base))["learning-curve"]
    assert found.sentences == (f"{count} rows are too few to say what more of them would bring.",)


def features_of(frame: pd.DataFrame, recipe: gw.Recipe) -> tuple[FrozenBase, RowFeatures]:
    job = job_of(frame, recipe, target="label", valid=frame.head(30))
    base = frozen_base(job, recipe)
    return base, base.features(job.train)


def test_draws_are_nested_and_scored_on_other_rows(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[list[int], list[int]]] = []
    built, train = features_of(rows(), recipe_of(base))

    def score(*given: object) -> float:
        learned, scored = given[3], given[4]
        assert isinstance(learned, np.ndarray)
        assert isinstance(scored, np.ndarray)
        seen.append((learned.tolist(), scored.tolist()))
        return 0.5

    monkeypatch.setattr("graftwork.runs.profile.curve._score", score)
    curve = errors_by_size(built, train)
    assert [one.rows for one in curve] == [24, 48, 96, 192]
    assert [len(one.errors) for one in curve] == [5] * 4
    for at, (learned, scored) in enumerate(seen):
        assert not set(learned) & set(scored)
        if at >= 5:
            assert learned[: len(seen[at - 5][0])] == seen[at - 5][0]


def test_probabilities_of_rows_that_are_not_learned_from(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from graftwork.runs.crossval import cross_validate

    recipe = recipe_of(base)
    built, train = features_of(rows(), recipe)
    head, task = built.heads["label"], built.job.tasks["label"]
    given = (train.targets["label"], train.labelled["label"])
    told = out_of_fold(head, train, "label", task, 0)
    other = cross_validate(built.job, gw.Recipe(base=f"{base}:layers=3"))["label"]
    assert told.shape == other.shape == (240, 3)
    assert np.mean(told.argmax(1) == other.argmax(1)) > 0.95
    monkeypatch.setattr("graftwork.runs.profile.probes.MOST", 60)
    fewer = out_of_fold(head, train, "label", task, 0)
    assert not np.allclose(told, fewer)
    assert np.mean(fewer.argmax(1) == given[0]) > 0.8


def test_a_table_of_other_rows_is_told_apart(base: Path) -> None:
    recipe, frame = recipe_of(base), rows()
    built, train = features_of(frame[::2], recipe)
    table = job_of(frame[1::2], recipe, target="label", valid=frame.head(30)).train
    alike = table_shift(train, built.features(table), 0)
    assert alike is not None
    assert not alike.numbers["differs"]
    other = frame[1::2].assign(text=[f"{text} snow snow snow" for text in frame["text"][1::2]])
    moved = table_shift(train, built.features(job_of(other, recipe, target="label", valid=other.head(30)).train), 0)
    assert moved is not None
    assert moved.numbers["differs"]
    assert moved.numbers["right"] > 0.9
    assert table_shift(train, built.features(table.take(range(10))), 0) is None


@pytest.mark.slow
def test_a_target_of_numbers_has_a_curve_in_its_own_units(base: Path) -> None:
    frame = rows().assign(label=lambda one: one["text"].str.len().astype(float))
    found = findings(frame, gw.Recipe(base=str(base), task="regression", metric="rmse", training=FP32))
    assert "label-errors" not in found
    assert found["learning-curve"].numbers["score"] < 0
    assert "points" not in found["learning-curve"].sentences[0]


def test_an_untrained_base_is_said_to_know_nothing() -> None:
    recipe = gw.Recipe(base="gru:width=16", training=FP32)
    found = findings(rows(60), recipe)
    assert list(found) == ["features"]
    assert found["features"].numbers == {"unlearned": ["text"]}
    assert "no pretrained base is here for 'text'" in found["features"].sentences[0]


def test_pictures_that_are_nearly_the_same_are_named(tmp_path: Path) -> None:
    images = [picture(seed) for seed in range(12)]
    images.append(images[4].point(lambda value: min(255, value + 4)))
    frame = pd.DataFrame({"photo": [encoded(one) for one in images], "label": ["a", "b"] * 6 + ["a"]})
    recipe = gw.Recipe(base={"image": str(tiny_image_model(tmp_path / "base"))}, training=FP32)
    found = findings(frame, recipe, frame.iloc[[4]])["look-alikes"]
    assert (13, 5) in {(note.row, note.other) for note in found.rows if note.table == "train"}
    assert [note.row for note in found.rows if note.table == "test"] == [1]
    assert found.numbers["column"] == "photo"
