"""What several workers can't compute: refused before anything is trained, with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graftwork.core.technique import Graft, Technique
from graftwork.errors import RefusedError
from graftwork.tasks.task import Task


def check_workers(techniques: Sequence[Technique], tasks: Mapping[str, Task], count: int) -> None:
    """Raise RefusedError where a technique or a task is right in one process only, and there are more workers."""
    if count == 1:
        return
    if alone := which_runs_alone(techniques):
        raise RefusedError(
            f"{alone.name} can't run with {count} workers: it {alone.one_worker}. Drop it, or leave out --workers."
        )
    for task in tasks.values():
        if task.couples_rows:
            raise RefusedError(
                f"The task {task.name} can't run with {count} workers: it compares the rows of a batch, of which a "
                "worker sees its part only. Use another --task, or leave out --workers."
            )


def which_runs_alone(techniques: Sequence[Technique]) -> Technique | None:
    """The first technique that is right in one process only; None where there is none."""
    return next((technique for technique in techniques if technique.one_worker), None)


def check_stages(techniques: Sequence[Technique], grafts: Sequence[Graft], count: int) -> None:
    """Raise RefusedError where a technique descends in a way of its own, and nothing says that parts add up so."""
    for technique, graft in zip(techniques, grafts, strict=True):
        unsaid = type(technique).one_worker is Technique.one_worker
        if count > 1 and graft.gradient is not None and unsaid:
            raise RefusedError(
                f"{technique.name} can't run with {count} workers: it has a gradient stage, and does not say whether "
                "that is right where each worker has a part of the batch (`Technique.one_worker`). Drop it, or leave "
                "out --workers."
            )
