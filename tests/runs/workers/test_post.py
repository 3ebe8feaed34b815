"""graftwork.runs.workers.post: a worker's end: what it says, hears, and sends of its files."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from fakemail import FakeBox
from graftwork.cluster.mailbox import Mailbox
from graftwork.errors import WorkersError
from graftwork.runs.workers import post as post_module
from graftwork.runs.workers.post import Keeping, Post
from processes import until

STOP = {"do": "stop"}


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post_module, "EVERY", 0.02)


class Made:
    """A post of worker 0, and what it heard."""

    def __init__(self) -> None:
        self.mailbox = Mailbox()
        self.box = FakeBox(self.mailbox, 0)
        self.heard: list[Any] = []
        self.gone = threading.Event()
        self.post = Post(self.box, self.heard.append, self.gone.set)

    def said(self) -> list[Any]:
        return [one.message for one in self.mailbox.take(0)]

    def sent(self) -> list[dict[str, str]]:
        """The files of each letter, as they are acknowledged."""
        found = []
        for message in self.said():
            if "files" in message:
                found.append({name: bytes(pieces[0]).decode() for name, pieces in message["files"].items()})
                self.mailbox.tell(0, {"do": "got", "sent": message["sent"]})
        return found


def test_it_hears_what_is_for_it_in_order() -> None:
    made = Made()
    made.mailbox.tell(1, {"do": "end"})
    made.mailbox.tell(0, {"do": "begin", "attempt": 3})
    made.mailbox.tell(0, STOP)
    assert made.post.first(10.0)["attempt"] == 3
    assert until(lambda: made.heard == [STOP], 10)


def test_a_driver_that_says_nothing() -> None:
    with pytest.raises(WorkersError, match="said nothing"):
        Made().post.first(0.05)


def test_a_driver_that_is_gone_is_noticed() -> None:
    made = Made()
    made.box.cut.set()
    assert made.gone.wait(10.0)


def test_what_it_says_stays_in_order() -> None:
    made = Made()
    for at in range(3):
        made.post.tell({"told": "stepped", "given": (at,)})
    made.post.tell({"done": 1})  # takes along what waits
    assert [message.get("given", message) for message in made.said()] == [(0,), (1,), (2,), {"done": 1}]
    made.post.tell({"told": "doing", "given": ("more",)})
    assert until(lambda: len(made.said()) == 5, 10)  # also where nothing follows
    made.post.close()


def test_a_checkpoint_goes_to_the_driver_when_it_is_there_and_what_changed_last_before_the_end(tmp_path: Path) -> None:
    made, run = Made(), tmp_path / "run"
    run.mkdir()
    (tmp_path / "begun.json").write_text("there before")
    with Keeping(made.post, tmp_path):
        (run / "new").write_text("first")
        (run / "new").rename(run / "checkpoint")
        assert until(lambda: made.sent()[-1:] == [{"work/run/checkpoint": "first"}], 10)
        (run / "new").write_text("second")
        (run / "new").rename(run / "checkpoint")
        threading.Thread(target=lambda: until(lambda: len(made.sent()) > 1, 10), daemon=True).start()
    assert made.sent()[-1] == {"work/run/checkpoint": "second"}
    assert not any("begun" in name for files in made.sent() for name in files)


def test_files_are_sent_when_the_driver_has_them(tmp_path: Path) -> None:
    made = Made()
    (tmp_path / "a").write_text("a")
    sending = threading.Thread(target=made.post.send, args=(tmp_path, ["a"], "result"), daemon=True)
    sending.start()
    assert until(lambda: any("files" in one for one in made.said()), 10)
    sending.join(0.2)
    assert sending.is_alive()
    assert made.sent() == [{"result/a": "a"}]
    sending.join(10.0)
    assert not sending.is_alive()
