"""Run a command in a process of its own, one thread, offline, with a fresh cache, and say what it cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.clock import BEGAN

BENCHMARKS = Path(__file__).parents[1]
GRAFT = Path(sys.executable).with_name("graft")

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS", "ARROW_NUM_THREADS"), "1"
)
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
SAMPLE_SECONDS = 0.02


@dataclass(frozen=True)
class Spent:
    """wall, cpu: seconds of the whole process, from its start to its end, user and system. memory: peak anonymous
    bytes, sampled every 20 ms; 0 unless it was asked for. output: what it printed; told: on standard error. code: its
    exit code."""

    wall: float
    cpu: float
    memory: int
    output: str
    told: str = ""
    code: int = 0


def run(
    command: Sequence[str | os.PathLike[str]],
    *,
    watch_memory: bool = False,
    timeout: float = 7200,
    own_threads: bool = False,
    codes: Sequence[int] = (0,),
) -> Spent:
    """Run a command to its end. own_threads: it chooses their number itself. codes: exit codes that are no failure.

    Raises RuntimeError with its last lines where it fails or takes too long.
    """
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        cache = Path(folder) / "cache"
        plain = {name: value for name, value in os.environ.items() if not (own_threads and name in ONE_THREAD)}
        environment = plain | ({} if own_threads else ONE_THREAD) | OFFLINE | {"GRAFTWORK_CACHE": str(cache)}
        out, err = Path(folder) / "out", Path(folder) / "err"
        began = time.monotonic()
        environment |= {"PYTHONPATH": str(BENCHMARKS), "PYTHONDONTWRITEBYTECODE": "", BEGAN: repr(began)}
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(list(map(str, command)), env=environment, stdout=stdout, stderr=stderr)
            memory, usage = _wait(process, watch_memory, began + timeout)
        wall = time.monotonic() - began
        output, told = (file.read_text(errors="replace") for file in (out, err))
        if process.returncode not in codes:
            raise RuntimeError(
                f"{' '.join(map(str, command))} ended with {process.returncode}:\n{(told + output)[-4000:]}"
            )
        return Spent(wall, usage.ru_utime + usage.ru_stime, memory, output, told, process.returncode)


def graft(*arguments: object, watch_memory: bool = False) -> Spent:
    """The command line of the project, as a user types it."""
    return run([GRAFT, "--debug", *map(str, arguments)], watch_memory=watch_memory)


def work(
    worker: str, *, own_threads: bool = False, python: str = sys.executable, processes: int = 1, **settings: Any
) -> dict[str, Any]:
    """What the program `workers/<worker>.py` measured by itself, with these settings. python: another environment's.
    processes: how many run it together, started by torchrun; the first one answers."""
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        answer = Path(folder) / "answer.json"
        together = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
        module = [*(together if processes > 1 else []), f"workers.{worker}"]
        run([python, "-m", *module, json.dumps(settings), answer], own_threads=own_threads)
        measured: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return measured


def settings_and_answer() -> tuple[dict[str, Any], Path]:
    """For a worker: its settings, and the file that its answer goes into (as JSON)."""
    return json.loads(sys.argv[1]), Path(sys.argv[2])


def _wait(process: subprocess.Popen[bytes], watch_memory: bool, deadline: float) -> tuple[int, Any]:
    """Peak anonymous bytes (0 unless watched) and the resources used, once the process is done."""
    peak = 0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return peak, usage
        if time.monotonic() > deadline:
            process.kill()
        if watch_memory:
            peak = max(peak, _anonymous(process.pid))
        time.sleep(SAMPLE_SECONDS)


def _anonymous(pid: int) -> int:
    """Bytes of memory that belong to no file: what a process really holds, memory-mapped tables apart (Linux)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has just ended
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)
