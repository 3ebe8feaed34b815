"""graftwork.runs.workers.cluster_line: attempts that follow each other, and files that stay on the driver's machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from fakemail import FakeHands, told
from graftwork.cluster.mailbox import Mailbox
from graftwork.cluster.training import Over
from graftwork.errors import ClusterError, ModelError, WorkersError
from graftwork.runs.workers import cluster_line
from graftwork.runs.workers.cluster_line import ClusterLine
from graftwork.runs.workers.watch import IN_VAIN, Watch, watched
from heard import Ear
from processes import until

COST = {"wall_seconds": 4.0, "cpu_seconds": 3.0, "memory": 1, "reducing": 1.0}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_line, "EVERY", 0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a request, with a file that is not for the workers."""
    found = tmp_path / "request"
    (found / "job").mkdir(parents=True)
    (found / "request.json").write_text("{}")
    (found / "job" / "job.json").write_text("[]")
    (found / "workers.log").write_text("private")
    return found


@contextmanager
def line(hands: FakeHands, folder: Path) -> Iterator[ClusterLine]:
    found = ClusterLine(hands, 2, "run", folder, folder / "work", {"key": "k"})
    try:
        yield found
    finally:
        found.close(well=False)


def piece(text: str) -> list[np.ndarray]:
    return [np.frombuffer(text.encode(), np.uint8)]


def hello(box: Mailbox, worker: int) -> int:
    """Say it; gives the number of the attempt."""
    attempt = int(told(box, worker, "begin")["attempt"])
    box.put(worker, [{"hello": worker, "process": 10 + worker, "attempt": attempt, "node": f"id-{worker}"}])
    return attempt


def step(box: Mailbox, at: int) -> None:
    progress = {"step": at, "total": 100, "loss": 1.0, "score": None, "best": None}
    box.put(0, [{"told": "stepped", "given": ("run", progress)}])


def sent(box: Mailbox, number: int, **files: str) -> None:
    """Worker 0 sends files and waits until the driver has them."""
    box.put(0, [{"files": {name.replace("__", "/"): piece(text) for name, text in files.items()}, "sent": number}])
    told(box, 0, "got")


def whole(box: Mailbox) -> Over:
    """An attempt that comes to its end."""
    for worker in (0, 1):
        hello(box, worker)
    step(box, 9)
    sent(box, 1, result__candidate="made")
    for worker in (1, 0):
        box.put(worker, [{"done": {"worker": worker, "node": "host", **COST}}])
    told(box, 0, "end")
    return Over()


def killed(at: int) -> Callable[[Mailbox], Over]:
    """An attempt in which worker 1 is lost behind this step."""

    def run(box: Mailbox) -> Over:
        for worker in (0, 1):
            hello(box, worker)
        step(box, at)
        sent(box, 1, work__run__checkpoint=f"of step {at}")
        return Over((1,), "a process or a machine is gone")

    return run


def test_all_go_through(folder: Path) -> None:
    hands, ear = FakeHands(whole), Ear()
    with line(hands, folder) as one:
        costs = watched(Watch(one, "run", 2, 8, ear))
    assert [(cost.worker, cost.node) for cost in costs] == [(0, "node-0"), (1, "node-1")]
    assert (folder / "result" / "candidate").read_text() == "made"
    assert not (folder / "job").exists()  # a driver that is killed leaves no rows
    assert ear.notes == ["run: 2 workers: 1 on node-0, 1 on node-1"]


def test_a_lost_worker_is_named_with_its_machine_and_all_go_on_from_the_checkpoint(folder: Path) -> None:
    given = []

    def again(box: Mailbox) -> Over:
        given.append(told(box, 0, "begin"))
        given.append(told(box, 1, "begin"))
        return whole(box)

    (folder / "work" / "other").mkdir(parents=True)
    (folder / "work" / "run.json").write_text("steps")
    (folder / "work" / "other" / "checkpoint").write_text("of another run")
    hands, ear = FakeHands(killed(5), again), Ear()
    with line(hands, folder) as one:
        watched(Watch(one, "run", 2, 8, ear))
    first, second = given
    assert first["attempt"] == 1
    kept = {name: bytes(pieces[0]).decode() for name, pieces in first["kept"].items()}
    assert kept == {"run.json": "steps", "run/checkpoint": "of step 5"}
    assert sorted(first["files"]) == sorted(second["files"]) == ["job/job.json", "request.json"]
    assert second["kept"] == {}  # only worker 0 reads checkpoints
    assert first["key"] == "k"
    assert "run: worker 1 (process 11 on node-1) was lost" in ear.notes
    assert "run: all 2 workers go on from the last checkpoint" in ear.notes
    assert hands.ends[0] == 0.0  # what is left of an attempt is ended before the next one begins


def test_lost_again_and_again(folder: Path) -> None:
    hands = FakeHands(killed(5))
    with line(hands, folder) as one, pytest.raises(WorkersError, match=r"without a step between.*or a machine is gone"):
        watched(Watch(one, "run", 2, 8, Ear()))
    assert hands.begun == 2 + IN_VAIN


def test_workers_that_never_say_anything(folder: Path) -> None:
    hands = FakeHands(lambda _: Over(said="no room"))
    with line(hands, folder) as one, pytest.raises(WorkersError, match="The last that was heard of them: no room"):
        watched(Watch(one, "run", 2, 8, Ear()))
    assert hands.begun == IN_VAIN


def test_others_use_the_cluster(folder: Path) -> None:
    hands = FakeHands(lambda _: Over(said="the cluster had no room", crowded=True))
    with (
        line(hands, folder) as one,
        pytest.raises(ClusterError, match=r"no room: .* fewer --workers"),
    ):
        watched(Watch(one, "run", 2, 8, Ear()))
    assert hands.begun == 1


def test_no_machine_comes_back(folder: Path) -> None:
    with line(FakeHands(killed(5), rooms=1), folder) as one, pytest.raises(ClusterError, match="room for 1 of 2"):
        watched(Watch(one, "run", 2, 8, Ear()))
    assert (folder / "work" / "run" / "checkpoint").read_text() == "of step 5"


def test_files_that_were_lost_on_the_way_leave_those_of_before(folder: Path) -> None:
    def torn(box: Mailbox) -> Over:
        hello(box, 0)
        sent(box, 1, work__run__checkpoint="whole")
        box.put(0, [{"files": {"work/run/checkpoint": ["lost"]}, "sent": 2}])
        return Over((0,), "gone")

    with line(FakeHands(torn, whole), folder) as one:
        watched(Watch(one, "run", 2, 8, Ear()))
    assert (folder / "work" / "run" / "checkpoint").read_text() == "whole"


def test_a_worker_whose_file_did_not_come_waits_for_it_no_longer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lives, and would wait for ever."""
    monkeypatch.setattr(cluster_line, "PATIENCE", 0.1)

    def stuck(box: Mailbox) -> Over:
        hello(box, 0)
        step(box, 5)
        box.put(0, [{"files": {"work/run/checkpoint": ["lost"]}, "sent": 1}])
        told(box, 0, "got")  # it never comes
        return Over()

    hands, ear = FakeHands(stuck, whole), Ear()
    with line(hands, folder) as one:
        watched(Watch(one, "run", 2, 8, ear))
    assert hands.begun == 2
    assert "run: all 2 workers go on from the last checkpoint" in ear.notes


def test_workers_that_never_meet(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_line, "FIRST_WORD", 0.1)

    def silent(box: Mailbox) -> Over:
        told(box, 0, "end")
        return Over()

    hands = FakeHands(silent)
    with line(hands, folder) as one, pytest.raises(ClusterError, match="GLOO_SOCKET_IFNAME"):
        watched(Watch(one, "run", 2, 8, Ear()))
    assert hands.begun == 1


def test_nothing_is_asked_of_the_cluster_once_the_run_is_over(folder: Path) -> None:
    """Ray would start another one."""
    hands = FakeHands(whole)
    with line(hands, folder) as one:
        watched(Watch(one, "run", 2, 8, Ear()))
    for call in (one._put, one._get):
        with pytest.raises(ConnectionError):
            call(piece("more"))


def test_what_was_said_before_the_end_is_heard_first(folder: Path) -> None:
    def brief(box: Mailbox) -> Over:
        hello(box, 0)
        return Over()

    with line(FakeHands(brief), folder) as one:
        assert until(lambda: one._ended is not None, 60)
        assert one.ended() is None
        while one.hear(0.01) is not None:
            pass
        assert one.ended() == "all of them ended"


@pytest.mark.parametrize("name", ["work/../../out", "result/../out"])
def test_a_file_that_leads_out_is_refused(name: str, folder: Path) -> None:
    def bad(box: Mailbox) -> Over:
        hello(box, 0)
        box.put(0, [{"files": {name: piece("bad")}, "sent": 1}])
        told(box, 0, "end")
        return Over()

    with line(FakeHands(bad), folder) as one, pytest.raises(ModelError):
        watched(Watch(one, "run", 2, 8, Ear()))
    assert not (folder / "out").exists()
    assert not (folder.parent / "out").exists()


def test_a_stop_reaches_worker_0_of_the_attempt_that_runs(folder: Path) -> None:
    stopped = []

    def waiting(box: Mailbox) -> Over:
        for worker in (0, 1):
            hello(box, worker)
        stopped.append(told(box, 0, "stop"))
        return whole(box)

    hands = FakeHands(killed(5), waiting)
    with line(hands, folder) as one:
        watch = Watch(one, "run", 2, 8, Ear())
        while not watch.attempt or len(watch.connected) < 2:
            if (heard := one.hear(1.0)) is not None:
                from graftwork.runs.workers.watch import _take

                _take(watch, heard)
        for number, said in watch.connected.items():
            if said["hello"] == 0:
                one.stop(number)
        watched(watch)
    assert stopped == [{"do": "stop"}]
