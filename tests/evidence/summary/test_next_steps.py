"""graftwork.evidence.summary.next_steps: three at most, each for a reason of the run, with a command that runs."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from evidence.samples import identity_evaluation, of_classes
from graftwork.evidence.report import Report
from graftwork.evidence.results import Candidate
from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.scores.modalities import Contribution
from graftwork.evidence.summary.next_steps import ablation_step, next_steps
from graftwork.evidence.summary.summary import Summary
from graftwork.evidence.warnings import DataWarning, Suspect
from graftwork.tasks.metrics.registry import METRICS

PLAIN = Report(
    primary="accuracy",
    target="label",
    evaluations={"test": of_classes({"a": (60, 55), "b": (60, 50)})},
    folder="runs/my model",
    asked="graft fit 'my rows.csv' --target label --budget 60s --out runs/x",
)


def told(report: Report, *, warned: bool = False) -> list[tuple[str, str]]:
    return [(step.text, step.command) for step in next_steps(report, warned=warned)]


def test_a_good_model_is_to_be_used() -> None:
    assert told(PLAIN) == [("Use it on new rows.", "graft predict 'runs/my model' NEW.csv --out predictions.csv")]


def test_without_a_folder_and_a_reason_nothing_is_made_up() -> None:
    assert told(replace(PLAIN, folder="")) == []


def test_more_time_where_the_budget_left_rows_out() -> None:
    report = replace(PLAIN, budget=60.0, rows_used=1947, rows_total=13288)
    text, command = told(report)[0]
    # 60 s * 13,288 / 1,947 = 409.5 s, up to whole minutes: 7.
    assert text == "Give it about 7 min, and it uses all 13,288 rows instead of 1,947."
    words = shlex.split(command)
    assert words[:5] == ["graft", "fit", "my rows.csv", "--target", "label"]
    assert words[words.index("--budget") + 1] == "420s"
    assert words.count("--budget") == words.count("--out") == 1
    assert told(replace(report, budget_for_all=200.0))[0][0].startswith("Give it about 4 min")


def test_more_time_where_it_left_candidates_out() -> None:
    report = replace(PLAIN, budget=30.0, rows_used=10, rows_total=10, notes=("tune: left out, the budget is used up",))
    text, command = told(report)[0]
    assert "left out some of what it would have tried" in text
    assert "--budget 90s" in command


def test_more_time_where_it_cut_the_training_short() -> None:
    notes = (
        "train: 36 of 216 steps fit into the budget",
        "train: ended after 26 of 36 steps, so that the budget is kept",
    )
    text, command = told(replace(PLAIN, budget=40.0, notes=notes))[0]
    assert text == "Give it more time: in 40 s it could train for 26 steps of 216."
    assert "--budget 360s" in command  # 40 s * 216 / 26 = 332 s, up to whole minutes
    nearly = ("tune: ended after 85 of 100 steps, so that the budget is kept",)
    assert told(replace(PLAIN, budget=40.0, notes=nearly)) == told(PLAIN)


def test_a_pretrained_base_where_none_is_named() -> None:
    warning = DataWarning("base", "No pretrained base for images is named: --base image=FOLDER.")
    for warned in (True, False):
        said = told(replace(PLAIN, warnings=(warning,)), warned=warned)
        assert said[0] == ("No pretrained base for images is named: --base image=FOLDER.", "")


def test_doubled_rows_come_first_where_they_are_many_of_those_that_measure() -> None:
    many = DataWarning("duplicates", "12 of 120 test rows (10 %) also stand in train.", tuple(range(12)))
    assert told(replace(PLAIN, warnings=(many,)))[0] == (many.message, "")
    for other in (replace(many, rows=(1, 2)), replace(many, message="12 of 120 validation rows also stand in train.")):
        assert told(replace(PLAIN, warnings=(other,))) == told(PLAIN)


def test_python_is_told_what_to_add() -> None:
    report = replace(PLAIN, asked="", budget=60.0, rows_used=1, rows_total=2)
    assert told(report)[0][1] == "gw.fit(…, budget=120)"


def test_a_leak_comes_first_and_its_column_goes() -> None:
    leak = DataWarning("leak", "The column 'paid on' alone predicts label.", columns=("paid on",))
    (first, *_) = told(replace(PLAIN, warnings=(leak,)))
    assert first[0] == "The column 'paid on' alone predicts label."
    assert shlex.split(first[1])[-4:-2] == ["--ignore", "paid on"]


ACCURACY = METRICS["accuracy"]


def test_an_input_that_harms_is_to_be_left_out() -> None:
    harms = Contribution("note", ("note",), 0.80, 0.85, Interval(-0.05, -0.08, -0.02), ACCURACY, learned=True)
    helps = Contribution("text", ("text",), 0.80, 0.60, Interval(0.2, 0.1, 0.3), ACCURACY, learned=True)
    unsure = Contribution("x", ("x",), 0.80, 0.81, Interval(-0.01, -0.03, 0.01), ACCURACY, learned=True)
    text, command = told(replace(PLAIN, inputs=(helps, unsure, harms)))[0]
    assert text == "Leave out 'note': without it the accuracy was 85.0 % in place of 80.0 %."
    assert "--ignore note" in command
    assert not any("Leave out" in text for text, _ in told(replace(PLAIN, inputs=(helps, unsure))))


@pytest.mark.parametrize("given", [["--join", "note+title"], ["--join=note+title"]])
def test_a_column_to_ignore_leaves_its_join(given: list[str]) -> None:
    asked = shlex.join(["graft", "fit", "a.csv", *given, "--join", "a+b", "--target", "label", "--out", "runs/a"])
    leak = DataWarning("leak", "'note' gives the target away.", columns=("note",))
    _, command = told(replace(PLAIN, asked=asked, folder="runs/a", warnings=(leak,)))[0]
    assert "note+title" not in command
    assert "--join a+b --target label --ignore note" in command


def test_labels_to_look_at_and_classes_to_label() -> None:
    report = replace(
        PLAIN,
        evaluations={"test": of_classes({"a": (60, 55), "b": (10, 2)})},
        suspects=(Suspect(7, "a", "b", 0.97),) * 23,
        training_rows={"a": 500, "b": 9},
        sources={"validation": "train.csv"},
    )
    said = [text for text, _ in told(report)]
    assert said[0].startswith(
        "Look at 23 rows of train.csv whose label may be wrong: the report lists them, the likeliest first"
    )
    assert said[1] == "Label more rows of the classes it mostly misses and has few rows of: 'b' (9)."
    assert len(said) == 3


def test_a_warned_model_gives_no_findings() -> None:
    report = replace(PLAIN, suspects=(Suspect(7, "a", "b", 0.97),), reads=("text",))
    said = told(report, warned=True)
    assert said[0][0].startswith("Look at ten rows yourself: could you tell 'label' from 'text'?")
    assert said[1][1] == "graft list bases"


@pytest.mark.parametrize("warned", [True, False])
def test_never_more_than_three(warned: bool) -> None:
    leak = DataWarning("leak", "x", columns=("x",))
    report = replace(
        PLAIN,
        evaluations={"validation": of_classes({"a": (60, 55), "b": (10, 2)})},
        warnings=(leak,),
        budget=1.0,
        rows_used=1,
        rows_total=2,
        suspects=(Suspect(7, "a", "b", 0.97),),
        training_rows={"b": 3},
    )
    assert len(told(report, warned=warned)) == 3


def test_what_a_model_of_identities_is_for() -> None:
    report = replace(PLAIN, primary="eer", evaluations={"test": identity_evaluation()})
    assert told(report)[-1][1].startswith("graft enroll 'runs/my model' KNOWN.csv")


NAMED = replace(PLAIN, plan=(("technique", "losses"), ("lora", ""), ("mixup", "x")))


def test_techniques_that_were_named_can_be_looked_at_one_by_one() -> None:
    step = ablation_step(NAMED)
    assert step is not None
    assert step.text == "See what 'lora' and 'mixup' brought: runs with and without each."
    assert step.command == "graft ablate 'runs/my model'"
    assert NAMED.summary.lines()[-1] == f"{step.text} {step.command}"
    assert step.text in NAMED.to_html().replace("&#39;", "'")
    assert Summary.from_json(NAMED.summary.to_json()) == NAMED.summary


def test_an_ablation_is_told_which_code_it_may_import() -> None:
    step = ablation_step(replace(NAMED, folder="runs/a", code=("rewards",)))
    assert step is not None
    assert step.command == "graft ablate runs/a --allow-code rewards"


def test_without_techniques_of_ones_own_there_is_nothing_to_leave_out() -> None:
    assert ablation_step(PLAIN) is None
    chosen = replace(
        NAMED, candidates=(Candidate("probe", 0.9, 1.0, False, ""), Candidate("tune", 0.95, 9.0, True, ""))
    )
    assert ablation_step(chosen) is None
    assert ablation_step(replace(NAMED, candidates=(Candidate("probe", 0.9, 1.0, True, ""),))) is None
