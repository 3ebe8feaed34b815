"""The anytime default, for `techniques: auto`: a sequence of runs, each a plain recipe, and the best one is kept.

First a probe, which is there within seconds; then, while the budget lasts, a fine-tune that begins from it with the
lower blocks frozen and cached. The winner's resolved recipe is an ordinary recipe that repeats it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from graftwork.core.settings import Training
from graftwork.networks.bases import parse_base
from graftwork.recipe import Recipe
from graftwork.runs.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.single import Candidate, run_single
from graftwork.runs.workspace import Workspace
from graftwork.techniques import LabelSmoothing, Partial, Probe, WarmStart

LEFT = 0.1
"""A run is begun only if at least this share of the budget is left for it."""


def planned_recipes(job: Job, recipe: Recipe) -> list[tuple[str, Recipe]]:
    """The runs in their order. A recipe with its own techniques is one run; so is a base without pretrained weights."""
    if recipe.techniques != "auto":
        return [("run", recipe)]
    if not parse_base(recipe.base).pretrained:
        return [("train", replace(recipe, techniques=()))]
    return [("probe", replace(recipe, techniques=(Probe(),))), ("tune", tuned(job, recipe))]


def tuned(job: Job, recipe: Recipe) -> Recipe:
    """The fine-tune that begins from the probe; settings that the recipe names stay as they are."""
    few = job.valid is None
    techniques = (WarmStart(), LabelSmoothing(0.1)) if few else (WarmStart(), Partial(2), LabelSmoothing(0.1))
    suggested = Training(lr=1e-4, head_lr=1e-3, epochs=3)
    return replace(recipe, techniques=techniques, training=_filled(recipe.training, suggested))


def run_all(
    job: Job, recipe: Recipe, workspace: Workspace, listener: Listener, deadline: float | None
) -> tuple[list[Candidate], Candidate]:
    """Run what is planned while time lasts; the candidates in order, and the one to keep."""
    began, candidates = time.monotonic(), list[Candidate]()
    for name, one in planned_recipes(job, recipe):
        if candidates and deadline is not None and workspace.recall(name) is None:
            left, whole = deadline - time.monotonic(), max(deadline - began, 1e-9)
            if left < LEFT * whole or left < candidates[-1].wall * LEFT:
                listener.note(f"{name}: left out, the budget is used up")
                break
        try:
            candidates.append(
                run_single(job, one, name=name, workspace=workspace, listener=listener, deadline=deadline)
            )
        except KeyboardInterrupt:
            if not candidates:
                raise
            last = candidates[-1]
            candidates[-1] = replace(last, fitted=replace(last.fitted, interrupted=True))
        if candidates[-1].fitted.interrupted:
            break
    kept = best(candidates)
    if len(candidates) > 1:
        listener.note(f"kept: {kept.name}")
    return candidates, kept


def best(candidates: Sequence[Candidate]) -> Candidate:
    """The highest score on validation; without validation the last one, which is built to be better on few rows."""
    if any(candidate.score is None for candidate in candidates):
        return candidates[-1]
    return max(candidates, key=lambda candidate: candidate.score if candidate.score is not None else 0.0)


def _filled(training: Training, suggested: Training) -> Training:
    """`training` with the settings it leaves open taken from `suggested`."""
    names = ("lr", "head_lr", "epochs")
    return replace(training, **{n: getattr(suggested, n) for n in names if getattr(training, n) is None})
