"""graftwork.evidence.summary.trouble: what goes wrong most, counted by hand."""

from __future__ import annotations

import dataclasses

import numpy as np

from evidence.samples import identity_evaluation, of_classes, of_labels, of_numbers, score
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.report import Report
from graftwork.evidence.results import Result
from graftwork.evidence.scores.domains import DomainScore
from graftwork.evidence.slices.worse import Search, Slice
from graftwork.evidence.summary.trouble import trouble


def texts(evaluation: Evaluation, **more: object) -> list[str]:
    first = next(iter(evaluation.scores))
    return [one.text for one in trouble(Report(primary=first, evaluations={"test": evaluation}, **more))]  # type: ignore[arg-type]


def test_the_largest_confusions_first_with_their_rows() -> None:
    evaluation = of_classes({"a": (40, 28), "b": (30, 27), "c": (20, 20)})
    found = trouble(Report(primary="accuracy", evaluations={"test": evaluation}))
    assert [one.text for one in found] == ["'a' taken for 'b': 12 of 40.", "'b' taken for 'c': 3 of 30."]
    assert len(found[0].rows) == 3
    assert set(found[0].rows) <= set(range(29, 41))  # the last 12 rows of 'a' are wrong


def test_a_class_that_is_never_found_is_named_first() -> None:
    found = texts(of_classes({"a": (100, 95), "b": (8, 0)}))
    assert found[0] == "Never found: 'b' (8 rows)."


def test_a_single_mistake_is_no_pattern_where_there_are_others() -> None:
    assert texts(of_classes({"a": (40, 39), "b": (30, 20)})) == ["'b' taken for 'a': 10 of 30."]


def test_no_mistake_no_trouble() -> None:
    assert texts(of_classes({"a": (40, 40), "b": (30, 30)})) == []


def test_labels_that_are_missed_or_given_wrongly() -> None:
    # 'a' is missed in 30 of 40; 'b' is found in all of 20, and given wrongly 12 of 32 times.
    assert texts(of_labels({"a": (40, 10, 0), "b": (20, 20, 12)}, rows=100)) == [
        "'a' is missed in 30 of 40 rows that have it.",
        "'b' is given wrongly 12 of 32 times.",
    ]


def test_ranges_of_numbers_with_the_largest_errors() -> None:
    # 1 to 100: exact but for the last fifth, 81 to 100, which is 10 too low.
    truth = np.arange(1.0, 101.0)
    predicted = np.where(truth > 80, truth - 10, truth)
    (said,) = texts(of_numbers(truth, predicted))
    assert said == (
        "Where the truth is between 81 and 100, it is off by 10 on average, mostly too low (20 rows; all rows: 2.0)."
    )


def test_identities_show_the_pairs() -> None:
    evaluation = identity_evaluation(people=20)
    found = trouble(Report(primary="eer", evaluations={"test": evaluation}))
    assert found
    assert all(len(one.rows) == 2 for one in found)


def test_the_domain_with_the_fewest_right_answers() -> None:
    domains = (
        DomainScore("here", 100, {"accuracy": score("accuracy", 0.95, 0.9, 0.99)}),
        DomainScore("there", 40, {"accuracy": score("accuracy", 0.5, 0.4, 0.6)}),
    )
    evaluation = dataclasses.replace(of_classes({"a": (70, 60), "b": (70, 55)}), domains=domains)
    assert texts(evaluation)[0] == (
        "In 'there' 50 of 100 get the right answer (40 rows); everywhere together 82 of 100."
    )


def with_slices(evaluation: Evaluation, *found: Slice) -> Evaluation:
    return dataclasses.replace(evaluation, slices=Search(found, 40))


def test_groups_that_are_worse() -> None:
    group = Slice("column", "city", "there", 50, 0.5, 0.1, 0.175, 0.001, (7, 8))
    counts = {"a": (100, 90), "b": (100, 75)}
    said = texts(with_slices(of_classes(counts), group))
    assert said[0] == "Where 'city' is 'there', 50 of 100 get the right answer (50 rows; all rows: 82 of 100)."
    numbers = of_numbers(np.arange(100.0), np.arange(100.0) + 1)
    off = Slice("column", "city", "there", 50, 150_200.0, 60_000.0, 99_000.0, 0.001)
    said = texts(with_slices(numbers, off))
    assert said[0] == "Where 'city' is 'there', it is off by 150,000 on average (50 rows; all rows: 99,000)."


def test_classes_and_domains_are_told_by_themselves() -> None:
    found = [Slice(kind, "c", "v", 50, 0.5, 0.1, 0.175, 0.001) for kind in ("class", "domain")]  # type: ignore[arg-type]
    assert not any("Where" in said for said in texts(with_slices(of_classes({"a": (100, 90), "b": (100, 75)}), *found)))


def test_several_targets_are_named() -> None:
    more = (Result(primary="accuracy", target="two", evaluations={"test": of_classes({"c": (10, 5), "d": (10, 10)})}),)
    found = texts(of_classes({"a": (10, 5), "b": (10, 10)}), target="one", more=more)
    assert found == ["one: 'a' taken for 'b': 5 of 10.", "two: 'c' taken for 'd': 5 of 10."]
