"""The folder of a tune: below `--out` the model, and in `tune` its study and its trials, which stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from graftwork.data.store.writing import clean, is_own, move, remove
from graftwork.errors import DataError, ModelError, UsageError
from graftwork.evidence.tune.page.files import HTML, JSON
from graftwork.evidence.tune.table import PARQUET
from graftwork.runs.tune.study.identity import STUDY
from graftwork.runs.workspace import check_free
from graftwork.saving import REPORTS

FOLDER, TRIALS = "tune", "trials"
BEFORE = "tune-before"
"""Beside it, the study that `--new` takes the place of, until there is another."""


def open_folder(out: Path | None, *, resume: bool, new: bool) -> Path | None:
    """Where the study of a tune is kept below `out`; None where nothing is kept. For who holds the folder's lock.

    out must be new, empty, or hold a study: with `resume` that is gone on with, with `new` another takes its place.
    Raises UsageError where it holds something else, so that nothing is overwritten.
    """
    if resume and new:
        raise UsageError("--resume goes on with the study that is there, and --new begins another. Give one of them.")
    if out is None:
        if resume or new:
            raise UsageError(f"--{'resume' if resume else 'new'} needs --out: the folder of the study.")
        return None
    clean(out)
    _put_right(out)
    folder, there = out / FOLDER, holds_study(out)
    if resume and not there:
        raise UsageError(f"{out} holds no study of a tune. There is nothing to resume: leave --resume out.")
    if there and not (resume or new):
        raise UsageError(
            f"{out} holds a study of a tune. Go on with it with --resume (and more --trials, or another --budget), "
            "begin afresh in its place with --new, or choose another --out."
        )
    if not there:
        check_free(out)
    return folder


def holds_study(out: Path) -> bool:
    """Whether a tune was begun there."""
    return (out / FOLDER / STUDY).is_file()


def _put_right(out: Path) -> None:
    """After a process that was ended before it had made its study: the one that was to be replaced is back, and what
    was decided for one that never was is gone."""
    folder, before = out / FOLDER, out / BEFORE
    if before.is_dir() and holds_study(out):
        remove(before)
    elif before.is_dir():
        remove(folder)
        move(before, folder)
    elif folder.is_dir() and not holds_study(out) and all(_is_decision(path) for path in folder.iterdir()):
        remove(folder)


def _is_decision(path: Path) -> bool:
    """A file of `Workspace.remember`, or one that was being written."""
    return path.suffix == ".json" or is_own(path.name)


def without_reports(out: Path) -> None:
    """Remove what is said of a model that another one is about to replace."""
    for name in (*REPORTS, HTML, JSON, PARQUET):
        remove(out / name)


@contextmanager
def removed_if_refused(folder: Path | None, *, new: bool) -> Iterator[None]:
    """What is refused before the first trial leaves nothing to go on with, and so nothing in the way; nor does it leave
    decisions in a study that is gone on with. new: a study that is there makes room; it is gone when the block ends
    well, and else it is back, as where an option was misspelled."""
    before = None
    if new and folder is not None and folder.is_dir():
        before = folder.with_name(BEFORE)
        move(folder, before)
    kept = set(folder.iterdir()) if folder is not None and folder.is_dir() else set()
    try:
        yield
    except BaseException as error:
        if folder is not None and before is not None:
            remove(folder)
            move(before, folder)
        elif folder is not None and not (folder / TRIALS).is_dir() and _leaves_nothing(folder, error):
            remove(folder)
            with suppress(OSError):  # it was not there before, or is no longer
                folder.parent.rmdir()
        elif folder is not None and folder.is_dir():
            for path in set(folder.iterdir()) - kept:
                if _is_decision(path):
                    remove(path)
        raise
    if before is not None:
        remove(before)


def _leaves_nothing(folder: Path, error: BaseException) -> bool:
    """Whether it was refused, or ended, as by Ctrl-C, before there was a study."""
    return isinstance(error, (UsageError, DataError, ModelError)) or not (folder / STUDY).is_file()
