"""Runs the program that trains trees, and waits for it: what it takes and gives lies in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import graftwork
from graftwork.errors import NumericalError
from graftwork.networks.heads.solving.problem import Check
from graftwork.shown import shortened_text
from graftwork.threads import prepare

PROGRAM = "graftwork.networks.heads.solving.tree_worker"
SHORT, LONG = 0.01, 0.2
"""Seconds between two looks at whether it is done: at first, and at most."""


def run_worker(folder: Path, check: Check) -> None:
    """Run it on a folder to its end. check: called all the while; where it raises, the program is ended.

    Raises NumericalError, with what it said last, where it fails.
    """
    # -P: nothing in the folder in which the command was called is taken for a module.
    command = [sys.executable, "-P", "-m", PROGRAM, str(folder)]
    with (
        (folder / "told.txt").open("wb") as told,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=told, stderr=told, cwd=folder, env=_environment()
        ) as process,
    ):
        try:
            pause = SHORT
            while process.poll() is None:
                check()
                time.sleep(pause)
                pause = min(2 * pause, LONG)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        lines = (folder / "told.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = shortened_text(lines[-1], 300) if lines else "it said nothing"
        raise NumericalError(
            f"LightGBM could not be trained: its process ended with {process.returncode} ({last}). "
            "Use another head, such as --set head=linear."
        )


def _environment() -> dict[str, str]:
    """This process's own, by which its modules are found from any folder; threads that wait give their core away."""
    own = str(Path(graftwork.__file__).parents[1])
    others = [str(Path(one).absolute()) for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join([own, *others])}
    prepare(found)
    return found
