"""graftwork.runs.workers.channel: each end knows at once when the other one goes."""

from __future__ import annotations

import queue
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from graftwork.runs.workers.channel import END, STOP, DriverEnd, WorkerEnd
from graftwork.runs.workers.heard import Heard


@pytest.fixture
def place() -> Iterator[Path]:
    """A short path: a socket's may have about 100 signs."""
    with tempfile.TemporaryDirectory(prefix="g-") as folder:
        yield Path(folder) / "channel"


def test_lines_go_both_ways(place: Path) -> None:
    driver, told = DriverEnd(place), queue.Queue[object]()
    worker = WorkerEnd(place, told.put)
    worker.tell({"hello": 0})
    worker.tell({"text": "an umlaut ä\nand a line"})
    assert driver.heard.get(timeout=20) == Heard(0, {"hello": 0})
    assert driver.heard.get(timeout=20) == Heard(0, {"text": "an umlaut ä\nand a line"})
    driver.tell(0, STOP)
    assert told.get(timeout=20) == STOP
    driver.close()
    assert told.get(timeout=20) == END
    assert told.get(timeout=20) is None
    assert driver.heard.get(timeout=20) == Heard(0, None)


def test_a_driver_that_is_gone_is_heard(place: Path) -> None:
    driver, told = DriverEnd(place), queue.Queue[object]()
    worker = WorkerEnd(place, told.put)
    worker.tell({"hello": 0})
    driver.heard.get(timeout=20)
    for connection in driver.connections:  # as the system does with a process that is killed
        connection.shutdown(2)
    assert told.get(timeout=20) is None
    worker.tell({"into": "nothing"})
    driver.close()


def test_only_this_user_may_talk(place: Path) -> None:
    driver = DriverEnd(place)
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    driver.close()
    with pytest.raises(ConnectionRefusedError):
        WorkerEnd(place, print)


def test_what_is_no_line_ends_a_connection_alone(place: Path) -> None:
    import socket

    driver = DriverEnd(place)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stranger:
        stranger.connect(str(place))
        stranger.sendall(b"no json\n")
        assert driver.heard.get(timeout=20) == Heard(0, None)
    WorkerEnd(place, lambda _: None).tell({"hello": 1})
    assert driver.heard.get(timeout=20) == Heard(1, {"hello": 1})
    driver.close()
