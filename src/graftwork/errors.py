"""Every error a user can meet. Each says what happened, what was expected, where, and how to mend it."""

from __future__ import annotations

import difflib
import re
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


class FetchError(ModelError):
    """A base can't be fetched; nothing of it was kept."""


class MissingPackageError(GraftworkError):
    """A recipe or a saved model needs something that another package brings, and that is not installed."""


class CheckpointError(GraftworkError):
    """A checkpoint can't be written or does not belong to this run."""


class ClusterError(GraftworkError):
    """A cluster can't be reached, or a machine of it can't do what is asked."""


class NumericalError(GraftworkError):
    """The arithmetic can't be carried out on these rows."""


class WorkerError(GraftworkError):
    """A process that did a part of the work has ended, and no other one could do that part."""


class NonFiniteLossError(GraftworkError):
    """The loss became NaN or infinite; the last good checkpoint is kept."""


class WorkersError(GraftworkError):
    """Workers were lost and could not be replaced; what they did up to the last checkpoint is kept."""


MANY = 40
"""Names that are too many to be listed behind a suggestion."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that suggests what `name` may have meant, and lists what is known; a long list only where nothing is
    near.

    >>> nearest("lable", ["text", "label"])
    "Did you mean 'label'? Known: label, text."
    """
    options = sorted(known)
    meant = " or ".join(f"'{option}'" for option in _meant(name, options))
    if meant and len(options) > MANY:
        return f"Did you mean {meant}?"
    listing = f"Known: {', '.join(options)}." if options else "There are none."
    return f"Did you mean {meant}? {listing}" if meant else listing


def _meant(name: str, options: list[str]) -> list[str]:
    """Two at most that are spelled nearly alike, else those that have the name in them."""
    lower = {option.lower(): option for option in options}
    close = difflib.get_close_matches(name.lower(), lower, n=2, cutoff=0.6)
    within = [option for option in lower if len(name) > 1 and name.lower() in re.split(r"[^a-z0-9]+", option)]
    return [lower[option] for option in close or within[:2]]
