"""graftwork.data.store.staging: a set of files appears at once, wherever the process is stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from graftwork.data.store import writing
from graftwork.data.store.staging import settle, staged

LAST = "model.json"


class Killed(BaseException):
    """Stands for the end of the process."""


def put(folder: Path, version: str) -> None:
    with staged(folder, LAST) as place:
        (place / LAST).write_text(version)
        (place / "weights").write_text(version)
        (place / "encoder").mkdir()
        (place / "encoder" / "words").write_text(version)


def found(folder: Path) -> set[str]:
    """What the set of files says; one version, if it is whole."""
    return {(folder / name).read_text() for name in (LAST, "weights", "encoder/words")}


def killed_at(count: int, monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    """The process ends at the `count`-th rename or removal, and does nothing more."""
    calls = 0

    def act(call: Callable[..., None], *paths: Path) -> None:
        nonlocal calls
        calls += 1
        if calls > count:
            raise Killed
        if calls == count and not after:
            raise Killed
        call(*paths)
        if calls == count:
            raise Killed

    monkeypatch.setattr(writing, "act", act)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("count", range(1, 16))
def test_a_stop_at_any_rename_or_removal(
    count: int, after: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    put(folder, "old")
    (folder / "notes.txt").write_text("mine")
    with monkeypatch.context() as patched:
        killed_at(count, patched, after=after)
        try:
            put(folder, "new")
            ended = True
        except Killed:
            ended = False
    settle(folder, LAST)
    assert found(folder) in ({"old"}, {"new"})
    assert not ended or found(folder) == {"new"}
    assert (folder / "notes.txt").read_text() == "mine"
    put(folder, "newest")
    assert found(folder) == {"newest"}
    assert {path.name for path in folder.iterdir()} == {LAST, "weights", "encoder", "notes.txt"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing is left over"


def test_the_stops_above_cover_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "out", "old")
    counted: list[tuple[Path, ...]] = []
    monkeypatch.setattr(writing, "act", lambda call, *paths: (counted.append(paths), call(*paths)))
    put(tmp_path / "out", "new")
    assert 5 <= len(counted) < 15


def test_links_are_replaced_and_not_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    (outside / "words").write_text("precious")
    (outside / "file").write_text("precious")
    folder.mkdir()
    (folder / "encoder").symlink_to(outside)
    (folder / "weights").symlink_to(outside / "file")
    put(folder, "new")
    assert found(folder) == {"new"}
    assert {path.read_text() for path in outside.iterdir()} == {"precious"}


def test_a_link_to_the_folder_stays_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    put(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert found(tmp_path / "real") == {"new"}
    monkeypatch.chdir(tmp_path / "real")
    put(Path(), "newer")
    assert found(tmp_path / "real") == {"newer"}
    assert {path.name for path in tmp_path.iterdir()} == {"real", "link"}


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    put(tmp_path / "out", "old")

    def fail() -> None:
        with staged(tmp_path / "out", LAST) as place:
            (place / LAST).write_text("new")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert found(tmp_path / "out") == {"old"}
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
