"""graftwork.runs.tune.folder: what a process leaves that is ended before it has made its study is in nobody's way."""

from __future__ import annotations

from pathlib import Path

import pytest

from graftwork.errors import UsageError
from graftwork.runs.tune.folder import BEFORE, FOLDER, TRIALS, holds_study, open_folder, removed_if_refused
from graftwork.runs.tune.study.identity import STUDY


def study(folder: Path, text: str = "{}") -> Path:
    (folder / TRIALS).mkdir(parents=True)
    (folder / STUDY).write_text(text, encoding="utf-8")
    return folder


def test_an_old_study_is_back_after_a_kill_beside_new(tmp_path: Path) -> None:
    study(tmp_path / BEFORE, "old")
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "bases.json").write_text("{}", encoding="utf-8")
    assert open_folder(tmp_path, resume=True, new=False) == tmp_path / FOLDER
    assert (tmp_path / FOLDER / STUDY).read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]


def test_once_there_is_a_new_study_the_old_one_is_gone(tmp_path: Path) -> None:
    study(tmp_path / BEFORE, "old")
    study(tmp_path / FOLDER, "new")
    open_folder(tmp_path, resume=True, new=False)
    assert (tmp_path / FOLDER / STUDY).read_text(encoding="utf-8") == "new"
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]


def test_decisions_of_a_study_that_never_was_are_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "rows.json").write_text("{}", encoding="utf-8")
    open_folder(tmp_path, resume=False, new=False)
    assert not (tmp_path / FOLDER).exists()


@pytest.mark.parametrize("name", [f"{TRIALS}/0000/trial.json", "notes.txt"])
def test_what_is_no_decision_is_left_alone(tmp_path: Path, name: str) -> None:
    kept = tmp_path / FOLDER / name
    kept.parent.mkdir(parents=True)
    kept.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="holds something else"):
        open_folder(tmp_path, resume=False, new=False)
    assert kept.read_text(encoding="utf-8") == "mine"


def test_a_refused_call_leaves_no_decision_in_a_study(tmp_path: Path) -> None:
    folder = study(tmp_path / FOLDER)
    (folder / "bases.json").write_text("{}", encoding="utf-8")

    def refused() -> None:
        with removed_if_refused(folder, new=False):
            (folder / "rows.json").write_text("{}", encoding="utf-8")
            raise UsageError("refused")

    with pytest.raises(UsageError, match="refused"):
        refused()
    assert sorted(path.name for path in folder.iterdir()) == ["bases.json", STUDY, TRIALS]


def test_a_study_that_new_takes_the_place_of_is_kept_until_there_is_another(tmp_path: Path) -> None:
    folder = study(tmp_path / FOLDER, "old")
    with removed_if_refused(folder, new=True):
        assert holds_study(tmp_path) is False
        assert (tmp_path / BEFORE / STUDY).is_file()
        study(folder, "new")
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]
    assert (folder / STUDY).read_text(encoding="utf-8") == "new"
