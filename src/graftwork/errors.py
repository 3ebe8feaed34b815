"""Every error a user can meet. Each says what happened, what was expected, where, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GraftworkError(Exception):
    """Base of all errors that are meant for the user. The command line prints it without a traceback."""

    exit_code = 1


class UsageError(GraftworkError):
    """The call itself is wrong: an unknown name, a setting out of its range, a missing argument."""

    exit_code = 2


class RefusedError(UsageError):
    """These techniques can't run together, or not on this table, task or base."""


class DataError(GraftworkError):
    """The data can't be used as they are."""


class ModelError(GraftworkError):
    """A base or a saved model can't be loaded."""


class CheckpointError(GraftworkError):
    """A checkpoint can't be written or does not belong to this run."""


class NumericalError(GraftworkError):
    """The arithmetic can't be carried out on these rows."""


class NonFiniteLossError(GraftworkError):
    """The loss became NaN or infinite; the last good checkpoint is kept."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that suggests what `name` may have meant, and lists what is known.

    >>> nearest("lable", ["text", "label"])
    "Did you mean 'label'? Known: label, text."
    """
    options = sorted(known)
    close = difflib.get_close_matches(name, options, n=2, cutoff=0.6)
    meant = " or ".join(f"'{option}'" for option in close)
    listing = f"Known: {', '.join(options)}." if options else "There are none."
    return f"Did you mean {meant}? {listing}" if meant else listing
