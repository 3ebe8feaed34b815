"""graftwork.evidence.summary.verdicts: the first sentence, held against numbers counted by hand, for all tasks."""

from __future__ import annotations

import numpy as np
import pytest

from evidence.samples import identity_evaluation, of_classes, of_labels, of_numbers, score, searches_evaluation
from graftwork.data.episodes import Episodes
from graftwork.evidence.episodes import evaluate_episodes
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.results import Result
from graftwork.evidence.scores.baseline import Baseline
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.summary.verdicts import verdict
from graftwork.tasks.metrics.registry import METRICS

NOT_BEATEN = Baseline("the commonest class, 'a'", METRICS["accuracy"], 0.5, Interval(0.01, -0.05, 0.06), beaten=False)


def result(evaluation: Evaluation, primary: str = "", split: str = "test", baseline: Baseline | None = None) -> Result:
    first = primary or next(iter(evaluation.scores))
    return Result(target="label", primary=first, evaluations={split: evaluation}, baseline=baseline)


def test_classes() -> None:
    # 200 of the 400 rows are 'a'; 180 of those are right, and 150 of the 200 others: 330 of 400 = 82.5 %.
    found = verdict(result(of_classes({"a": (200, 180), "b": (100, 80), "c": (100, 70)})))
    assert found.text.startswith("Of 100 new rows about 82 get the right answer (between 7")
    assert found.text.endswith("Always answering 'a' would get 50.")
    assert not found.warning


def test_a_rare_class_is_spoken_of_where_the_commonest_is_nearly_all() -> None:
    # 'no' is 950 of 1,000 rows, all right; of the 50 others 20 are found: 97 % right where 95 % is for nothing.
    found = verdict(result(of_classes({"no": (950, 950), "yes": (50, 20)})))
    assert "Always answering 'no' would get 95." in found.text
    assert "Of the rows with another answer than 'no' it finds 20 of 50." in found.text


def test_few_rows_are_counted_not_made_into_hundreds() -> None:
    found = verdict(result(of_classes({"a": (20, 19), "b": (10, 8)}), split="validation"))
    assert found.text.startswith("27 of 30 held-out rows got the right answer; of 100 new ones it may be between ")
    assert found.text.endswith("Always answering 'a' would get 20 of 30.")


def test_all_right_is_no_promise() -> None:
    found = verdict(result(of_classes({"a": (200, 200), "b": (100, 100)})))
    assert found.text.startswith("All 300 test rows got the right answer; of ")
    assert "it may be at least 9" in found.text


def test_no_better_than_the_commonest_answer_is_the_sentence_on_top() -> None:
    found = verdict(result(of_classes({"a": (200, 190), "b": (200, 12)}), baseline=NOT_BEATEN))
    assert found.warning
    assert found.text.startswith(
        "This model is not shown to be better than always answering 'a': "
        "it gives the right answer in 50 of 100 rows, that in 50 of 100."
    )


def test_numbers() -> None:
    # Errors of 0 to 9 tens of times: half within 4.5, nine of ten within 8.1, 4.5 on average.
    truth = np.repeat(np.arange(0.0, 1000.0, 100.0), 20)
    off = np.tile(np.arange(10.0), 20)
    found = verdict(result(of_numbers(truth, truth + off)))
    assert not found.warning
    assert "Half of the predictions are within 4.5 of the truth, nine of ten within 8.1." in found.text
    assert "On average they are off by 4.5;" in found.text
    # The median of the truth is 450; the distances from it are 50, 150, ..., 450: 250 on average.
    assert "always saying the middle value of these rows, 450, would be off by 250" in found.text


def test_numbers_no_better_than_the_median() -> None:
    truth = np.arange(100.0)
    found = verdict(result(of_numbers(truth, np.full(100, 49.5))))
    assert found.warning
    assert "not shown to be better than always saying the middle value of these rows, 50: it is off by 25" in found.text


def test_few_numbers_do_not_say_that_it_brings_nothing() -> None:
    # Off by 23 on average where the middle value is by 25, in twenty rows: a margin that chance explains.
    truth = np.arange(0.0, 100.0, 5.0)
    evaluation = of_numbers(truth, truth + np.where(np.arange(20) % 2, 23.0, -23.0))
    assert not evaluation.details.errors.better
    beaten = Baseline("the median", METRICS["rmse"], 28.0, Interval(3.0, 1.0, 5.0), beaten=True)
    assert "brings nothing" not in verdict(result(evaluation, baseline=beaten)).text
    worse = of_numbers(truth, np.where(truth > 90, truth, 0.0))
    assert "For most rows it brings nothing, then" in verdict(result(worse, baseline=beaten)).text


def test_label_lists() -> None:
    # 100 rows with 'a', of which 80 are found and 20 wrong ones given; 'b' on 50, 40 found: 120 of 140, 120 of 150.
    found = verdict(result(of_labels({"a": (100, 80, 20), "b": (50, 40, 0)}, rows=200)))
    assert found.text == (
        "Of the labels that it gives 86 of 100 are right; it finds 80 of 100 that are there. "
        "Always giving 'a' would be right in 50 of 100 rows and find 67 of 100 labels."
    )


def test_identities_too_few_to_say() -> None:
    found = verdict(result(identity_evaluation(people=2)))
    assert found.warning
    assert found.text == "Only 2 different values of 'label' were left to test with: how good it is can't be told."


def test_identities_at_the_chosen_threshold() -> None:
    evaluation = identity_evaluation(people=20)
    at = evaluation.details.at_threshold
    assert at is not None
    found = verdict(result(evaluation))
    assert found.text.startswith("At the chosen threshold it takes a stranger for someone known in ")
    assert f"comparisons of rows of {20}" in found.text


def test_searches() -> None:
    found = verdict(result(searches_evaluation()))
    assert found.text.startswith("The right one of 40 comes first in 75 of 100 searches, among the first ten in ")
    assert found.text.endswith("Guessing would put it first in 2 of 100. Only 40 test rows say so.")


def test_episodes() -> None:
    scores = np.tile([0.5, 0.7], 100)
    found = verdict(result(evaluate_episodes(scores, Episodes(way=5, shot=1), rows=400)))
    assert found.text.startswith(
        "Shown 1 example of each of 5 new classes, it puts about 60 of 100 other rows into the right one (between 5"
    )
    assert found.text.endswith("Guessing would get 20 of 100.")


def test_a_task_of_ones_own_has_its_score() -> None:
    plain = Evaluation(task="own", rows=300, unlabelled=0, scores={"r2": score("r2", 0.5, 0.4, 0.6)})
    assert verdict(result(plain)).text == "R² 0.500 (0.400 to 0.600) on 300 rows."
    constant = Baseline("the best single action, 'a'", METRICS["r2"], 0.2, Interval(0.3, 0.2, 0.4), beaten=True)
    told = verdict(result(plain, baseline=constant)).text
    assert told == "R² 0.500 (0.400 to 0.600) on 300 rows; the best single action, 'a': 0.200."


@pytest.mark.parametrize("name", ["<script>", "a\x1b[31m", "x\ny"])
def test_names_cannot_act(name: str) -> None:
    found = verdict(result(of_classes({name: (200, 150), "b": (100, 80)})))
    assert "\x1b" not in found.text
    assert "\n" not in found.text
