"""Pieces of work for the machines of a cluster: begun where there is room, done again where a machine is lost.

What the work is, it does not know: a function, what all pieces share, and what each is given. Who has room decides Ray.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from graftwork.cluster.checks import Asks, fits
from graftwork.cluster.connection import Node
from graftwork.errors import ClusterError

KILLS = 3
"""Processes that a piece may end in a row without getting further, as one does that takes more memory than there is,
before it counts as failed."""
LOSSES = 5
"""Losses in a row, with machines that were lost under it, which is most likely no fault of it."""
EVERY = 0.5
"""Seconds between two looks at what is told."""
WAIT = 60.0
"""Seconds that a piece waits for a machine with room, where there is none that could have it."""


@dataclass(frozen=True)
class Piece:
    """number, name: by which it is known. given: what the function is given for it."""

    number: int
    name: str
    given: Any
    asks: Asks = field(default_factory=Asks)


@dataclass(frozen=True)
class Done:
    """result: of the function; None where it `failed`, which says why. node: where it was done. seconds, cpu: by the
    clock, and of CPU, there. memory: bytes that the process held at its peak. lost: how often it was begun in vain."""

    piece: Piece
    result: Any = None
    failed: str = ""
    node: str = ""
    seconds: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    lost: int = 0


@dataclass(frozen=True)
class Ended:
    """A piece that came back: `done`, or lost with its worker or its machine. why: what is known of that. node: the id
    of the machine that did it."""

    how: Literal["done", "worker", "machine"]
    result: Any = None
    seconds: float = 0.0
    cpu: float = 0.0
    memory: int = 0
    why: str = ""
    node: str = ""


@dataclass(frozen=True)
class Told:
    """What a piece tells while it is worked on. what: "at" comes first, with the id of the machine as `value`."""

    number: int
    what: str
    value: Any = None


Mark = Callable[[Told], tuple[str, int] | None]
"""How far a piece is, by what it told: a stage, and a count that grows in it; None where that says nothing of it."""


class Hands(Protocol):
    """Who does the work. A handle stands for a piece that was begun."""

    def nodes(self) -> Sequence[Node]: ...
    def begin(self, piece: Piece, near: str, /) -> Any: ...
    def wait(self, handles: Sequence[Any], seconds: float, /) -> Sequence[tuple[Any, Ended]]: ...
    def told(self) -> Sequence[Told]: ...
    def stop(self, handles: Sequence[Any], /) -> None: ...


@dataclass
class Cost:
    """What one machine did. pieces: that it finished. seconds, cpu, memory: as of `Done`, summed, and the most."""

    pieces: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    memory: int = 0


@dataclass
class _Begun:
    """lost: how often, in all. in_vain, kills: in a row without getting further; kills: those that ended the process
    alone. furthest: by stage. further: than when it was last lost."""

    piece: Piece
    lost: int = 0
    in_vain: int = 0
    kills: int = 0
    node: str = ""
    furthest: dict[str, int] = field(default_factory=dict)
    further: bool = False


@dataclass
class Crew:
    """hands: who does it. hear: what pieces tell, with the name of their machine. lose: told of each piece that is
    begun again, in a sentence. ahead: pieces that are begun for each that there is room for, so that no machine waits
    for the next one. mark: how far pieces are. costs: by machine."""

    hands: Hands
    hear: Callable[[Told, str], None]
    lose: Callable[[str], None]
    ahead: int = 1
    mark: Mark = lambda _: None
    costs: dict[str, Cost] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def each_done(self, pieces: Iterator[Piece]) -> Generator[Done, None, None]:
        """The pieces as they are done, in any order. The next one is taken when there is room for it. Whatever ends it
        early, as Ctrl-C does, ends all that was begun.

        Raises what the function raises of errors for users; ClusterError where no machine is left that could do one.
        """
        begun, stuck = dict[Any, _Begun](), 0.0
        more = True
        try:
            while True:
                while more and len(begun) < self._room(begun):
                    piece = next(pieces, None)
                    more = piece is not None
                    if piece is not None:
                        self._begin(_Begun(piece), begun)
                if not begun:
                    return
                ended = self.hands.wait(list(begun), EVERY)
                self._listen(begun)
                for handle, how in ended:
                    one = begun.pop(handle)
                    done = self._done(one, how)
                    if done is None:
                        self._begin(one, begun)
                    else:
                        yield done
                stuck = self._stuck(begun, stuck)
        finally:
            if begun:
                self.hands.stop(list(begun))

    def _room(self, begun: dict[Any, _Begun]) -> int:
        """Pieces that may be under way at once, at least one."""
        cores = min((one.piece.asks.cores for one in begun.values()), default=1.0) or 1.0
        return max(1, int(sum(int(node.cores / cores) for node in self._nodes()) * self.ahead))

    def _nodes(self) -> Sequence[Node]:
        found = self.hands.nodes()
        self._names |= {node.id: node.name for node in found}
        return found

    def _begin(self, one: _Begun, begun: dict[Any, _Begun]) -> None:
        """Where it was before, if it was lost there and that machine lives: its last checkpoint is there."""
        near, one.node = one.node, ""
        begun[self.hands.begin(one.piece, near)] = one

    def _listen(self, begun: dict[Any, _Begun]) -> None:
        by_number = {one.piece.number: one for one in begun.values()}
        for told in self.hands.told():
            one = by_number.get(told.number)
            if one is None:
                continue
            if told.what == "at":
                one.node = str(told.value)
            stage, count = self.mark(told) or ("", 0)
            if count > one.furthest.get(stage, 0):
                one.furthest[stage], one.further = count, True
            self.hear(told, self._name(one.node))

    def _name(self, node: str) -> str:
        if node and node not in self._names:
            self._nodes()
        return self._names.get(node, "a machine")

    def _done(self, one: _Begun, how: Ended) -> Done | None:
        """None where it is to be begun again."""
        node = self._name(how.node or one.node)
        if how.how == "done":
            cost = self.costs.setdefault(node, Cost())
            cost.pieces, cost.seconds, cost.cpu = cost.pieces + 1, cost.seconds + how.seconds, cost.cpu + how.cpu
            cost.memory = max(cost.memory, how.memory)
            return Done(one.piece, how.result, "", node, how.seconds, how.cpu, how.memory, one.lost)
        if one.further:
            one.in_vain, one.kills, one.further = 0, 0, False
        one.lost, one.in_vain, one.kills = one.lost + 1, one.in_vain + 1, one.kills + (how.how == "worker")
        what = f"the process that ran {one.piece.name} ended" if how.how == "worker" else "it was lost"
        why = f" ({how.why})" if how.why else ""
        if one.kills >= KILLS or one.in_vain >= LOSSES:
            failed = f"Its process ended {one.in_vain} times in a row without getting further{why}."
            return Done(one.piece, failed=failed, node=node, lost=one.lost)
        self.lose(f"{node}: {what}{why}; {one.piece.name} goes on from its last checkpoint")
        return None

    def _stuck(self, begun: dict[Any, _Begun], since: float) -> float:
        """Since when no machine could do a piece that waits; 0 where all have a place."""
        waiting = [one.piece for one in begun.values() if not one.node]
        nodes = self._nodes() if waiting else ()
        homeless = [piece for piece in waiting if not any(fits(node, piece.asks) for node in nodes)]
        if not homeless:
            return 0.0
        since = since or time.monotonic()
        if time.monotonic() - since > WAIT:
            raise ClusterError(
                f"No machine is left that could do {homeless[0].name}: {len(nodes)} are alive, and none has what it "
                "asks for. What was finished is kept; bring machines back, and give the same command again."
            )
        return since


def sentences(costs: dict[str, Cost], what: str) -> list[str]:
    """What each machine did, a line each. what: pieces are, in the plural."""
    return [
        f"{name}: {one.pieces:,} {what} in {one.seconds:,.0f} s ({one.cpu:,.0f} s of CPU, at most "
        f"{one.memory / 1e6:,.0f} MB)"
        for name, one in sorted(costs.items())
    ]
