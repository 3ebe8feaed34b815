"""What the workers of one training and their driver tell each other, kept until the other side has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Message = Mapping[str, Any]


class Letter(NamedTuple):
    """number: counted from 1, in the order in which letters came. worker: from whom it is, or whom it is for."""

    number: int
    worker: int
    message: Message


class Mailbox:
    """Ray runs it as a process of its own, on the driver's machine. Who fetches says up to which letter it has them
    all, so that none is lost where fetching is interrupted."""

    def __init__(self) -> None:
        self._up: list[Letter] = []
        self._down: list[Letter] = []
        self._count = 0

    def put(self, worker: int, messages: Sequence[Message]) -> None:
        """From a worker."""
        self._up += [self._letter(worker, message) for message in messages]

    def take(self, known: int) -> list[Letter]:
        """For the driver, which has those up to `known`."""
        self._up = [letter for letter in self._up if letter.number > known]
        return self._up

    def tell(self, worker: int, message: Message) -> None:
        """From the driver."""
        self._down.append(self._letter(worker, message))

    def told(self, worker: int, known: int) -> list[Letter]:
        """For a worker, which has those up to `known`."""
        self._down = [letter for letter in self._down if letter.worker != worker or letter.number > known]
        return [letter for letter in self._down if letter.worker == worker]

    def _letter(self, worker: int, message: Message) -> Letter:
        self._count += 1
        return Letter(self._count, worker, message)
