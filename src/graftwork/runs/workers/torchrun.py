"""Workers on this machine, started and started again by torchrun; nothing that they do outlives the driver.

torchrun (`torch.distributed.run`) gives each its place, sees when one is gone, and starts all of them again; they go on
from the last checkpoint.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from graftwork import threads
from graftwork.devices import VARIABLE, chosen
from graftwork.evidence.workers import WorkerCost
from graftwork.recipe import Recipe
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.workers.channel import STOP, DriverEnd
from graftwork.runs.workers.heard import Heard
from graftwork.runs.workers.request import CHANNEL, Request
from graftwork.runs.workers.watch import Watch, watched

MOST_RESTARTS = 100
"""That torchrun makes: the driver counts for itself those that bring nothing."""
LOG = "workers.log"
PATIENCE = 20.0
"""Seconds that torchrun has to end its workers."""


@dataclass(frozen=True)
class Torchrun:
    """Starts `count` processes of this machine for each run (`Starting`)."""

    count: int

    def look(self, job: Job, recipe: Recipe) -> None:
        """They find whatever this process finds."""

    def train(self, folder: Path, request: Request, batch: int, listener: Listener) -> tuple[WorkerCost, ...]:
        """See `Starting.train`."""
        return _trained(folder, request.name, self.count, batch, listener)


def _trained(folder: Path, name: str, count: int, batch: int, listener: Listener) -> tuple[WorkerCost, ...]:
    end = DriverEnd(folder / CHANNEL)
    with open(folder / LOG, "wb") as log:
        process = subprocess.Popen(
            _command(folder, count),
            env=environment(count),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C in a terminal reaches the driver alone
        )
    try:
        return watched(Watch(_Torchrun(end, process, folder / LOG), name, count, batch, listener))
    finally:
        process.terminate()
        end.close()  # a worker whose driver is gone ends at once
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _command(folder: Path, count: int) -> list[str]:
    module = "graftwork.runs.workers.worker"
    options = [f"--nproc-per-node={count}", f"--max-restarts={MOST_RESTARTS}", "--monitor-interval=0.2", "--standalone"]
    return [sys.executable, "-m", "torch.distributed.run", *options, "-m", module, str(folder)]


def environment(count: int) -> dict[str, str]:
    """Of the workers: what this process has, its modules, its device, and its cores shared among them."""
    own = dict(os.environ)
    if threads.THREADS not in own:
        own[threads.THREADS] = str(max(1, threads.usable() // count))
    own.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")  # gradients stay on this machine
    # The same modules as here, and none that happens to lie in the current folder.
    own["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    own["PYTHONSAFEPATH"] = "1"
    own[VARIABLE] = chosen().type
    return own


@dataclass
class _Torchrun:
    """The line to workers that torchrun starts."""

    end: DriverEnd
    process: subprocess.Popen[bytes]
    log: Path

    def hear(self, seconds: float) -> Heard | None:
        try:
            return self.end.heard.get(timeout=seconds)
        except queue.Empty:
            return None

    def stop(self, number: int) -> None:
        self.end.tell(number, STOP)

    def ended(self) -> str | None:
        return None if self.process.poll() is None else self.last_words()

    def last_words(self) -> str:
        """The last line of an error, and the signal that ended a worker, of what torchrun wrote."""
        with suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            return " ".join([one.strip() for one in lines if any(word in one for word in _TELLING)][-2:])
        return ""


_TELLING = ("Signal ", "Error: ", "exitcode")
