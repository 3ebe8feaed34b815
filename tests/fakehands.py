"""Machines that are none: pieces of work are done in this process, last begun first, and some of them are lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graftwork.cluster.connection import Node
from graftwork.cluster.work import Ended, Piece, Told

Fate = Callable[[Piece, int], str]
"""How a piece ends that is begun for the so manieth time, from 1: "done", "worker" or "machine"."""


class FakeHands:
    """function, shared: as of `RayHands`. fate: see `Fate`."""

    def __init__(
        self,
        function: Callable[..., Any],
        shared: Any = None,
        *,
        count: int = 2,
        fate: Fate = lambda piece, times: "done",  # noqa: ARG005
    ) -> None:
        self.function, self.shared, self.fate = function, shared, fate
        self.machines = [Node(f"id-{at}", f"node-{at}", 1.0, 10**10, 0.0) for at in range(count)]
        self.begun: list[tuple[int, str]] = []
        self.most = 0
        self.stopped: list[int] = []
        self._open: dict[int, Piece] = {}
        self._told: list[Told] = []

    def nodes(self) -> Sequence[Node]:
        return self.machines

    def begin(self, piece: Piece, near: str) -> int:
        handle = len(self.begun)
        place = near or self.machines[handle % len(self.machines)].id if self.machines else ""
        self.begun.append((piece.number, place))
        self._open[handle] = piece
        self.most = max(self.most, len(self._open))
        if place:
            self._told.append(Told(piece.number, "at", place))
        return handle

    def wait(self, handles: Sequence[int], seconds: float) -> Sequence[tuple[int, Ended]]:
        del seconds
        if not self.machines:
            return []
        handle = max(handles)
        piece = self._open.pop(handle)
        how = self.fate(piece, sum(number == piece.number for number, _ in self.begun))
        if how != "done":
            return [(handle, Ended(how, why="no memory" if how == "worker" else ""))]  # type: ignore[arg-type]
        result = self.function(self.shared, piece.given, lambda what, value=None: self.tell(piece.number, what, value))
        return [(handle, Ended("done", result, 2.0, 1.0, 10**6))]

    def told(self) -> Sequence[Told]:
        taken, self._told = self._told, []
        return taken

    def stop(self, handles: Sequence[int]) -> None:
        self.stopped += handles

    def tell(self, number: int, what: str, value: Any) -> None:
        """As a piece does while it is worked on."""
        self._told.append(Told(number, what, value))
