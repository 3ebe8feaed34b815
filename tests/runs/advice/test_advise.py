"""graftwork.advise: what is advised for a run with wrong labels, mixed-up classes, an ablation, another base."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import QUICK, graft, write_rows
from graftwork.errors import DataError, UsageError
from graftwork.evidence.advice.advice import Advice
from graftwork.runs.advice import bases
from graftwork.runs.advice.commands import Commands
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.listener import Listener
from tiny import tiny_bert, tiny_rows

ROWS, WRONG = 300, 12


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts by topic, of which some have a wrong label; two classes that nobody can tell apart ("food" and "meals")."""
    folder = tmp_path_factory.mktemp("advice")
    rng, rows = np.random.default_rng(0), []
    for at, (text, label) in enumerate(tiny_rows(ROWS)):
        mixed = label if label != "food" else str(rng.choice(["food", "meals"]))
        rows.append((text, "animals" if at < 3 * WRONG and label == "weather" else mixed, f"shop {at % 2}"))
    return write_rows(folder / "rows.csv", rows, ("text", "label", "shop"))


@pytest.fixture(scope="module")
def run(table: Path, base: Path) -> Path:
    call = ("fit", table, "--target", "label", "--inputs", "text", "--base", base, *QUICK, "--set", "lr=1e-4")
    graft(*call, "--out", table.parent / "run").works()
    return table.parent / "run"


@pytest.fixture(scope="module")
def found(run: Path) -> Advice:
    return gw.advise(run, listener=Listener())


def about(found: Advice, kind: str) -> list[str]:
    return [one.text for one in found.items if one.about == kind]


@pytest.mark.slow
def test_labels_in_doubt_are_those_that_are_wrong(found: Advice) -> None:
    (one,) = [one for one in found.items if one.about == "labels"]
    wrong = {at + 1 for at, (_, label) in enumerate(tiny_rows(ROWS)) if at < 3 * WRONG and label == "weather"}
    named = {note.row for note in one.rows if note.suggested == "weather"}
    assert len(named & wrong) >= len(wrong) // 2  # some of them are held out, and not looked at
    assert len(named - wrong) <= 2
    assert one.gain is not None
    assert one.command.startswith("graft profile ")


@pytest.mark.slow
def test_classes_that_can_not_be_told_apart_are_to_be_joined(found: Advice) -> None:
    one = next(one for one in found.items if one.text.startswith("Join the classes"))
    assert "'food' and 'meals'" in one.text
    assert one.easier
    assert one.gain is not None
    assert one.gain.value > 0.05
    assert all({"food", "meals"} & set(note.reason.split("'")) for note in one.rows)


@pytest.mark.slow
def test_more_rows_have_a_forecast_or_say_why_not(found: Advice) -> None:
    assert about(found, "rows") or any("more" in note for note in found.notes)


def test_noise_speaks_for_a_loss_and_the_command_measures_it(found: Advice, run: Path) -> None:
    one = next(one for one in found.items if "generalised-cross-entropy" in one.text)
    assert one.gain is None
    assert f"graft ablate {run} --with generalised-cross-entropy" in one.command


@pytest.mark.slow
def test_the_command_line_says_the_same(found: Advice, run: Path) -> None:
    assert json.loads(graft("advise", run, "--json").works().out) == json.loads(json.dumps(found.to_json()))
    out = graft("advise", run).works().out
    assert "1. " in out
    assert "gain: " in out


@pytest.mark.slow
def test_an_ablation_in_the_folder_counts(run: Path) -> None:
    finding = {"kind": "technique", "value": 0.02, "low": 0.01, "high": 0.03, "repeats": 10, "settles": 0}
    (run / "ablation").mkdir()
    file = run / "ablation" / "ablation.json"
    findings = [{**finding, "name": "generalised-cross-entropy", "verdict": "helps"}]
    file.write_text(json.dumps({"findings": findings}))
    try:
        advice = gw.advise(run, listener=Listener())
    finally:
        file.unlink()
        file.parent.rmdir()
    named = [one for one in advice.items if "generalised-cross-entropy" in one.text]
    assert [(one.sure, one.gain is not None) for one in named] == [(True, True)]
    assert "--with generalised-cross-entropy" in named[0].command


@pytest.mark.slow
def test_names_in_an_ablation_are_quoted(run: Path) -> None:
    finding = {"kind": "technique", "value": 0.02, "low": 0.01, "high": 0.03, "repeats": 10, "settles": 0}
    (run / "ablation.json").write_text(
        json.dumps({"findings": [{**finding, "name": "x; rm -r {y}", "verdict": "helps"}]})
    )
    try:
        advice = gw.advise(run, listener=Listener())
    finally:
        (run / "ablation.json").unlink()
    assert any("--with 'x; rm -r {y}'" in one.command for one in advice.items)


@pytest.mark.slow
def test_another_base_is_tried_by_its_probe(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: Path
) -> None:
    tiny_bert(tmp_path / "other", hidden_size=64)
    monkeypatch.chdir(tmp_path)
    other = "./other"
    monkeypatch.setattr(bases, "here", lambda modality: [other] if modality == "text" else [])
    advice = gw.advise(run, listener=Listener())
    told = [one.text for one in advice.items if one.about == "base"] + [note for note in advice.notes if "base" in note]
    assert any(f"'{other}'" in one for one in told)
    assert base.name not in "".join(told)


@pytest.mark.slow
def test_a_base_that_can_not_be_loaded_is_said(run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.setattr(bases, "here", lambda _: [str(tmp_path / "empty")])
    advice = gw.advise(run, listener=Listener())
    assert any("could not be tried" in note for note in advice.notes)


@pytest.mark.slow
def test_rows_of_a_pool_are_picked_and_written(run: Path, tmp_path: Path) -> None:
    texts = [text for text, _ in tiny_rows(90)]
    pool = write_rows(tmp_path / "pool.csv", [(text, f"n{at}") for at, text in enumerate(texts)], ("text", "reason"))
    out = tmp_path / "to-label.csv"
    ran = graft("advise", run, "--unlabelled", pool, "--label", "7", "--out", out, "--json").works()
    picked = json.loads(ran.out)["to_label"]
    assert len({one["row"] for one in picked}) == 7
    written = pd.read_csv(out)
    assert written["row"].tolist() == [one["row"] for one in picked]
    assert written["text"].tolist() == [texts[row - 1] for row in written["row"]]
    assert written["reason"].tolist() == [f"n{row - 1}" for row in written["row"]]  # the pool's own column stays
    assert written["reason_"].tolist() == [one["reason"] for one in picked]


def test_a_pool_that_does_not_fit(run: Path, tmp_path: Path) -> None:
    pool = write_rows(tmp_path / "pool.csv", [("a cat", "x")] * 4, ("message", "other"))
    graft("advise", run, "--unlabelled", pool).fails(1, r"pool\.csv has no column 'text'", "Rename")
    graft("advise", run, "--label", "5").fails(2, "--unlabelled")
    graft("advise", run, "--unlabelled", pool, "--label", "0").fails(2, "label is 0")
    graft("advise", run, "--unlabelled", tmp_path / "none.csv").fails(1, r"none\.csv")
    with pytest.raises(UsageError, match="unlabelled"):
        gw.advise(run, out=tmp_path / "to-label.csv")
    graft("advise", run, "--unlabelled", pool, "--out", pool).fails(2, r"pool\.csv")


def test_bad_input(run: Path, table: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not the folder of a run"):
        gw.advise(tmp_path)
    graft("advise", tmp_path).fails(2, "is not the folder of a run")
    moved = table.rename(table.with_name("moved.csv"))
    try:
        graft("advise", run).fails(1, r"rows\.csv", "--data")
        graft("advise", run, "--data", moved, "--json").works()
    finally:
        moved.rename(table)
    changed = table.read_text(encoding="utf-8")
    table.write_text(changed + "one more,food,shop 1\n", encoding="utf-8")
    try:
        with pytest.raises(DataError, match="has changed"):
            gw.advise(run, verbose=False)
    finally:
        table.write_text(changed, encoding="utf-8")


def test_a_command_reads_the_rows_as_the_run_did() -> None:
    data = DataArguments(train="t.csv", target="label", test="test.csv", other="none", on_bad_rows="skip")
    recipe = gw.Recipe(task="ordinal", metric="macro_f1")
    words = Commands(Path("runs/x"), data, recipe).fit().split()
    pairs = set(itertools.pairwise(words))
    assert {("--test", "test.csv"), ("--other", "none"), ("--on-bad-rows", "skip")} < pairs
    assert {("--task", "ordinal"), ("--metric", "macro_f1")} < pairs
    named = Commands(Path("runs/x"), data, gw.Recipe(task={"label": "ordinal"})).fit()
    assert "--task label=ordinal" in named
    assert "--metric" not in named


@pytest.fixture
def numbers(tmp_path: Path) -> Callable[[], Path]:
    def made() -> Path:
        rng = np.random.default_rng(0)
        frame = pd.DataFrame({"x": rng.normal(size=200), "y": rng.normal(size=200)})
        frame.assign(price=frame.x * 2 + 0.1 * frame.y).to_csv(tmp_path / "t.csv", index=False)
        call = ("fit", tmp_path / "t.csv", "--target", "price", "--base", "table-mlp:width=16")
        graft(*call, *QUICK, "--out", tmp_path / "run").works()
        return tmp_path / "run"

    return made


def test_numbers_are_advised_without_classes(numbers: Callable[[], Path]) -> None:
    advice = gw.advise(numbers(), listener=Listener())
    assert not about(advice, "classes")
    assert not about(advice, "labels")
    assert advice.scale.less or advice.scale.display
