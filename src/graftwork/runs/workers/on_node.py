"""One worker of a run on a machine of a cluster, as Ray Train starts it: it trains its part in files of its machine.

Only worker 0 writes checkpoints and what came of the run, which go to the driver's machine at once: whoever is started
next may be on another one.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graftwork import threads
from graftwork.cluster.carried import bring, files_below
from graftwork.cluster.mailbox import Letter, Message
from graftwork.cluster.training import fetched
from graftwork.data.store.cache import SPOOL, cache_dir, prune, storing
from graftwork.data.store.writing import remove
from graftwork.errors import UsageError
from graftwork.runs.workers.channel import END, STOP
from graftwork.runs.workers.heard import FIRST, GRACE
from graftwork.runs.workers.post import WORK, Keeping, Post
from graftwork.runs.workers.request import RESULT, read_request

if TYPE_CHECKING:
    from graftwork.core.parallel.workers import Workers

PATIENCE = 120.0
"""Seconds that a mailbox may be silent, on a machine that is busy."""


class RayBox:
    """The mailbox of a training, as its worker of this number sees it."""

    def __init__(self, mailbox: Any, index: int) -> None:
        self._mailbox, self._index = mailbox, index

    def put(self, messages: Sequence[Message]) -> None:
        self._mailbox.put.remote(self._index, list(messages))

    def told(self, known: int) -> Sequence[Letter]:
        import ray

        try:
            found: list[Letter] = ray.get(self._mailbox.told.remote(self._index, known), timeout=PATIENCE)
        except ray.exceptions.RayError as error:
            raise ConnectionError(str(error)) from error
        return found

    def store(self, piece: Any) -> Any:
        import ray

        return ray.put(piece)


def work_on_node(given: Mapping[str, Any]) -> None:
    """Train one part. given: the `mailbox`. Returns where all is said, be it of an error; raises where all workers
    should begin again."""
    import ray
    import ray.train

    threads.prepare()
    from graftwork.runs.workers.faults import is_of_another, told_of

    index, node = ray.train.get_context().get_world_rank(), ray.get_runtime_context().get_node_id()
    signals, over = list[int](), threading.Event()

    def told(message: Message) -> None:
        if message == STOP:
            signals.append(signal.SIGINT)
        elif message == END:
            over.set()

    post = Post(RayBox(given["mailbox"], index), told, lambda: os._exit(1))
    begin = post.first(PATIENCE)
    post.tell({"hello": index, "process": os.getpid(), "attempt": begin["attempt"], "node": node})
    folder = _folder(begin)
    try:
        _train(begin, post, signals, folder)
    except KeyboardInterrupt:
        post.tell({"stopped": True})
    except Exception as error:
        if is_of_another(error):
            time.sleep(GRACE)  # who watches over the workers sees meanwhile which one is gone
            raise
        if index > 0:
            time.sleep(FIRST)
        post.tell({"failed": _as_there(told_of(error), folder, begin)})
    over.wait(GRACE)
    post.close()


def _train(begin: Message, post: Post, signals: list[int], folder: Path) -> None:
    from graftwork.core.parallel.workers import Joined, joined
    from graftwork.runs.machines.settled import settled
    from graftwork.runs.workers.measured import Spending
    from graftwork.runs.workers.part import Part, train_part

    spending = Spending()
    with settled(begin["threads"], begin["device"], begin["cwd"]), joined() as workers:
        if isinstance(workers, Joined):
            workers = replace(workers, signals=signals, place=_place(workers, folder))
        try:
            if workers.place == 0:
                _make(folder, begin["attempt"])
                bring(begin["files"], folder / "request", fetched)
            if workers.leads:
                bring(begin["kept"], folder / WORK, fetched)
            workers.wait()
            request, job = read_request(folder / "request")
            part = Part(request, job, folder / WORK, folder / RESULT, again=begin["attempt"] > 0)
            with Keeping(post, folder / WORK) if workers.leads else nullcontext():
                workers = train_part(part, workers, post.tell)
            if workers.leads:
                post.send(folder / RESULT, files_below(folder / RESULT), RESULT)
            workers.wait()
        finally:
            if workers.place == 0:
                remove(folder)
    if workers.place == 0:
        with suppress(UsageError):
            prune()  # nobody else may keep the cache of this machine within its limit
    post.tell({"done": spending.told(workers)})


def _folder(begin: Message) -> Path:
    """Of this attempt, for all workers of this machine."""
    import ray

    address = ray.util.get_node_ip_address().replace(":", "-")  # a cache may lie where several machines see it
    return cache_dir() / SPOOL / f"fit-{begin['key']}-{address}-{begin['attempt']}"


def _place(workers: Workers, folder: Path) -> int:
    """Of this worker among those that have its folder: the first one writes there, and their cache."""
    mark = int.from_bytes(hashlib.blake2b(str(folder).encode(), digest_size=7).digest(), "big")
    each = workers.gather(np.array([mark]))
    return int((each[: workers.index] == mark).sum())


def _as_there(told: Mapping[str, Any], folder: Path, begin: Message) -> Mapping[str, Any]:
    """What is told of an error, with the driver's own folder in place of this machine's, which stands for it."""
    there = Path(begin["workspace"])
    text = told["text"].replace(str(folder / WORK), str(there)).replace(str(folder), str(there.parent))
    return {**told, "text": text}


def _make(folder: Path, attempt: int) -> None:
    """The folder of an attempt, for this user alone; what earlier ones left that were ended here is removed."""
    for earlier in range(attempt + 1):
        remove(folder.with_name(f"{folder.name.rpartition('-')[0]}-{earlier}"))
    with storing(folder):
        folder.mkdir(parents=True, mode=0o700)
