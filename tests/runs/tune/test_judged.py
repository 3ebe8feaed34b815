"""graftwork.runs.tune.judged: which rows judge trials, folds of them, and scores of what is put together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, r2_score

import graftwork as gw
from graftwork.errors import DataError, UsageError
from graftwork.evidence.tune.superior import alike
from graftwork.runs.tune.judged import FEW, Judged, judged_rows
from jobs import job_of
from tiny import tiny_rows


def frame(rows: int = 120) -> pd.DataFrame:
    table = pd.DataFrame(tiny_rows(rows), columns=["text", "label"])
    return table.assign(text=[f"{text} {at}" for at, text in enumerate(table["text"])])


def of(table: pd.DataFrame, recipe: gw.Recipe, count: int | None = None, **data: object) -> Judged:
    return judged_rows(job_of(table, recipe, **{"target": "label", **data}), recipe, count)


@pytest.fixture(scope="module")
def recipe(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base), techniques=[gw.Probe()])


def texts(table: object) -> list[str]:
    return list(table.values("text"))  # type: ignore[attr-defined]


# --- which rows -----------------------------------------------------------------------------------------------------
def test_enough_validation_rows_judge_by_themselves(recipe: gw.Recipe) -> None:
    valid = frame(FEW)
    found = of(frame(), recipe, valid=valid)
    assert (found.folds, found.jobs[0]) == (1, found.job)
    assert texts(found.table) == valid["text"].tolist()
    assert found.note == f"trials are compared on {FEW} validation rows"


@pytest.mark.parametrize("given", [True, False])
def test_of_few_all_rows_judge_in_folds(given: bool, recipe: gw.Recipe) -> None:
    """Each row is predicted once, by a run that has all rows but its fold's; validation rows take part."""
    table, valid = frame(120), frame(FEW - 1).assign(text=lambda rows: rows["text"] + " more")
    found = of(table, recipe, **({"valid": valid} if given else {}))
    every = [*table["text"], *(valid["text"] if given else ())]
    assert found.folds == 5
    assert sorted(texts(found.table)) == sorted(every) == sorted(texts(found.job.train))
    assert found.job.valid is None
    seen = list[str]()
    for job, places, (trained, held) in zip(found.jobs, found.places, found.parts, strict=True):
        assert job.valid is None
        assert job.test is not None
        assert not set(texts(job.train)) & set(texts(job.test))
        assert sorted(texts(job.train) + texts(job.test)) == sorted(every)
        assert texts(job.test) == texts(found.table.take(places)) == texts(found.job.train.take(held))
        assert texts(job.train) == texts(found.job.train.take(trained))
        assert set(job.train.values("label")) == set(table["label"])
        seen += texts(job.test)
    assert sorted(seen) == sorted(every)
    sizes = [len(places) for places in found.places]
    assert max(sizes) - min(sizes) <= 3  # classes are dealt out one after the other
    assert "5 folds, each row predicted without its fold" in found.note


def test_the_same_call_gives_the_same_folds_and_another_seed_others(recipe: gw.Recipe) -> None:
    first, again = (of(frame(), recipe) for _ in range(2))
    other = of(frame(), replace(recipe, seed=1))
    assert all(np.array_equal(one, same) for one, same in zip(first.places, again.places, strict=True))
    assert not all(np.array_equal(one, same) for one, same in zip(first.places, other.places, strict=True))


def test_so_many_folds_as_asked_for(recipe: gw.Recipe) -> None:
    assert of(frame(), recipe, 3).folds == 3
    many = of(frame(), recipe, 3, valid=frame(FEW))
    assert (many.folds, len(many.table)) == (3, 120 + FEW)


def test_one_split_where_none_was_held_out(recipe: gw.Recipe) -> None:
    """Rows without a label train."""
    found = of(frame(40), recipe, 1, unlabelled=unlabelled())
    assert found.folds == 1
    assert len(found.table) == round(0.12 * 40)
    assert all(found.table.values("label"))
    assert sorted(texts(found.table) + texts(found.job.train)) == sorted([*frame(40)["text"], *unlabelled()["text"]])
    assert found.job.valid is found.table
    sample = job_of(frame(40), recipe, target="label").sample(30, 0)
    assert judged_rows(sample, recipe, 1).job.drawn_from is None, "rows that judge are drawn to train by nothing"


def test_rows_without_a_label_train_in_every_fold(recipe: gw.Recipe) -> None:
    found = of(frame(40), recipe, unlabelled=unlabelled())
    assert len(found.table) == 40
    assert all(set(unlabelled()["text"]) < set(texts(job.train)) for job in found.jobs)


def unlabelled() -> pd.DataFrame:
    return pd.DataFrame({"text": ["snow and rain", "a red bird", "no bread"]})


def test_groups_stay_together(recipe: gw.Recipe) -> None:
    table = frame(60).assign(person=[f"p{at // 4}" for at in range(60)])
    found = of(table, recipe, roles={"group": "person"})
    for job in found.jobs:
        assert job.test is not None
        assert not set(job.train.values("person")) & set(job.test.values("person"))


def test_repeated_rows_stay_together(recipe: gw.Recipe) -> None:
    table = frame(40)
    found = of(pd.concat([table, table.iloc[:10]]), recipe)
    assert len(found.table) == 50
    for job in found.jobs:
        assert job.test is not None
        assert not set(texts(job.train)) & set(texts(job.test))


def test_a_class_of_one_group_always_trains(recipe: gw.Recipe) -> None:
    table = frame(45).assign(person=[f"p{at}" for at in range(45)])
    lone = pd.DataFrame({"text": ["a lone row", "another"], "label": "alone", "person": "someone"})
    found = of(pd.concat([table, lone]), recipe, roles={"group": "person"})
    assert len(found.table) == 45
    assert all("a lone row" in texts(job.train) for job in found.jobs)
    assert "2 that alone have their class always train" in found.note


def test_the_latest_rows_judge_where_rows_have_a_time(recipe: gw.Recipe) -> None:
    table = frame(45).assign(day=pd.date_range("2024-01-01", periods=45).astype(str))
    found = of(table, recipe, roles={"time": "day"})
    assert found.folds == 1
    assert min(found.table.values("day")) > max(found.job.train.values("day"))
    with pytest.raises(UsageError, match=r"--folds 3: the rows are ordered in time.*--folds 1"):
        of(table, recipe, 3, roles={"time": "day"})


def test_rows_that_can_not_be_dealt(recipe: gw.Recipe) -> None:
    one = frame(40).assign(person="the same")
    with pytest.raises(DataError, match=r"its 40 labelled rows can't be dealt into folds.*--valid FILE"):
        of(one, recipe, roles={"group": "person"})


# --- scores ---------------------------------------------------------------------------------------------------------
def test_scores_are_those_of_scikit_learn(recipe: gw.Recipe) -> None:
    draw = np.random.default_rng(0)
    found = of(frame(), replace(recipe, metric="macro_f1"))
    task = found.job.task
    kept = draw.normal(size=(120, task.outputs)).astype(np.float32)
    truth = [task.classes.index(label) for label in found.table.values("label")]
    assert found.score({"label": kept}) == pytest.approx(f1_score(truth, kept.argmax(1), average="macro"))
    odds = np.exp(kept) / np.exp(kept).sum(1, keepdims=True)
    assert found.score_given({"label": odds}) == pytest.approx(found.score({"label": kept}))
    other = replace(recipe, metric="balanced_accuracy")
    assert of(frame(), other).score({"label": kept}) == pytest.approx(balanced_accuracy_score(truth, kept.argmax(1)))


def test_errors_count_so_that_more_is_better_and_targets_have_their_mean(recipe: gw.Recipe) -> None:
    draw = np.random.default_rng(0)
    numbers = np.arange(120) % 17 * 2.0
    single = of(frame().assign(label=numbers), replace(recipe, metric="mae", task="regression"))
    (target, _), kept = single.truth["label"], draw.normal(size=(120, 1)).astype(np.float32)
    spread = numbers.std()
    assert single.score({"label": kept}) == pytest.approx(-np.abs(kept[:, 0] - target).mean() * spread, rel=1e-4)

    table = frame().assign(size=numbers)
    table.loc[::3, "size"] = None
    both = of(table, recipe, target=["label", "size"])
    classes = draw.normal(size=(120, both.job.tasks["label"].outputs)).astype(np.float32)
    (target, there), (truth, _) = both.truth["size"], both.truth["label"]
    expected = (np.mean(classes.argmax(1) == truth), r2_score(target[there], kept[there, 0]))
    assert both.score({"label": classes, "size": kept}) == pytest.approx(np.mean(expected), rel=1e-4)


def test_parts_are_put_together_in_the_order_of_the_rows(recipe: gw.Recipe) -> None:
    found = of(frame(), recipe)
    numbers = {text: float(at) for at, text in enumerate(texts(found.table))}
    parts = [{"label": np.array([[numbers[text]] for text in texts(job.test)], np.float32)} for job in found.jobs]
    assert found.put_together(parts)["label"][:, 0].tolist() == list(range(120))


def test_trials_are_compared_paired_over_rows(recipe: gw.Recipe) -> None:
    found, draw = of(frame(), recipe), np.random.default_rng(0)
    truth = found.truth["label"].values
    right = np.eye(3, dtype=np.float32)[truth] * 5
    worse = np.where(draw.random(120)[:, None] < 0.3, np.roll(right, 1, axis=1), right)
    seen = found.resampled({3: {"label": right}, 7: {"label": worse}})
    gap = seen.compared(3, 7)
    assert gap is not None
    assert gap.value == pytest.approx(found.score({"label": right}) - found.score({"label": worse}))
    assert 0 < gap.low < gap.value < gap.high
    assert alike(seen.values, seen.bounds).tolist() == [True, False]


def test_rows_that_are_compared_with_each_other_have_one_split_and_no_intervals(recipe: gw.Recipe) -> None:
    table = frame(60).assign(other=[f"{text} again" for text in frame(60)["text"]]).drop(columns="label")
    found = of(table, replace(recipe, task="retrieval", techniques=()), target=None)
    assert found.folds == 1
    assert "compares rows with each other" in found.incomparable
    assert found.resampled({0: {}, 1: {}}).compared(0, 1) is None
    with pytest.raises(UsageError, match="--folds 5: the task retrieval compares rows"):
        of(table, replace(recipe, task="retrieval", techniques=()), 5, target=None)
