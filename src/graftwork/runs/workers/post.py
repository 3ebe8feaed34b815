"""How a worker on a machine of a cluster and its driver hear of each other: letters in a mailbox, and files that go
along with them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self

from graftwork.cluster.carried import carry, files_below
from graftwork.cluster.mailbox import Letter, Message
from graftwork.errors import WorkersError

BEGIN, GOT = "begin", "got"
"""What the driver tells each worker first, and that it has the files of a letter; beside those of `channel`."""
WORK = "work"
"""Where files of a worker belong: to the checkpoints of the run; or to what came of it, `request.RESULT`."""
EVERY = 0.5
"""Seconds between two looks: for letters, and for a new checkpoint."""


class Box(Protocol):
    """The mailbox as one worker sees it."""

    def put(self, messages: Sequence[Message]) -> None: ...
    def told(self, known: int) -> Sequence[Letter]:
        """Raises ConnectionError where the driver is gone."""

    def store(self, piece: Any) -> Any:
        """Where the driver finds a piece of a file."""


class Post:
    """A worker's end. told: what to call with each letter but the first and those about files. gone: what to call once
    the driver is gone."""

    def __init__(self, box: Box, told: Callable[[Message], None], gone: Callable[[], None]) -> None:
        self._box, self._told, self._gone = box, told, gone
        self._first: Message | None = None
        self._waiting: list[Message] = []
        self._sent = self._got = self._known = 0
        self._changed = threading.Condition()
        self._order = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._talk, name="graftwork driver", daemon=True).start()

    def first(self, seconds: float) -> Message:
        """What the driver told first. Raises WorkersError where nothing comes for so long."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._first is not None, seconds):
                raise WorkersError(f"The driver of this run said nothing for {seconds:.0f} s.")
            assert self._first is not None
            return self._first

    def tell(self, message: Message) -> None:
        """The driver. How far a run is may come a little later, several things at a time."""
        with self._changed:
            self._waiting.append(message)
        if "told" not in message:
            self.flush()

    def flush(self) -> None:
        """Send what waits now."""
        with self._order:  # letters stay in order, whoever sends them
            with self._changed:
                waiting, self._waiting = self._waiting, []
            if waiting:
                self._box.put(waiting)

    def send(self, folder: Path, names: Iterable[str], root: str) -> None:
        """Files below a folder; returns once the driver has them."""
        pieces = carry(folder, names, self._box.store)  # held here until then
        with self._changed:
            self._sent += 1
            number = self._sent
        self.tell({"files": {f"{root}/{name}": each for name, each in pieces.items()}, "sent": number})
        with self._changed:
            self._changed.wait_for(lambda: self._got >= number or self._closed.is_set())

    def close(self) -> None:
        """Say what waits, and listen no longer."""
        self.flush()
        self._closed.set()

    def _talk(self) -> None:
        while not self._closed.wait(EVERY):
            try:
                self.flush()
                letters = self._box.told(self._known)
            except ConnectionError:
                self._gone()
                return
            for letter in letters:
                self._known = letter.number
                self._heard(letter.message)

    def _heard(self, message: Message) -> None:
        does = message.get("do")
        if does not in (BEGIN, GOT):
            self._told(message)
            return
        with self._changed:
            if does == BEGIN:
                self._first = message
            else:
                self._got = max(self._got, message["sent"])
            self._changed.notify_all()


class Keeping:
    """While the block lasts, whatever is new in a folder of checkpoints goes to the driver; at its end, too."""

    def __init__(self, post: Post, folder: Path) -> None:
        self._post, self._folder = post, folder
        self._known = self._looked()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="graftwork checkpoints", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._send()

    def _keep(self) -> None:
        while not self._over.wait(EVERY):
            self._send()

    def _send(self) -> None:
        found = self._looked()
        new = [name for name, mark in found.items() if self._known.get(name) != mark]
        if new:
            self._post.send(self._folder, new, WORK)
        self._known = found

    def _looked(self) -> Mapping[str, tuple[int, int, int]]:
        """What tells the files apart that have been in one place."""
        found = {}
        for name in files_below(self._folder):
            told = (self._folder / name).stat()
            found[name] = (told.st_ino, told.st_mtime_ns, told.st_size)
        return found
