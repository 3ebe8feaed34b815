"""Rows of an old task among the training rows: what the base was trained for before, and the heads that it had then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from graftwork.networks.heads.head import Head
from graftwork.tasks.task import Task


@dataclass(frozen=True)
class OldRows:
    """What is known of the rows of one table of an old task, which were put behind the training rows of a run.

    tasks: by target of the old model. targets, labelled: by old target, of all N training rows: encoded (N, ...), and
        the mask (N,), which is False for the run's own rows. heads: fresh copies of the old model's heads, by target,
        which read the features of a row. key: changes with what they are to learn, and from which heads.
    """

    tasks: Mapping[str, Task]
    targets: Mapping[str, np.ndarray]
    labelled: Mapping[str, np.ndarray]
    heads: Callable[[], Mapping[str, Head]]
    key: str = ""
