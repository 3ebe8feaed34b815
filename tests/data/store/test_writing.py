"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graftwork.data.store.locks import claimed
from graftwork.data.store.writing import clean, clean_beside, is_own, remove, replacing, temporary_name, write_text
from graftwork.errors import UsageError


def test_a_failed_write_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    write_text(path, "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]


def test_the_umask_decides_who_may_read(tmp_path: Path) -> None:
    for mask, mode in ((0o077, 0o600), (0o027, 0o640), (0o022, 0o644)):
        before = os.umask(mask)
        try:
            write_text(tmp_path / "a", "x")
            with replacing(tmp_path / "b") as temporary:
                temporary.chmod(0o400)
        finally:
            os.umask(before)
        assert {(tmp_path / name).stat().st_mode & 0o777 for name in "ab"} == {mode}


def test_a_planted_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "out").symlink_to("mine")
    write_text(tmp_path / "out", "new")
    assert (tmp_path / "mine").read_text() == "precious"
    assert (tmp_path / "out").read_text() == "new"


def test_temporary_names_differ_and_are_known_again(tmp_path: Path) -> None:
    names = {temporary_name(tmp_path / "x.csv").name for _ in range(50)}
    assert len(names) == 50
    assert all(is_own(name) for name in names)
    assert not is_own(".x.csv.partial")
    assert not is_own("x.graft-0123456789abcdef")
    for name in names:
        (tmp_path / name).write_text("")
    (tmp_path / "y.csv").write_text("mine")
    (temporary_name(tmp_path / "z.csv")).write_text("another's")
    clean_beside(tmp_path / "x.csv")
    assert len(list(tmp_path.iterdir())) == 2
    clean(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["y.csv"]


def test_a_folder_loses_its_name_before_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a").write_text("")
    monkeypatch.setattr("shutil.rmtree", lambda *_, **__: None)
    remove(tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
    monkeypatch.undo()
    clean_beside(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []
    remove(tmp_path / "folder")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_or_a_device_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "out.csv"
    os.mkfifo(pipe)
    (tmp_path / "link.csv").symlink_to(pipe)
    for name in ("out.csv", "link.csv"):
        with pytest.raises(UsageError, match="a pipe or a socket"), claimed(tmp_path / name):
            pass
    with pytest.raises(UsageError, match="a pipe or a socket"):
        write_text(pipe, "new")
    assert pipe.is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "out.csv"]
