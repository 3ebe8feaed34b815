"""One worker of a run on this machine, as torchrun starts it: `python -m graftwork.runs.workers.worker FOLDER`.

It trains its part and ends. It ends at once where the driver is gone, so that nothing is left running. Only worker 0
writes checkpoints and what came of the run, and only it tells how far it is.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graftwork import threads
from graftwork.runs.workers.channel import END, STOP, WorkerEnd
from graftwork.runs.workers.heard import FIRST, GRACE

RESTARTS = "TORCHELASTIC_RESTART_COUNT"


def main(folder: Path) -> int:
    """The exit code: 0 where all is said, be it of an error; 1 where all workers should begin again."""
    index, started_by = int(os.environ.get("RANK", "0")), os.getppid()
    try:
        end = WorkerEnd(folder / "channel", lambda message: _heard(message, folder, started_by))
    except OSError:
        return _without_driver(folder, started_by)
    end.tell({"hello": index, "process": os.getpid(), "attempt": int(os.environ.get(RESTARTS, "0"))})
    threads.prepare()
    from graftwork.runs.workers.faults import is_of_another, told_of

    try:
        _train(folder, end)
    except KeyboardInterrupt:
        end.tell({"stopped": True})
    except Exception as error:
        if is_of_another(error):
            traceback.print_exc()  # into the log of the workers
            time.sleep(GRACE)  # torchrun ends this process as soon as it sees that the other one is gone
            end.tell({"lost": str(error)})
            return 1
        if index > 0:
            time.sleep(FIRST)
        end.tell({"failed": told_of(error)})
    time.sleep(GRACE)  # the driver ends all workers together; one that goes first would look lost to the others
    return 0


def _train(folder: Path, end: WorkerEnd) -> None:
    from graftwork.core.parallel.workers import joined
    from graftwork.runs.workers.measured import Spending
    from graftwork.runs.workers.part import Part, train_part
    from graftwork.runs.workers.request import RESULT, read_request

    request, job = read_request(folder)
    again = int(os.environ.get(RESTARTS, "0")) > 0
    spending = Spending()
    _meet(folder)
    with joined() as workers:
        part = Part(request, job, Path(request.workspace), folder / RESULT, again)
        end.tell({"done": spending.told(train_part(part, workers, end.tell))})


def _meet(folder: Path) -> None:
    """Find the other workers by a file of this attempt. By torchrun's own store they were seen to wait for each other
    for ever, where one had been killed while it began."""
    from torch import distributed

    from graftwork.core.parallel.workers import PATIENCE
    from graftwork.devices import chosen

    rank, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    store = distributed.FileStore(str(folder / f"met-{os.environ.get(RESTARTS, '0')}"), count)  # type: ignore[attr-defined]
    backend = "gloo" if chosen().type == "cpu" else "cpu:gloo,cuda:nccl"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=PATIENCE)


def _heard(message: Mapping[str, Any] | None, folder: Path, started_by: int) -> None:
    """In a thread of its own: the driver has stopped the run, has what it wanted, or is gone."""
    if message == STOP:
        os.kill(os.getpid(), signal.SIGINT)
    elif message == END:
        os._exit(0)
    else:
        os._exit(_without_driver(folder, started_by))


def _without_driver(folder: Path, started_by: int) -> int:
    """Leave nothing: neither the folder, which was private to the driver, nor torchrun, which would begin again."""
    shutil.rmtree(folder, ignore_errors=True)
    if os.getppid() == started_by != 1:
        os.kill(started_by, signal.SIGTERM)
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
