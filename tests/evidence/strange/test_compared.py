"""graftwork.evidence.strange.drift: what is compared, how it is corrected and said, and how often it is wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest

from graftwork.evidence.strange.aspects import CATEGORIES, MISSING, OTHERS, Aspect, counted_alike
from graftwork.evidence.strange.aspects import _counted as counted
from graftwork.evidence.strange.drift import About, Comparison, Drift, drift_of, judged
from graftwork.evidence.strange.reference import Reference, reference_of


def numbers(values: Sequence[float] | np.ndarray, name: str = "size") -> Aspect:
    return Aspect("column", name, "number", np.sort(np.asarray(values, np.float64)))


def made(draw: np.random.Generator, rows: int, moved: float = 0.0) -> tuple[np.ndarray, list[Aspect]]:
    """Features and aspects of rows: a number, a category of many values, a predicted class."""
    features = draw.normal(size=(rows, 4)).astype(np.float32) + np.float32(moved)
    shops = [str(int(abs(value) * 80)) for value in draw.normal(size=rows)]
    labels = ["a" if value > 0.3 + moved else "b" for value in draw.normal(size=rows)]
    return features, [
        numbers(features[:, 0]),
        counted("column", "shop", shops),
        counted("predictions", "label", labels),
    ]


def reference(draw: np.random.Generator) -> Reference:
    held, aspects = made(draw, 120)
    found = reference_of(made(draw, 200)[0], held, aspects=aspects)
    assert found is not None
    return found


def drift(draw: np.random.Generator, moved: float, alpha: float = 0.1) -> Drift:
    features, aspects = made(draw, 100, moved)
    return drift_of(reference(draw), features, aspects, About("new.csv", 500, 100), alpha)


@pytest.mark.slow
def test_of_tables_that_are_alike_few_are_said_to_differ() -> None:
    found = [drift(np.random.default_rng(seed), 0.0) for seed in range(60)]
    assert np.mean([one.drifted for one in found]) <= 0.2  # 0.1 is allowed; 12 of 60 have a chance of 1 in 70 there
    assert {(one.kind, one.measure) for one in found[0].comparisons} == {
        ("column", "number"),
        ("column", "category"),
        ("predictions", "category"),
        ("features", "distribution"),
        ("features", "unusual"),
    }


def test_a_table_that_has_moved_is_said_to() -> None:
    found = drift(np.random.default_rng(1), 1.5, 0.01)
    assert {one.kind for one in found.differing} == {"column", "features", "predictions"}
    said = "\n".join(found.lines())
    assert "new.csv differs from the rows that the model was trained on (100 of 500 rows looked at)" in said
    assert "half of the rows have 'size' above" in said
    assert "are predicted to be 'b' in 'label'" in said
    assert json.loads(json.dumps(found.to_json()))["drifted"] is True


def test_p_values_are_corrected_within_a_kind_and_over_the_kinds() -> None:
    given = [
        Comparison("column", "a", "number", 0.001, 0.5, ""),
        Comparison("column", "b", "number", 0.02, 0.5, ""),
        Comparison("features", "features", "distribution", 0.004, 0.5, ""),
    ]
    found = judged(given, 0.01)
    assert [one.corrected for one in found] == pytest.approx([0.004, 0.04, 0.008])
    assert [one.differs for one in found] == [True, False, True]
    assert [one.corrected for one in judged(given[2:], 0.01)] == [0.004]


def test_rows_without_a_number_are_said() -> None:
    draw = np.random.default_rng(0)
    features, _ = made(draw, 100)
    lacking = np.where(np.arange(100) < 40, MISSING, features[:, 0])
    found = drift_of(reference(draw), features, [numbers(lacking)], About("new.csv", 100, 100))
    assert [one.sentence for one in found.differing] == ["40 % of the rows have no 'size', of the training rows 0 %"]


def test_what_is_not_compared_is_said() -> None:
    draw = np.random.default_rng(0)
    training, _ = made(draw, 100)
    alone = reference_of(training, None)
    assert alone is not None
    found = drift_of(alone, made(draw, 50)[0], [], About("new.csv", 50, 50))
    assert found.comparisons == ()
    assert [line.split()[0] for line in found.untested] == ["features", "predictions"]
    assert not found.drifted
    untouched = reference_of(training, None, learned=False)
    assert untouched is not None
    again = drift_of(untouched, made(draw, 50)[0], [], About("new.csv", 50, 50))
    assert {one.kind for one in again.comparisons} == {"features"}


def test_categories_of_a_column_with_many_are_chosen_by_other_rows_than_count_them() -> None:
    values = [str(at) for at in np.random.default_rng(0).integers(0, 5000, 2000)]
    found = counted("column", "id", values)
    assert sum(found.counts.values()) == 1000
    assert len(found.counts) <= CATEGORIES + 1
    names, first, second = counted_alike(found.counts, {"no such": 7, "1": 1})
    assert second[names.index(OTHERS)] >= 7
    assert first.sum() == 1000


def test_a_category_that_training_never_had_is_one_of_its_own() -> None:
    names, first, second = counted_alike({"a": 3}, {"a": 1, "new": 2})
    assert names == ["a", "new"]
    assert first.tolist() == [3, 0]
    assert second.tolist() == [1, 2]
