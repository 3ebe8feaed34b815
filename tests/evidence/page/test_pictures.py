"""graftwork.evidence.page.pictures: bars hold what the sentence beside them says."""

from __future__ import annotations

import pytest

from evidence.samples import (
    evaluation,
    identity_evaluation,
    of_classes,
    of_labels,
    regression_evaluation,
    searches_evaluation,
)
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.page.pictures import Bar, bars
from graftwork.evidence.results import Result


def drawn(found: Evaluation, **more: object) -> tuple[Bar, ...]:
    first = next(iter(found.scores))
    return bars(Result(primary=first, evaluations={"test": found}, **more))  # type: ignore[arg-type]


def test_classes_beside_the_usual_answer_of_training() -> None:
    # In the scored rows 'a' is commonest; in training it was 'b'.
    model, constant = drawn(of_classes({"a": (120, 90), "b": (80, 60)}), training_rows={"a": 3, "b": 9})
    assert (model.share, model.text, model.model) == (0.75, "75 of 100", True)
    assert model.interval is not None
    assert (constant.label, constant.share, constant.model) == ("always 'b'", 0.4, False)


def test_labels() -> None:
    given, there = drawn(of_labels({"a": (40, 30, 10), "b": (20, 7, 0)}, rows=100))
    assert (given.text, there.text) == ("37 of 47", "37 of 60")
    assert (given.share, there.share) == (37 / 47, 37 / 60)


def test_searches_and_identities() -> None:
    first, ten = drawn(searches_evaluation())
    assert first.share == 0.75
    assert ten.share >= first.share
    strangers, known = drawn(identity_evaluation(people=20))
    assert 0 <= strangers.share <= 1
    assert 0 <= known.share <= 1
    assert drawn(identity_evaluation(people=3)) == ()


@pytest.mark.parametrize("found", [regression_evaluation()])
def test_numbers_have_a_plot_instead(found: Evaluation) -> None:
    assert drawn(found) == ()


def test_shares_are_shares() -> None:
    assert all(0 <= one.share <= 1 for one in drawn(evaluation()))
