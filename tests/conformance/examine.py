"""All that must hold of a set of techniques in one fixture, found with as few tiny runs as it takes."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from conformance.effects import OUTPUTS, equal
from conformance.table import BY_NAME, techniques
from graftwork.core.fit import Fitted, fit
from graftwork.core.run import Run
from graftwork.core.training.checkpoint import Checkpointing
from graftwork.errors import RefusedError
from tinyrun import Fixture, Killed, kill_at, same, weights

STEPS = 4
SHORT: dict[str, Any] = {"steps": STEPS, "evaluations": 1, "keep": "last"}
KNOWN: dict[tuple[Fixture, tuple[str, ...]], str | None] = {}
"""What sets have trained to, see `trained`: most of the sets that a triple is compared with are pairs of others too."""
WAY_OUT = re.compile(r"Drop |[Uu]se |Expected |--task|a base (or|of|whose)|a domain column|a group column")


@dataclass(frozen=True)
class Outcome:
    """What became of a set. refused: the reason, None where it trained. faults: what is wrong, if anything."""

    names: tuple[str, ...]
    refused: str | None = None
    faults: tuple[str, ...] = ()


def examine(names: tuple[str, ...], fixture: Fixture, folder: Path) -> Outcome:
    """Trained, all of it and to the same bits in another order, stopped and resumed, with every technique at work;
    or refused with a reason. folder: for checkpoints."""
    try:
        run = fixture.run(techniques(names), **SHORT)
    except RefusedError as error:
        return Outcome(names, str(error), unclear(str(error), names))
    except Exception as error:
        return Outcome(names, faults=(f"{type(error).__name__}: {error}",))
    try:
        unmoved, fitted = train(run)
        KNOWN[fixture, names] = digest(fitted.network)
        faults = [*unsound(run, fitted), *(f"{name} gets no gradient" for name in unmoved)]
        faults += other_order(names, fixture, run, fitted, folder)
        faults += [f"{name} does nothing any more" for name in silent(names, fixture, run)]
    except Exception as error:
        faults = [f"{type(error).__name__}: {error}"]
    return Outcome(names, faults=tuple(faults))


def unclear(reason: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """A fault where a refusal names none of the techniques, or no way out."""
    clear = any(name in reason for name in names) and WAY_OUT.search(reason)
    return () if clear else (f"unclear reason: {reason}",)


def train(run: Run) -> tuple[list[str], Fitted]:
    """Which trainable parameters never got a gradient, of the network and of the techniques; and the result."""
    learning = dict(run.network.named_parameters()) | dict(run.stages.state.named_parameters(prefix="state"))
    learning = {name: value for name, value in learning.items() if value.requires_grad}
    waiting: dict[str, nn.Parameter] = dict(learning)

    def look(_: object) -> None:
        moved = [name for name, value in waiting.items() if value.grad is not None and bool(value.grad.any())]
        for name in moved:
            del waiting[name]

    fitted = fit(run, observers=[look])
    return list(waiting), fitted


def unsound(run: Run, fitted: Fitted) -> list[str]:
    losses = [point.loss for point in fitted.history if point.loss is not None]
    finite = all(torch.isfinite(value).all() for value in fitted.network.state_dict().values())
    sound = losses and all(map(math.isfinite, losses)) and finite and fitted.steps == run.plan.total_steps == STEPS
    return [] if sound else [f"losses {losses}, {fitted.steps} steps, finite weights: {finite}"]


def other_order(names: tuple[str, ...], fixture: Fixture, run: Run, fitted: Fitted, folder: Path) -> list[str]:
    """Listed the other way round, stopped before its last checkpoint and resumed: the same plan and the same bits."""
    listed, kept = techniques(names[::-1]), Checkpointing(folder, "run", seconds=0.0)
    try:
        fixture.fit(listed, observers=[kill_at(STEPS)], checkpoints=kept, **SHORT)
    except Killed:
        pass
    else:
        return ["was not stopped"]
    again, resumed = fixture.fit(listed, checkpoints=Checkpointing(folder, "run", resume=True, seconds=0.0), **SHORT)
    if again.plan != run.plan:
        return ["another order gives another plan"]
    if same(weights(resumed.network), weights(fitted.network)) and resumed.history == fitted.history:
        return []
    whole = weights(fixture.fit(listed, **SHORT)[1].network)
    return ["does not resume" if same(whole, weights(fitted.network)) else "depends on the order of the list"]


def silent(names: tuple[str, ...], fixture: Fixture, run: Run) -> list[str]:
    """The techniques of which nothing is seen beside the others, and of which the plan does not say so either: a batch
    in parts may leave a technique that compares rows too few of them."""
    told = [note for note in run.plan.notes if "changes the loss of" in note]
    quiet = [name for name in names if not acts(name, names, fixture)]
    return [name for name in quiet if not any(f"of {name}," in note for note in told)]


def acts(name: str, names: tuple[str, ...], fixture: Fixture) -> bool:
    """Whether the set without this technique gives something else. Refused without it: then it is needed."""
    changes, rest = BY_NAME[name].changes, tuple(other for other in names if other != name)
    if changes == "claims":
        return True
    if changes in ("weights", "kept"):
        return trained(rest, fixture) != trained(names, fixture)
    try:
        without = OUTPUTS[changes](fixture, *techniques(rest))
    except RefusedError:
        return True
    return not equal(OUTPUTS[changes](fixture, *techniques(rest), BY_NAME[name].acts), without)


def trained(names: tuple[str, ...], fixture: Fixture) -> str | None:
    """A digest of the weights that these techniques train, found once in a fixture; None where they are refused."""
    if (fixture, names) not in KNOWN:
        try:
            KNOWN[fixture, names] = digest(fixture.fit(techniques(names), **SHORT)[1].network)
        except RefusedError:
            KNOWN[fixture, names] = None
    return KNOWN[fixture, names]


def digest(network: nn.Module) -> str:
    """The same for the same weights."""
    found = hashlib.sha256()
    for name, value in sorted(weights(network).items()):
        found.update(name.encode())
        found.update((value.contiguous() + 0).numpy().tobytes())  # both zeros are one number
    return found.hexdigest()
