"""graftwork.evidence.summary.made_from: how much of the data, and what the numbers rest on."""

from __future__ import annotations

from dataclasses import replace

from evidence.samples import of_classes
from graftwork.evidence.report import Report
from graftwork.evidence.results import Stage
from graftwork.evidence.summary.made_from import made_from, trust
from graftwork.evidence.summary.summary import Summary
from graftwork.evidence.warnings import DataWarning

HELD = Report(
    primary="accuracy",
    evaluations={"validation": of_classes({"a": (60, 50), "b": (60, 50)})},
    sources={"train": "train.csv", "validation": "train.csv"},
    rows_used=880,
    rows_total=880,
    reads=("text", "price"),
    bases=("minilm (Transformer)",),
    notes=("ignored: id (row ids: every row has another one)", "task: classification"),
    costs=(Stage("run", 30.0, 60.0), Stage("the rest", 11.0, 12.0)),
)


def test_all_rows() -> None:
    assert made_from(HELD) == (
        "All 1,000 rows of train.csv: 880 to learn from, 120 held out to measure.",
        "Base: minilm (Transformer).",
        "It reads 'text' and 'price'.",
        "Left out: id (row ids: every row has another one).",
        "Made in 41 s.",
    )


def test_columns_that_the_kept_model_leaves_out_are_named() -> None:
    said = made_from(replace(HELD, reads=("price",), unread=("text",)))
    assert "It reads 'price'. Of what was tried this scored best, and it leaves out 'text'." in said


def test_a_test_file_is_not_counted_among_them() -> None:
    report = replace(HELD, sources={"train": "train.csv", "validation": "valid.csv"})
    assert made_from(report)[0] == "All 880 rows of train.csv."


def test_rows_that_the_budget_left_out_are_in_the_first_line() -> None:
    report = replace(HELD, rows_used=1947, rows_total=13288, budget=60.0, budget_for_all=480.0)
    assert made_from(report)[0] == (
        "Trained on 1,947 of the 13,288 rows of train.csv that are to learn from (15 of 100): "
        "the budget of 1 min allowed no more; about 8 min would use all."
    )
    assert made_from(replace(report, budget=None))[0].endswith("(15 of 100), as asked.")


def test_trust_says_which_rows_measured() -> None:
    assert trust(HELD)[0].startswith("Measured on 120 rows of train.csv that it was not trained on.")
    tested = replace(HELD, evaluations={"test": of_classes({"a": (20, 10), "b": (20, 20)})}, sources={"test": "t.csv"})
    first, second = trust(tested)
    assert first == "Measured on 40 rows of t.csv that took no part in training or in choosing."
    assert second == "40 rows are few: another such sample may give another picture."


def test_trust_names_what_speaks_against_the_scores() -> None:
    warnings = (DataWarning("duplicates", "12 test rows also stand in train."), DataWarning("rare classes", "Rare."))
    assert trust(replace(HELD, warnings=warnings))[1:] == ("12 test rows also stand in train.",)


def test_nothing_is_said_of_what_is_not_known() -> None:
    bare = Report(primary="accuracy", evaluations={"test": of_classes({"a": (200, 150), "b": (200, 150)})})
    assert made_from(bare) == ()


def test_a_summary_survives_json() -> None:
    assert Summary.from_json(HELD.summary.to_json()) == HELD.summary
    lines = HELD.summary.lines()
    assert lines[0].startswith("Of 100 new rows about 83 get the right answer")
    assert lines[1] == "All 1,000 rows of train.csv: 880 to learn from, 120 held out to measure."
    assert lines[2].startswith("Next: ")
