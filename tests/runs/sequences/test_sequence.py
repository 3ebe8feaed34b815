"""Sequences: steps of a YAML file or a list, each on the models of earlier ones; resumed at their step."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import graft, write_rows
from graftwork.errors import ModelError, RefusedError, UsageError
from graftwork.runs.listener import Listener
from graftwork.runs.sequences import sequence
from graftwork.runs.sequences.sequence import Finished, run_sequence, summary
from graftwork.runs.sequences.step_checks import checked
from graftwork.runs.sequences.steps import PseudoLabels, Step, read_steps, resolved
from tiny import tiny_rows

YAML = """
data:
  train: train.csv
  target: label
steps:
  - name: teacher
    recipe: {base: "cnn:width=8,widths=2", techniques: [], training: {steps: 20, lr: 1e-2, precision: fp32}}
  - name: student
    unlabelled: more.csv
    recipe:
      base: gru:width=8
      techniques: [{distil: {teacher: teacher, temperature: 3}}]
      training: {steps: 3, precision: fp32}
  - name: further
    recipe: {base: student, techniques: [], training: {steps: 3, precision: fp32}}
  - name: self
    unlabelled: more.csv
    pseudo_labels: {model: teacher, threshold: 0.4, balance: true, rounds: 2}
    recipe: {base: "gru:width=8", techniques: [], training: {steps: 3, precision: fp32}}
"""
FIRST = "  - name: teacher\n    recipe: {base: 'gru:width=8', techniques: [], training: {steps: 1, precision: fp32}}\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_rows(Path("train.csv"), tiny_rows(48))
    write_rows(Path("more.csv"), [(text,) for text, _ in tiny_rows(90)[48:]], header=("text",))
    Path("seq.yaml").write_text(YAML, encoding="utf-8")
    return tmp_path


def written(steps: str, data: str = "  train: train.csv\n  target: label\n") -> Path:
    Path("seq.yaml").write_text(f"data:\n{data}steps:\n{steps}", encoding="utf-8")
    return Path("seq.yaml")


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_each_step_builds_on_earlier_ones() -> None:
    done = run_sequence("seq.yaml", out="out")
    assert [one.name for one in done] == ["teacher", "student", "further", "self-1", "self-2"]
    recipes = {one.name: one.model.recipe.to_dict() for one in done}
    assert recipes["student"]["techniques"] == [{"distil": {"teacher": "out/teacher", "temperature": 3.0}}]
    assert recipes["further"]["base"] == "tuned-text:path=out/student"
    assert all((one.folder / "report.html").is_file() for one in done)
    labels = pd.read_csv("out/self-1.pseudo-labels.csv")
    predicted = done[0].model.predict(pd.read_csv("more.csv"))
    assert len(labels)
    assert list(labels.label) == list(predicted[labels.row - 1])
    report = (done[3].folder / "report.html").read_text(encoding="utf-8")
    assert f"labelled by a model: {len(labels)} rows of more.csv" in report.replace("<wbr>", "")
    head, *rows = summary(done)
    assert head[0] == "step"
    assert [row[0] for row in rows] == [one.name for one in done]
    assert all("Accuracy" in row[4] and " to " in row[4] for row in rows)
    shown = Path("out/summary.md").read_text(encoding="utf-8")
    assert all(f"| {one.name} |" in shown for one in done)


@pytest.mark.usefixtures("place")
def test_it_starts_from_the_tuned_encoder() -> None:
    steps = [
        Step(
            name=name,
            data=gw.DataArguments(train="train.csv", target="label"),
            recipe=gw.Recipe(base=base, techniques=[], training=gw.Training(steps=0, precision="fp32")),
        )
        for name, base in (("first", "gru:width=8"), ("second", "first"))
    ]
    first, second = run_sequence(steps, out="out")
    weights = [dict(one.model.network.encoder("text").state_dict()) for one in (first, second)]
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert second.model.network.encoder("text").tokenizer.fingerprint


class Stopping(Listener):
    """Presses Ctrl-C in a step of the sequence, once some training steps are done."""

    def __init__(self, step: str, after: int) -> None:
        self.step, self.after, self.now = step, after, ""
        self.begun: list[str] = []

    def note(self, text: str) -> None:
        if text.startswith("step "):
            self.now = text.rpartition(": ")[2]
            self.begun.append(self.now)

    def stepped(self, _: str, progress: Any) -> None:
        if self.now == self.step and progress.step == self.after:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.usefixtures("place")
def test_it_goes_on_at_its_step() -> None:
    whole = run_sequence("seq.yaml", out="whole")
    stopped = run_sequence("seq.yaml", out="out", listener=Stopping("further", 2))
    assert [one.name for one in stopped] == ["teacher", "student", "further"]
    assert stopped[-1].interrupted
    listener = Stopping("", 0)
    resumed = run_sequence("seq.yaml", out="out", resume=True, listener=listener)
    assert listener.begun == ["further", "self-1", "self-2"]
    for one, other in zip(whole, resumed, strict=True):
        assert (one.name, one.scores, one.interrupted) == (other.name, other.scores, False)
        weights = [dict(each.model.network.state_dict()) for each in (one, other)]
        assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])
    again = run_sequence("seq.yaml", out="out", resume=True, listener=(seen := Stopping("", 0)))
    assert not seen.begun
    assert [one.scores for one in again] == [one.scores for one in resumed]


@pytest.mark.usefixtures("place")
def test_a_step_that_is_done_must_not_change() -> None:
    written(FIRST)
    run_sequence("seq.yaml", out="out")
    written(FIRST.replace("width=8", "width=10"))
    with pytest.raises(UsageError, match="The step teacher is done, and has been changed since"):
        run_sequence("seq.yaml", out="out", resume=True)
    shutil.rmtree("out/teacher")  # what is not there any more is run again
    assert len(run_sequence("seq.yaml", out="out", resume=True)) == 1


@pytest.mark.usefixtures("place")
def test_folders_that_hold_something_else() -> None:
    written(FIRST)
    Path("other").mkdir()
    Path("other/note.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises(UsageError, match="other holds something that is not a sequence"):
            run_sequence("seq.yaml", out="other", resume=resume)
    with pytest.raises(UsageError, match=r"train.csv is a file. Name a folder"):
        run_sequence("seq.yaml", out="train.csv")
    run_sequence("seq.yaml", out="out")
    with pytest.raises(UsageError, match="out holds a sequence"):
        run_sequence("seq.yaml", out="out")
    Path("out/sequence.json").write_text("{")
    with pytest.raises(UsageError, match=r"sequence.json is damaged"):
        run_sequence("seq.yaml", out="out", resume=True)


@pytest.mark.usefixtures("place")
def test_a_first_step_that_failed_before_it_began_can_be_mended() -> None:
    written(FIRST, "  train: train.csv\n  target: lable\n")
    for resume in (False, False, True):
        with pytest.raises(UsageError, match=r"^seq.yaml, step teacher: .*lable"):
            run_sequence("seq.yaml", out="out", resume=resume)
    written(FIRST)
    Path("out/teacher/.work").mkdir(parents=True)  # begun, so that there is something to lose
    with pytest.raises(UsageError, match=r"out holds a sequence. Add --resume"):
        run_sequence("seq.yaml", out="out")
    shutil.rmtree("out/teacher")
    assert [one.name for one in run_sequence("seq.yaml", out="out")] == ["teacher"]


@pytest.mark.usefixtures("place")
def test_no_steps_are_refused_and_leave_no_folder() -> None:
    with pytest.raises(UsageError, match=r"The sequence has no steps. Expected one or more"):
        run_sequence([], out="out")
    written("  []\n")
    with pytest.raises(UsageError, match=r"'steps' is .*Expected a list of steps"):
        run_sequence("seq.yaml", out="out")
    assert not Path("out").exists()


REFUSED = [
    ("- {recipe: {}}", "^seq.yaml, step 1: it has no name. Expected one of letters"),
    ("- {name: a/b}", "^seq.yaml, step a/b: it is named 'a/b'. Expected a name of letters"),
    ("- {name: gru}", "which is the name of a base"),
    ("- {name: a}\n  - {name: a}", "^seq.yaml, step a: 2 steps are named 'a'"),
    ("- {name: a, trian: x.csv}", "^seq.yaml, step a has an unknown entry 'trian'. Did you mean 'train'"),
    (
        "- {name: a, train: missing.csv}",
        "^seq.yaml, step a: there is no file missing.csv. Paths start where the command runs",
    ),
    ("- {name: a, unlabelled: no.csv}", "there is no file no.csv"),
    ("- {name: a, recipe: {base: b}}\n  - {name: b}", "^seq.yaml, step a: base names the step 'b', which is not"),
    ("- {name: a, recipe: {base: grru}}", "^seq.yaml, step a: Unknown base 'grru'"),
    ("- {name: aim}\n  - {name: b, recipe: {base: aims}}", "step b: Unknown base 'aims', and .* Did you mean 'aim'"),
    ("- {name: a, recipe: {base: 'x:1'}}", "^seq.yaml, step a: base 'x:1': settings are written"),
    ("- {name: a, recipe: {techniques: ['distil:teacher=a']}}", "teacher names the step itself. A step can't"),
    ("- {name: a, recipe: {techniques: ['distil:teacher=nobody']}}", "'nobody', which is neither an earlier step nor"),
    (
        "- {name: a, recipe: {techniques: [distill]}}",
        "^seq.yaml, step a: Unknown technique 'distill'. Did you mean 'distil'",
    ),
    ("- {name: a, recipe: {techniques: ['fgm:epsilon=5']}}", "^seq.yaml, step a: fgm: epsilon is 5"),
    ("- {name: a, recipe: missing.yaml}", "^seq.yaml, step a: There is no recipe file missing.yaml"),
    ("- {name: a, pseudo_labels: {model: b}}", "names the model 'b', which is no earlier step"),
    ("- {name: b}\n  - {name: a, pseudo_labels: {model: b}}", "needs rows to label. Add unlabelled: TABLE"),
    ("- {name: a, pseudo_labels: {model: b, threshold: 2}}", "^seq.yaml, step a: pseudo_labels: threshold is 2.0"),
    ("- {name: a, pseudo_labels: {model: b, rounds: 0}}", "rounds is 0"),
    ("- {name: a, pseudo_labels: {threshold: 0.5}}", "model"),
    ("- {name: a, pseudo_labels: yes}", "Expected names and values"),
    ("- {name: a, budget: soon}", "'budget' .seconds. is 'soon'"),
    ("- {name: a, on_bad_rows: leave}", "leave"),
    ("- name", "step 1 is 'name'. Expected names and values"),
    ("  {}", "Expected a list of steps"),
]


@pytest.mark.parametrize(("steps", "reason"), REFUSED)
@pytest.mark.usefixtures("place")
def test_what_can_not_be_meant_is_refused_before_anything_runs(steps: str, reason: str) -> None:
    file = written(f"  {steps}\n")
    with (
        mock.patch.object(sequence, "fit_data", side_effect=AssertionError("trained")),
        pytest.raises((UsageError, ModelError), match=reason),
    ):
        run_sequence(file, out="out")


@pytest.mark.usefixtures("place")
def test_files_that_are_no_sequence() -> None:
    for text, reason in (
        ("steps: [", "not valid YAML"),
        ("- a", "^seq.yaml is no sequence: expected YAML with `data:` and `steps:`.$"),
        ("text,label\n" + "the cat is here,animals\n" * 80, "^seq.yaml is no sequence: expected YAML"),
        ("", "^seq.yaml is no sequence: expected YAML"),
        (f"steps: {'word ' * 80}", "'steps' is .{10,60}…. Expected a list"),
        ("{}", "'steps' is None"),
    ):
        Path("seq.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=reason):
            read_steps("seq.yaml")
    with pytest.raises(UsageError, match=r"There is no sequence file no.yaml"):
        read_steps("no.yaml")
    written("  - {name: a}\n", data="  target: label\n")
    with pytest.raises(UsageError, match=r"^seq.yaml, step a has no training table"):
        read_steps("seq.yaml")
    written("  - {name: a}\n", data="  trains: label\n")
    with pytest.raises(UsageError, match="'data' has an unknown entry 'trains'"):
        read_steps("seq.yaml")


@pytest.mark.usefixtures("place")
def test_a_teacher_with_other_labels_is_refused_at_its_step() -> None:
    write_rows(Path("others.csv"), [(text, label.upper()) for text, label in tiny_rows(48)])
    small = "training: {steps: 1, precision: fp32}"
    written(
        FIRST + "  - {name: student, train: others.csv, recipe: {base: 'gru:width=8', "
        f"techniques: ['distil:teacher=teacher'], {small}}}}}\n"
    )
    with pytest.raises(
        RefusedError, match=r"^seq.yaml, step student: The teacher out.teacher has other labels than 'label'"
    ):
        run_sequence("seq.yaml", out="out")
    assert (Path("out") / "teacher" / "model.json").is_file()


@pytest.mark.usefixtures("place")
def test_data_are_those_of_all_steps_unless_a_step_says_otherwise() -> None:
    written("  - {name: a}\n  - {name: b, train: more.csv, target: null}\n", "  train: train.csv\n  target: label\n")
    first, second = read_steps("seq.yaml")
    assert (first.data.train, first.data.target) == ("train.csv", "label")
    assert (second.data.train, second.data.target) == ("more.csv", None)


def test_rounds_ask_the_round_before(tmp_path: Path) -> None:
    table = pd.DataFrame(tiny_rows(9), columns=["text", "label"])
    data = gw.DataArguments(train=table, unlabelled=table)
    first = Step(name="first", data=data)
    pseudo = Step(name="more", data=data, pseudo_labels=PseudoLabels(model="first", rounds=3))
    last = Step(
        name="last", data=data, recipe=gw.Recipe(base={"text": "more:input=text"}, techniques=[gw.Distil("more")])
    )
    steps = checked([first, pseudo, last])
    assert [step.name for step in steps] == ["first", "more-1", "more-2", "more-3", "last"]
    asked = [step.pseudo_labels.model for step in steps if step.pseudo_labels]
    assert asked == ["first", "more-1", "more-2"]
    recipe = resolved(steps[-1], {"more-3": tmp_path / "more-3"})
    assert recipe.base == {"text": f"{tmp_path}/more-3:input=text"}
    assert recipe.listed[0].teachers == (f"{tmp_path}/more-3",)


def test_a_summary_without_a_score(tmp_path: Path) -> None:
    one = Finished("a", tmp_path, "gru", "plain loop", (), 1.2)
    assert summary([one])[1] == ("a", "gru", "plain loop", "", "no rows to score on", "1")
    assert replace(one, interrupted=True).interrupted


# --- the command line -----------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("place")
def test_graft_run() -> None:
    written(FIRST)
    ran = graft("run", "seq.yaml", "--out", "out").works()
    assert "Accuracy" in ran.out
    assert "summary: out/summary.md" in ran.out
    graft("run", "seq.yaml", "--out", "out").fails(2, "Add --resume")
    assert "teacher: done before" in graft("run", "seq.yaml", "--out", "out", "--resume").works().err
    graft("run", "no.yaml", "--out", "new").fails(2, "There is no sequence file no.yaml")
    assert not Path("new").exists()
    report = (Path("out") / "teacher" / "report.html").read_text(encoding="utf-8")
    assert "graft run seq.yaml --out out" in report


@pytest.mark.usefixtures("place")
def test_graft_run_stopped() -> None:
    written(FIRST)
    finished = Finished("teacher", Path("out/teacher"), "gru", "plain loop", (), 1.0, True)
    with mock.patch.object(sequence, "_run", return_value=finished):
        ran = graft("run", "seq.yaml", "--out", "out")
    ran.fails(130, "Stopped in step teacher. Go on with the same command and --resume")
    assert json.loads(Path("out/sequence.json").read_text(encoding="utf-8")) == {}
