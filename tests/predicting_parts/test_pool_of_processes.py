"""graftwork.predicting_parts.pool: each part once, whatever happens to the processes, and none of them is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graftwork.errors import DataError, WorkerError
from graftwork.predicting_parts.pool import PartLost, Pool
from graftwork.progress import Screen

HERE = Path(__file__).parent


class Notes(Screen):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(autouse=True)
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def ends(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether it holds soon."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.05)
    return False


def done(pool: Pool, parts: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    return [reply for _, _, reply in pool.results(parts) if "done" in reply]


def test_each_part_is_done_once_and_all_are_told_the_same() -> None:
    with Pool("fakeworker", 3) as pool:
        pool.tell({"word": "hello"})
        pool.tell({"other": "word"})
        found = done(pool, {part: {} for part in range(40)})
    assert sorted(reply["done"] for reply in found) == list(range(40))
    assert all(reply["square"] == reply["done"] ** 2 and reply["told"] == "hello" for reply in found)
    assert ends(lambda: not any(is_alive(reply["pid"]) for reply in found))


def test_what_a_library_prints_is_no_answer() -> None:
    with Pool("fakeworker", 1) as pool:
        assert [reply["square"] for reply in done(pool, {2: {"do": "print"}, 3: {}})] == [4, 9]


def test_a_killed_worker_is_replaced_its_part_is_done_again_and_the_new_one_is_told_too(tmp_path: Path) -> None:
    parts = {part: {"do": "kill", "mark": str(tmp_path / f"{part}")} if part % 3 == 1 else {} for part in range(9)}
    ear = Notes()
    with Pool("fakeworker", 2, ear) as pool:
        pool.tell({"word": "hello"})
        found = done(pool, parts)
    assert sorted(reply["done"] for reply in found) == list(range(9))
    assert {reply["told"] for reply in found} == {"hello"}
    assert len(ear.notes) == 3
    assert all("killed by signal 9: the last words of a worker" in note for note in ear.notes)


def test_a_part_that_kills_twice_is_given_up() -> None:
    with Pool("fakeworker", 2) as pool, pytest.raises(PartLost, match="part 3: killed by signal 9") as lost:
        done(pool, {part: {"do": "kill always"} if part == 3 else {} for part in range(6)})
    assert lost.value.part == 3


def test_what_a_worker_raises_is_raised_here() -> None:
    with Pool("fakeworker", 1) as pool, pytest.raises(DataError, match=r"^row 3 is bad$"):
        done(pool, {0: {"do": "raise"}})


def test_workers_that_can_not_begin_are_not_started_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKEWORKER", "ends")
    with Pool("fakeworker", 1) as pool, pytest.raises(WorkerError, match=r"3 times \(exit code 1: it can't begin\)"):
        done(pool, {0: {}})


def test_a_file_in_this_folder_is_no_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where PYTHONPATH ends with a colon, as `PYTHONPATH=there:$PYTHONPATH` leaves it."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), ""]))
    for name in ("json", "queue", "fakeworker"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken for a module')")
    monkeypatch.chdir(tmp_path)
    with Pool("fakeworker", 1) as pool:
        assert done(pool, {3: {}})[0]["square"] == 9


def test_none_is_left_when_the_block_fails() -> None:
    pids = list[int]()

    def stopped() -> None:
        with Pool("fakeworker", 1) as pool:
            pids.append(done(pool, {0: {}})[0]["pid"])
            for _ in pool.results({1: {"do": "sleep"}}):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert ends(lambda: not is_alive(pids[0]))


def test_workers_end_when_the_process_that_started_them_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(
        "import pathlib, sys\n"
        "from graftwork.predicting_parts.pool import Pool\n"
        "pool = Pool('fakeworker', 2)\n"
        "pids = [each.popen.pid for each in pool._processes]\n"
        "for _ in pool.results({0: {'do': 'sleep'}, 1: {'do': 'sleep'}}):\n"
        "    if len(pool.at_work()) == 2:\n"
        "        print(*pids, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        pids = list(map(int, driver.stdout.readline().split()))
        assert len(pids) == 2
        assert all(map(is_alive, pids))
        driver.send_signal(signal.SIGKILL)
    assert ends(lambda: not any(map(is_alive, pids)))
