"""The working folder of a call: what each of its runs needs to go on after a stop. Removed when the call is done."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.training.checkpoint import NAME as CHECKPOINT
from graftwork.core.training.checkpoint import Checkpointing
from graftwork.data.store.cache import storing
from graftwork.data.store.locks import claimed
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import clean, is_own, remove, write_text
from graftwork.errors import CheckpointError, ClusterError, DataError, ModelError, UsageError
from graftwork.networks.manifest import is_model
from graftwork.runs.tracking.folders import TRACK

FOLDER = ".work"
Given = ParamSpec("Given")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Workspace:
    """folder: `<out>/.work`, or None where nothing is kept (Python calls without `out`). resume: go on from it.
    sparing: of checkpoints, see `Checkpointing`. workers: those of the call; worker 0 reads and writes the folder, and
    tells the others what it holds."""

    folder: Path | None = None
    resume: bool = False
    sparing: bool = False
    workers: Workers = ALONE

    @property
    def writes(self) -> bool:
        """Whether this process writes the folder, if there is any."""
        return self.folder is not None and self.workers.leads

    @property
    def place(self) -> Path | None:
        """The folder that `--out` names."""
        return self.folder.parent if self.folder else None

    def checkpoints(self, name: str, fingerprint: str) -> Checkpointing | None:
        """Where the run `name` keeps its checkpoints."""
        if self.folder is None:
            return None
        return Checkpointing(self.folder / name, fingerprint, self.resume, sparing=self.sparing)

    def recall(self, name: str, kind: Any) -> Any:
        """What `remember` kept under this name in the run that is resumed, or None. kind: its type.

        Raises CheckpointError where it is something else."""
        if self.folder is None or not self.resume:
            return None
        return self.workers.decide(lambda: self._kept(name, kind))

    def _kept(self, name: str, kind: Any) -> Any:
        assert self.folder is not None
        if not (file := self.folder / f"{name}.json").is_file():
            return None
        try:
            known = json.loads(file.read_text(encoding="utf-8"))
            wrong = misfit(known, kind)
        except (ValueError, RecursionError) as error:
            wrong = str(error)
        if wrong:
            raise self.damaged(name, wrong)
        return known

    def damaged(self, name: str, wrong: str) -> CheckpointError:
        """For what is kept under a name and can't be right."""
        return CheckpointError(
            f"{self.folder}/{name}.json is damaged ({wrong}): what the run decided can't be repeated. Choose another "
            f"--out, or remove {self.place} and start afresh without --resume."
        )

    def remember(self, name: str, value: Any) -> None:
        """Keep plain data (a step count found by timing), so that a resumed run decides the same."""
        if self.folder is None or not self.writes:
            return
        with storing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_text(self.folder / f"{name}.json", json.dumps(value), lasting=True)

    def clear(self) -> None:
        if self.folder is not None and self.writes:
            remove(self.folder)

    @contextmanager
    def cleared_if_refused(self) -> Iterator[None]:
        """What is refused before the first checkpoint leaves nothing to go on with, and so nothing in the way."""
        try:
            yield
        except (UsageError, DataError, ModelError, ClusterError):
            if self.folder is not None and self.writes and not self.resume and not any(self.folder.rglob(CHECKPOINT)):
                self.clear()
                with suppress(OSError):  # it was not there before, or is no longer
                    self.folder.parent.rmdir()
            raise


def claims_out(call: Callable[Given, Result]) -> Callable[Given, Result]:
    """A function with an argument `out`, of which only one at a time writes to the same folder or file.

    The second one raises UsageError at once.
    """

    @wraps(call)
    def alone(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        with claimed(kwargs.get("out")):  # type: ignore[arg-type]
            return call(*args, **kwargs)

    return alone


def holds_something(out: Path) -> bool:
    """Whether there is anything in the folder but what this project left there for a while, and curves of a call that
    came to nothing, which nothing overwrites."""
    return any(not is_own(path.name) and path.name != TRACK for path in out.iterdir())


def unfinished(out: Path) -> bool:
    """Whether there is a run to go on with."""
    return (out / FOLDER).is_dir()


def check_free(out: str | os.PathLike[str] | None) -> None:
    """Raise UsageError where `out` is a file, or a folder that holds anything, so that nothing is overwritten."""
    if out is None:
        return
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file. Name a folder.")
    if out.is_dir() and holds_something(out):
        if unfinished(out):
            raise UsageError(
                f"{out} holds an unfinished run. Repeat the command that began it with --resume to go on, or choose "
                "another --out."
            )
        what = "a finished model" if is_model(out) else "something else"
        raise UsageError(f"{out} holds {what}. Choose another --out, or remove it first.")


def open_workspace(out: Path | None, resume: bool) -> Workspace:
    """The workspace below `out`, which must be new, empty, or the same call's when resuming.

    Raises UsageError where `out` holds something else, so that nothing is overwritten.
    """
    if out is None:
        return Workspace()
    clean(out)
    if not resume or not out.is_dir():
        check_free(out)
    elif holds_something(out) and not unfinished(out):
        what = "a finished model" if is_model(out) else "something that is not a run of graftwork"
        raise UsageError(f"{out} holds {what}. There is nothing to resume: choose another --out.")
    return Workspace(out / FOLDER, resume)
