"""What is looked at before workers are started: their number, this machine, and whether each would have rows."""

from __future__ import annotations

import socket
import warnings

from graftwork import threads
from graftwork.core.planning.refusals import which_runs_alone
from graftwork.core.planning.sharded import which_needs_whole
from graftwork.core.run import Run
from graftwork.errors import UsageError
from graftwork.recipe import Recipe


def check_number(workers: object) -> None:
    """Raise UsageError for what is no number of workers."""
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise UsageError(f"workers is {workers!r}. Expected a whole number of 1 or more.")


def check_several(workers: int, recipe: Recipe) -> None:
    """Raise UsageError where layers are to be sharded over a single worker."""
    if workers == 1 and recipe.training.sharded:
        raise UsageError(
            "sharded splits the layers of a base over several workers, and one process makes this run. Add --workers N "
            "(in Python workers=N), or leave out sharded."
        )


def why_alone(asked: Recipe, run: Recipe) -> str:
    """Why one process makes a run of `techniques: auto`, whose techniques nobody named; empty where several can. Those
    that a recipe names are refused where they can't be shared. asked: the recipe of the call. run: that of the run."""
    if asked.techniques != "auto":
        return ""
    if alone := which_runs_alone(run.listed):
        return f"{alone.name} {alone.one_worker}"
    held = which_needs_whole(run.listed) if run.training.sharded else None
    return "" if held is None else f"{held.name} {held.whole_weights}"


def check_rows(run: Run, name: str) -> None:
    """Raise UsageError where a run has more workers than rows for them."""
    count, rows, batch = run.workers.count, len(run.train), run.plan.step_rows or run.training.batch
    if count > rows:
        raise UsageError(f"There are {count} workers for {rows} training rows. Expected at most --workers {rows}.")
    if count > batch and run.plan.total_steps:
        raise UsageError(
            f"{name}: there are {count} workers, and a batch has {batch} rows, of which each computes a part. "
            f"Expected at most --workers {batch}, or larger batches: --set batch={count * 8}."
        )


def check_here(workers: int) -> None:
    """Raise UsageError where several workers can't run on this machine."""
    from torch import distributed

    if not distributed.is_available() or not distributed.is_gloo_available():
        raise UsageError(
            f"--workers {workers}: this build of torch has no torch.distributed with gloo, by which workers talk. "
            "Install torch from pypi.org, or leave out --workers."
        )
    if not hasattr(socket, "AF_UNIX"):
        raise UsageError(f"--workers {workers} needs Linux or macOS. Leave it out, or use WSL.")
    cores = threads.usable()
    if workers > cores:
        warnings.warn(
            f"There are {workers} workers, and this machine has {cores} {'core' if cores == 1 else 'cores'} for them: "
            f"they wait for each other. Expected at most --workers {cores}.",
            stacklevel=2,
        )
