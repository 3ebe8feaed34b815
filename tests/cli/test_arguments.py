"""graftwork.cli.arguments: what options mean."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from graftwork.cli.arguments import free_folder, pairs_of, repeat_command, seconds_of, show_warning
from graftwork.errors import UsageError


def test_times() -> None:
    assert [seconds_of(text) for text in ("60s", "5m", "1h", "7", "0.5m")] == [60, 300, 3600, 7, 30]
    for text in ("", "s", "-1s", "0", "nan", "inf", "5d", "1:30"):
        with pytest.raises(UsageError, match="60s, 5m or 1h"):
            seconds_of(text)


def test_pairs() -> None:
    assert pairs_of(None, "--set") == {}
    assert pairs_of(["lr=1", "a=b=c"], "--set") == {"lr": "1", "a": "b=c"}
    for item in ("lr", "=1", "lr="):
        with pytest.raises(UsageError, match=r"--set .*NAME=VALUE"):
            pairs_of([item], "--set")


def test_a_new_folder_for_each_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert free_folder([Path("x/train.csv.gz")], False) == Path("runs/train")
    Path("runs/train").mkdir(parents=True)
    assert free_folder([Path("train.csv")], False) == Path("runs/train-2")


def test_the_repeat_command_keeps_the_data_and_names_the_recipe() -> None:
    given = "fit my.csv --target=label --with lora --set lr=1 --budget=5m --seed 3 --resume --on-bad-rows skip --out o"
    found = shlex.split(repeat_command(shlex.split(given), Path("o")))
    kept = ["graft", "fit", "my.csv", "--target=label", "--on-bad-rows", "skip"]
    assert found == [*kept, "--recipe", "o/recipe.yaml", "--out", "o-again"]


def test_warnings_are_shown_without_the_line_that_gave_them(capsys: pytest.CaptureFixture[str]) -> None:
    show_warning(UserWarning("rows lack a photo"), UserWarning, "model.py", 7)
    show_warning("old name", DeprecationWarning, "model.py", 7)
    assert capsys.readouterr().err == "warning: rows lack a photo\n"
