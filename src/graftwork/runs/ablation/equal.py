"""`--equal seconds`: arms that get equal time in place of equal steps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from graftwork.core.training.timing import affordable_steps
from graftwork.data.store.cache import digest, storing
from graftwork.data.store.writing import write_text
from graftwork.errors import UsageError
from graftwork.runs.ablation.arms import Arm, Arms
from graftwork.runs.ablation.keys import Keys
from graftwork.runs.ablation.repeats import Repeat
from graftwork.runs.finished_store import folder
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import make_ready


def with_equal_seconds(arms: Arms, repeat: Repeat, keys: Keys, listener: Listener) -> Arms:
    """The arms with as many steps as take the time of the first one's, as steps are timed here; what was decided is
    kept, so that the same ablation goes on with the same steps.

    Raises UsageError where the first arm makes no steps.
    """
    names = list(arms.each)
    named = digest("equal seconds", *(keys.of(arms.each[name], repeat) for name in names))
    file = folder() / f"steps-{named}.json"
    steps = _known(file.read_text(encoding="utf-8"), names) if file.is_file() else None
    if steps is None:
        steps = _timed(arms, repeat, listener)
        with storing(file.parent):
            file.parent.mkdir(parents=True, exist_ok=True)
            write_text(file, json.dumps(steps), lasting=True)
    listener.note("equal seconds: " + ", ".join(f"{name} {count:,} steps" for name, count in steps.items()))
    return replace(arms, each={name: _with_steps(arm, steps[name]) for name, arm in arms.each.items()})


def _timed(arms: Arms, repeat: Repeat, listener: Listener) -> dict[str, int]:
    """Steps by arm; those of an arm that makes none stay none."""
    steps, seconds = dict[str, int](), 0.0
    for name, arm in arms.each.items():
        listener.doing(f"timing steps: {name}")
        run = make_ready(repeat.job(arm), repeat.recipe(arm), started=True)
        timed = affordable_steps(run, None)
        if not steps and not timed.steps:
            raise UsageError(
                f"--equal seconds shares out the time of the steps of '{name}', but it makes none: its head is solved. "
                "Leave --equal out."
            )
        seconds = seconds or timed.step * timed.steps
        steps[name] = max(1, round(seconds / timed.step)) if timed.steps else 0
    return steps


def _with_steps(arm: Arm, steps: int) -> Arm:
    training = replace(arm.recipe.training, steps=steps, epochs=None, cuts=())
    return replace(arm, recipe=replace(arm.recipe, training=training)) if steps else arm


def _known(text: str, names: list[str]) -> dict[str, int] | None:
    try:
        told: object = json.loads(text)
    except ValueError:
        return None
    if not isinstance(told, Mapping) or list(told) != names or not all(type(one) is int for one in told.values()):
        return None
    return dict(told)
