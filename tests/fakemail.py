"""A cluster that is none: attempts of workers that are threads of this process, and a mailbox in its memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graftwork.cluster.mailbox import Letter, Mailbox, Message
from graftwork.cluster.training import Over
from graftwork.errors import ClusterError
from processes import until


class FakeBox:
    """The mailbox as its worker of this number sees it; a piece is where it is. cut: where the driver is gone."""

    def __init__(self, mailbox: Mailbox, index: int) -> None:
        self._mailbox, self._index = mailbox, index
        self.cut = threading.Event()

    def put(self, messages: Sequence[Message]) -> None:
        self._mailbox.put(self._index, list(messages))

    def told(self, known: int) -> Sequence[Letter]:
        if self.cut.is_set():
            raise ConnectionError("gone")
        return self._mailbox.told(self._index, known)

    def store(self, piece: Any) -> Any:
        return piece


class FakeHands:
    """attempts: what the workers of each do with the mailbox, and how it ends; the last one is repeated. rooms: whether
    there is room before each attempt, else a ClusterError."""

    def __init__(self, *attempts: Callable[[Mailbox], Over], rooms: int = 99) -> None:
        self.attempts, self.rooms = attempts, rooms
        self.begun = 0
        self.ends = list[float]()
        self.mailbox = Mailbox()
        self.lost = set[int]()
        self._known = 0
        self._over: list[Over] = []

    def names(self) -> Mapping[str, str]:
        return {"id-0": "node-0", "id-1": "node-1"}

    def ready(self) -> None:
        if self.begun >= self.rooms:
            raise ClusterError("There is room for 1 of 2 workers")

    def begin(self) -> None:
        work = self.attempts[min(self.begun, len(self.attempts) - 1)]
        self.begun, self._known, self.mailbox, self._over = self.begun + 1, 0, Mailbox(), []
        box, over = self.mailbox, self._over
        threading.Thread(target=lambda: over.append(_ended(work, box)), daemon=True).start()

    def take(self) -> Sequence[Letter]:
        found = self.mailbox.take(self._known)
        self._known = found[-1].number if found else self._known
        return found

    def tell(self, worker: int, message: Message) -> None:
        self.mailbox.tell(worker, message)

    def over(self) -> Over | None:
        return self._over[0] if self._over else None

    def end(self, seconds: float) -> None:
        self.ends.append(seconds)

    def put(self, piece: Any) -> Any:
        return piece

    def get(self, piece: Any) -> Any:
        if isinstance(piece, str):
            raise ConnectionError("its machine is gone")
        return piece


def _ended(work: Callable[[Mailbox], Over], box: Mailbox) -> Over:
    """An attempt that its driver has left waits in vain, and may outlive its test: it never raises in its thread."""
    try:
        return work(box)
    except TimeoutError as error:
        return Over((0,), str(error))


def told(box: Mailbox, worker: int, does: str) -> Message:
    """Wait for what the driver tells a worker; gives it. A TimeoutError where it never comes."""

    def found() -> list[Message]:
        return [one.message for one in box.told(worker, 0) if one.message["do"] == does]

    if not until(found):
        raise TimeoutError(f"worker {worker} was never told to {does}")
    return found()[0]
