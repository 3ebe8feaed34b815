"""The anytime default, for `techniques: auto`: a sequence of runs, each a plain recipe, and the best one is kept.

First probes on the frozen base, which are there within seconds: similarity to the training rows, a small MLP, a linear
head, all on the same features. Then, while the budget lasts, a fine-tune that begins from a probe, with the lower
blocks frozen and cached. Validation chooses. With too few rows to hold some out, a rule chooses: the fine-tune for few
rows. Where the base has nothing to train (the columns of a table), another one is trained in its place.
The winner's resolved recipe is an ordinary recipe that repeats it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from graftwork.errors import NonFiniteLossError, NumericalError
from graftwork.recipe import Recipe
from graftwork.runs.candidates import planned_recipes
from graftwork.runs.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single import Candidate, run_single
from graftwork.runs.workspace import Workspace

LEFT = 0.1
"""A run is begun only if this share of the budget is left for it, and the time of one run like the last."""

FAILURES = (NonFiniteLossError, NumericalError, MemoryError, RuntimeError, ArithmeticError)
"""What a run can fail of that another one need not: torch and numpy raise the last ones for matrices that can't be
factored and for memory that can't be had."""


def run_all(
    job: Job, recipe: Recipe, workspace: Workspace, listener: Listener, deadline: float | None
) -> tuple[list[Candidate], Candidate]:
    """Run what is planned while time lasts; the candidates in order, and the one to keep.

    Ctrl-C ends the sequence with what there is. A run that fails (its loss is not finite, its arithmetic breaks down,
    the memory is too small) is left out and said. Before the first candidate is done Ctrl-C is raised again; where no
    run is left, the first failure is. Only the network of the best candidate keeps its weights in memory.
    """
    began, candidates = time.monotonic(), list[Candidate]()
    failures = list[Exception]()
    for name, one in planned_recipes(job, recipe):
        if candidates and not _time_left(name, candidates, workspace, began, deadline):
            listener.note(f"{name}: left out, the budget is used up")
            continue
        try:
            done = run_single(job, one, name=name, workspace=workspace, listener=listener, deadline=deadline)
            candidates.append(done)
        except FAILURES as error:
            if isinstance(error, NotImplementedError | RecursionError):
                raise  # a fault of the program, not of the numbers
            failures.append(error)
            listener.note(f"{name}: left out. {failure_text(error)}")
            continue
        except KeyboardInterrupt:
            if not candidates:
                raise
            last = candidates[-1]
            candidates[-1] = replace(last, fitted=replace(last.fitted, interrupted=True))
        for candidate in candidates:
            if candidate is not best(candidates):
                candidate.network.to("meta")
        if candidates[-1].fitted.interrupted:
            break
    if not candidates:
        raise failures[0]
    kept = best(candidates)
    if len(candidates) > 1:
        listener.note(f"kept: {kept.name}")
    return candidates, kept


def failure_text(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, MemoryError) or "allocate memory" in str(error) or "out of memory" in str(error):
        return "The memory is too small for it."
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]} ..."


def best(candidates: Sequence[Candidate]) -> Candidate:
    """The highest score on validation; without validation the last one, which is built to be better on few rows."""
    if any(candidate.score is None for candidate in candidates):
        return candidates[-1]
    return max(candidates, key=lambda candidate: candidate.score if candidate.score is not None else 0.0)


def _time_left(
    name: str, candidates: Sequence[Candidate], workspace: Workspace, began: float, deadline: float | None
) -> bool:
    """Whether there is time for one more run; a resumed call runs what it ran before."""
    decided = workspace.recall(f"{name}-begun")
    if decided is None:
        left = float("inf") if deadline is None else deadline - time.monotonic()
        whole = 0.0 if deadline is None else deadline - began
        decided = left > max(LEFT * whole, candidates[-1].wall if len(candidates) > 1 else 0.0)
    workspace.remember(f"{name}-begun", decided)
    return bool(decided)
