"""What a task does to the inputs of a batch: it hides some, or shows each row twice, and asks for what it hid.

One place for all kinds of inputs: the task itself (`tasks/capabilities.py: Corrupts`) knows what it reads and what it
asks for. It is no technique, since the run means nothing without it; and no method of the encoders, since what is
hidden and what is asked for belong together. Techniques come between: rows are shown twice before augmentations, so
that these make the two views, and hidden behind them, so that what is asked for is what an augmentation left.

In training the draws come from a stream of the task's own, which checkpoints keep; at validation and prediction from
one that begins anew each time, so that scores of two steps compare the same hidden things.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from graftwork.core.rows.examples import units_of
from graftwork.data.batch import Batch, whole
from graftwork.data.store.cache import digest
from graftwork.networks.network import Network
from graftwork.tasks.capabilities import Corrupts
from graftwork.tasks.task import Task

Change = Callable[[Batch], Batch]
_HELD_OUT = 20_11  # any number: what is drawn for rows that are not trained on


@dataclass(frozen=True)
class Corruption:
    """before: what is done to a batch ahead of all techniques; behind: after them. generators: the tasks' streams."""

    before: Change
    behind: Change
    generators: Mapping[str, torch.Generator]

    def __call__(self, batch: Batch) -> Batch:
        return self.behind(self.before(batch))


def corruption(tasks: Mapping[str, Task], network: Network, seed: int | None = None) -> Corruption | None:
    """What these tasks do to a batch; None where none does anything. seed: of the run; None for rows that are not
    trained on."""
    own = {name: task for name, task in tasks.items() if isinstance(task, Corrupts)}
    if not own:
        return None
    streams = {name: torch.Generator().manual_seed(_seed(task, seed)) for name, task in tasks.items() if name in own}

    def change(batch: Batch, *, twice: bool) -> Batch:
        for name, task in own.items():
            if task.shows_twice:
                batch = _twice(batch) if twice else batch
            elif not twice:
                batch = task.corrupt(batch, name, network, streams[name])
        return whole(batch, units_of(batch, tasks))

    generators = {f"task.{name}": stream for name, stream in streams.items()}
    return Corruption(lambda batch: change(batch, twice=True), lambda batch: change(batch, twice=False), generators)


def corrupts(tasks: Mapping[str, Task]) -> bool:
    """Whether any of the tasks changes its inputs, so that nothing of them can be computed once for all."""
    return any(isinstance(task, Corrupts) for task in tasks.values())


def shown_twice(tasks: Mapping[str, Task]) -> bool:
    """Whether any of the tasks compares two views of a row."""
    return any(isinstance(task, Corrupts) and task.shows_twice for task in tasks.values())


def _twice(batch: Batch) -> Batch:
    """Each row, and the same again right behind it."""
    return batch.part(torch.arange(len(batch), device=batch.rows.device).repeat_interleave(2))


def _seed(task: Task, seed: int | None) -> int:
    return _HELD_OUT if seed is None else int(digest("task", task.name, str(seed))[:15], 16)
