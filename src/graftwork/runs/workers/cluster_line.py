"""The line to the workers of a cluster: one attempt after the other, whose files are kept on the driver's machine.

How they are started is not known here (`Hands`). A thread listens, so that Ctrl-C never meets half of what was heard.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from graftwork.cluster.carried import bring, carry, files_below
from graftwork.cluster.mailbox import Letter, Message
from graftwork.cluster.training import Over
from graftwork.data.store.writing import remove
from graftwork.errors import ClusterError, GraftworkError
from graftwork.runs.workers.channel import END, STOP
from graftwork.runs.workers.heard import GRACE, Heard
from graftwork.runs.workers.post import BEGIN, GOT, WORK
from graftwork.runs.workers.request import JOB_FOLDER, REQUEST, RESULT
from graftwork.runs.workers.watch import IN_VAIN

EVERY = 0.2
"""Seconds between two looks at what was said."""
PATIENCE = 30.0
"""Seconds that the workers have to come to their end by themselves, or to be seen as lost."""
FIRST_WORD = 900.0
"""Seconds in which one of them has to have said something: room is found, torch is loaded, they have met."""


class Hands(Protocol):
    """Who starts an attempt, and carries letters and pieces of files."""

    def names(self) -> Mapping[str, str]:
        """Of the machines, by what a worker calls its own."""

    def ready(self) -> None:
        """Return when there is room for all workers; raise ClusterError where none comes."""

    def begin(self) -> None: ...
    def take(self) -> Sequence[Letter]: ...
    def tell(self, worker: int, message: Message, /) -> None: ...
    def over(self) -> Over | None: ...
    def end(self, seconds: float, /) -> None: ...
    def put(self, piece: Any, /) -> Any: ...
    def get(self, piece: Any, /) -> Any:
        """Raises ConnectionError where it is lost."""


@dataclass
class ClusterLine:
    """A `Line`. folder: of the request, where what came of the run will lie. work: the folder of the run's checkpoints,
    of which `name` are its own. first: what each worker is told first, beside the files."""

    hands: Hands
    count: int
    name: str
    folder: Path
    work: Path
    first: Mapping[str, Any]
    _heard: queue.Queue[Heard | Exception] = field(default_factory=queue.Queue)
    _closing: threading.Event = field(default_factory=threading.Event)
    _ended: str | None = None
    _last: str = ""
    _attempt: int = 0
    _nodes: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._attempts, name="graftwork workers", daemon=True)
        self._thread.start()

    def hear(self, seconds: float) -> Heard | None:
        """As of `Line`. Raises what went wrong on the driver's side."""
        try:
            found = self._heard.get(timeout=seconds)
        except queue.Empty:
            return None
        if isinstance(found, Exception):
            raise found
        return found

    def stop(self, number: int) -> None:
        self.hands.tell(number % self.count, STOP)

    def ended(self) -> str | None:
        ended = self._ended
        return ended if self._heard.empty() else None  # what was said before comes first

    def last_words(self) -> str:
        return self._last

    def close(self, *, well: bool) -> None:
        """End what there is. well: the workers have done all, and come to their end."""
        self._closing.set()
        for worker in range(self.count):
            self.hands.tell(worker, END)
        self._thread.join(GRACE)
        self.hands.end(PATIENCE if well else 0.0)

    def _attempts(self) -> None:
        try:
            asked = [name for name in files_below(self.folder) if name.partition("/")[0] in (REQUEST, JOB_FOLDER)]
            files = carry(self.folder, asked, self._put)
            for name in (REQUEST, JOB_FOLDER):  # a driver that is killed leaves no rows
                remove(self.folder / name)
            silent = 0
            while not self._closing.is_set():
                self.hands.ready()
                if self._closing.is_set():
                    break
                self._begin(files)
                greeted, over = self._listen()
                self._last = over.said
                silent = 0 if greeted else silent + 1
                if over.crowded:
                    raise ClusterError(
                        f"{self.name}: {over.said}: other work on it leaves too little. Wait until that is done "
                        "(`ray status` shows what is free), or take fewer --workers. With --out, --resume goes on."
                    )
                if self._closing.is_set() or not over.said or silent >= IN_VAIN:
                    break
                self.hands.end(0.0)
                self._attempt += 1
            self._ended = self._last or "all of them ended"
        except GraftworkError as error:
            self._heard.put(error)
        except Exception as error:
            self._heard.put(ClusterError(f"The cluster failed: {type(error).__name__}: {error}"))

    def _begin(self, files: Mapping[str, Any]) -> None:
        self.hands.begin()
        kept = [name for name in files_below(self.work) if name == f"{self.name}.json" or self._is_own(name)]
        told = {"do": BEGIN, "attempt": self._attempt, "files": files, **self.first}
        for worker in range(self.count):
            own = carry(self.work, kept, self._put) if worker == 0 else {}
            self.hands.tell(worker, told | {"kept": own})

    def _is_own(self, name: str) -> bool:
        return name.startswith(f"{self.name}/")

    def _listen(self) -> tuple[bool, Over]:
        """Until an attempt is over: whether anybody was heard, and how it ended.

        Raises ClusterError where nobody says anything."""
        greeted, over, torn, begun = False, None, 0.0, time.monotonic()
        while over is None and not self._closing.wait(EVERY):
            over = self.hands.over()  # before the last letters are taken
            for letter in self.hands.take():
                greeted = True
                if not self._take(letter):
                    torn = torn or time.monotonic()
            if over is None and torn and time.monotonic() - torn > PATIENCE:
                over = Over(said="a file that a worker sent did not come, and it waits for that")
            if over is None and not greeted and time.monotonic() - begun > FIRST_WORD:
                raise ClusterError(
                    f"None of the {self.count} workers said anything within {FIRST_WORD:.0f} s. Often they do not "
                    "reach each other: look for a firewall between the machines, and where one has several networks, "
                    "set GLOO_SOCKET_IFNAME (on GPUs NCCL_SOCKET_IFNAME) there before `ray start`."
                )
        for worker in over.lost if over is not None else ():
            self._heard.put(Heard(self._number(worker), None))
        return greeted, over or Over()

    def _take(self, letter: Letter) -> bool:
        """Whether it is taken; else files did not come, most likely as who sent them is gone: those of before stay."""
        message = letter.message
        if "files" in message:
            try:
                self._keep(message["files"])
            except ConnectionError:
                return False
            self.hands.tell(letter.worker, {"do": GOT, "sent": message["sent"]})
            return True
        if "hello" in message:
            self._nodes[letter.worker] = self.hands.names().get(message["node"], message["node"][:6])
            message = {**message, "node": self._nodes[letter.worker]}
        elif "done" in message:
            message = {"done": {**message["done"], "node": self._nodes.get(letter.worker, message["done"]["node"])}}
        self._heard.put(Heard(self._number(letter.worker), message))
        return True

    def _number(self, worker: int) -> int:
        """Of a connection: each attempt has its own."""
        return self._attempt * self.count + worker

    def _keep(self, files: Mapping[str, Sequence[Any]]) -> None:
        """Write what worker 0 sent."""
        for root, folder in ((WORK, self.work), (RESULT, self.folder / RESULT)):
            own = {name.removeprefix(f"{root}/"): each for name, each in files.items() if name.startswith(f"{root}/")}
            if own:
                bring(own, folder, self._get, lasting=root == WORK)

    def _put(self, piece: Any) -> Any:
        self._check_open()
        return self.hands.put(piece)

    def _get(self, piece: Any) -> Any:
        self._check_open()
        return self.hands.get(piece)

    def _check_open(self) -> None:
        """Ray starts a cluster for whoever asks it for anything once it was left."""
        if self._closing.is_set():
            raise ConnectionError("the run is over")
