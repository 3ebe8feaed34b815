"""Whether a trial is begun: one that ends its process, as where memory runs out, would end every call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

from graftwork.cluster.work import KILLS
from graftwork.core.training.checkpoint import NAME as CHECKPOINT
from graftwork.data.store.cache import storing
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import remove, write_text
from graftwork.devices import chosen
from graftwork.errors import NumericalError
from graftwork.recipe import Recipe
from graftwork.runs.candidates.planned import is_probe
from graftwork.runs.job.job import Job
from graftwork.runs.lacking_memory import lacking_memory
from graftwork.runs.single.run import make_ready
from graftwork.runs.tune.space.refused import SEEN

FILE = "starts.json"


class _Starts(TypedDict):
    """times: that it was begun since it last came further. came: how far it was then."""

    times: int
    came: list[int]


def starts_in_vain(folder: Path) -> int:
    """How often in a row processes ended in the midst of the trial in this folder, and it came no further."""
    known = _read(folder)
    return 0 if known is None or known["came"] != _came(folder) else known["times"]


def check_starts(folder: Path) -> None:
    """Raise NumericalError for a trial that has ended its process too often to be begun again."""
    if starts_in_vain(folder) >= KILLS:
        raise NumericalError(f"It ended its process {KILLS} times in a row, as where memory runs out.")


def lacks_memory(job: Job, recipe: Recipe) -> str:
    """Why the memory of this machine is too small for a fine-tune; "" where it is not. job: of some of its rows the
    longest are looked at."""
    if chosen().type != "cpu" or is_probe(recipe):
        return ""
    rows, small = max(SEEN, recipe.training.batch), replace(recipe, rows=None, valid_rows=None)
    why = lacking_memory(make_ready(job.sample(rows, recipe.seed, SEEN), small, sketched=True))
    return f"The memory is too small for it: {why}." if why else ""


@contextmanager
def started(folder: Path) -> Iterator[None]:
    """Note that the trial in this folder is under way; that is gone when the block ends, however it does."""
    times = starts_in_vain(folder) + 1
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / FILE, json.dumps(_Starts(times=times, came=_came(folder))), lasting=True)
    try:
        yield
    finally:
        remove(folder / FILE)


def _came(folder: Path) -> list[int]:
    """Changes with each checkpoint and each rung."""
    files = [*folder.rglob(CHECKPOINT), *folder.glob("judged-*")] if folder.is_dir() else []
    return sorted(path.stat().st_mtime_ns for path in files)


def _read(folder: Path) -> _Starts | None:
    try:
        found: _Starts = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return None if misfit(found, _Starts) else found
