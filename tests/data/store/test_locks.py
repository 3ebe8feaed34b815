"""graftwork.data.store.locks: one writer at a time, and a dead one blocks nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from graftwork.data.store.locks import claimed, settled
from graftwork.data.store.staging import STAGED
from graftwork.errors import DataError, UsageError

HOLD = """
import sys
from graftwork.data.store.locks import claimed, settled
from graftwork.data.store.staging import STAGED
with claimed(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """Another process that holds `path` until its input ends."""
    running = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "held\n"
    return running


def test_another_process_is_refused_at_once(tmp_path: Path) -> None:
    running = holder(tmp_path / "out")
    with pytest.raises(UsageError, match=f"out is being written by process {running.pid}"), claimed(tmp_path / "out"):
        pass
    with claimed(tmp_path / "other"):
        pass
    running.communicate("")
    with claimed(tmp_path / "out"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_process_blocks_nobody(tmp_path: Path) -> None:
    running = holder(tmp_path / "out")
    running.kill()
    running.communicate()
    assert len(list(tmp_path.iterdir())) == 1, "its lock is still there"
    with claimed(tmp_path / "out"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_threads_and_calls_within(tmp_path: Path) -> None:
    found: list[str] = []

    def try_it() -> None:
        try:
            with claimed(tmp_path / "out"):
                found.append("had")
        except UsageError:
            found.append("refused")

    with claimed(tmp_path / "out"), claimed(tmp_path / "out"):
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    try_it()
    assert found == ["refused", "had"]


def test_another_name_of_the_same_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    running = holder(tmp_path / "link")
    with pytest.raises(UsageError), claimed(tmp_path / "real"):
        pass
    running.communicate("")


def test_folders_are_made_and_left_as_they_were(tmp_path: Path) -> None:
    with claimed(tmp_path / "a" / "b" / "out"):
        assert (tmp_path / "a" / "b").is_dir()
    assert list(tmp_path.iterdir()) == []
    with claimed(tmp_path / "a" / "b"):
        (tmp_path / "a" / "kept").write_text("")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["kept"]


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    with claimed(tmp_path / "out"):
        name = next(path.name for path in tmp_path.iterdir() if path.name != "mine")
    (tmp_path / name).symlink_to("mine")
    with pytest.raises((DataError, OSError)), claimed(tmp_path / "out"):
        pass
    assert (tmp_path / "mine").read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_in_one_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    tmp_path.chmod(0o555)
    try:
        with claimed(tmp_path / "out"), pytest.raises(UsageError):
            holder(tmp_path / "out")
    finally:
        tmp_path.chmod(0o755)


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="can't be written"), claimed(tmp_path / "file" / "out"):
        pass


def test_a_reader_waits_for_a_writer_and_finishes_for_a_dead_one(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / STAGED).mkdir(parents=True)
    (folder / STAGED / "model.json").write_text("new")
    running = holder(folder)
    with pytest.raises(UsageError, match="is being written"):
        settled(folder, "model.json", seconds=0.2)
    assert (folder / STAGED / "model.json").is_file(), "it is the writer's to move"
    running.kill()
    running.communicate()
    settled(folder, "model.json")
    assert (folder / "model.json").read_text() == "new"
    assert [path.name for path in folder.iterdir()] == ["model.json"]
