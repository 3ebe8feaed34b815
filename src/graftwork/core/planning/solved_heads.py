"""Heads that are solved: what has to be there for it, and what those without a gradient leave to be done in a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from graftwork.core.settings import Training
from graftwork.core.technique import Technique
from graftwork.errors import RefusedError
from graftwork.networks.network import Network


def check_heads(network: Network, techniques: Sequence[Technique]) -> None:
    """Raise UsageError where a head can't be solved here, and RefusedError where one has to be and nothing does it."""
    for _, head in network.each_head():
        head.check_solvable()
    unsolved = [head.spec for _, head in network.each_head() if head.must_be_solved]
    if unsolved and not any("head initialisation" in technique.claims for technique in techniques):
        raise RefusedError(
            f"The head '{unsolved[0]}' can't learn by itself: add a technique that solves it (probe or warm-start), "
            "or choose the head linear or mlp."
        )


def check_solved_once(techniques: Sequence[Technique], network: Network) -> None:
    """Raise RefusedError where something would be trained below a head that has no gradient."""
    solved = [head.spec for _, head in network.each_head() if not head.has_gradient]
    if not solved or not trained_below(network):
        return
    by = next((t.name for t in techniques if t.claims & {"trainable parameters", "fusion", "domain features"}), "")
    raise RefusedError(
        f"The head '{solved[0]}' is solved once, on features that stay as they are: it gives no gradient to train "
        f"{'by what ' + by + ' leaves to be trained' if by else 'the base by'}. Use probe, which freezes the base"
        f"{', in place of ' + by if by else ''}; or the head linear or mlp (--set head=linear)."
    )


def trained_below(network: Network) -> bool:
    """Whether anything that the heads read would be trained."""
    below = (*network.each_encoder(), network.fusion, *filter(None, [network.film]))
    return any(parameter.requires_grad for module in below for parameter in module.parameters())


def without_steps(network: Network, training: Training) -> tuple[Training, list[str]]:
    """The settings where no head has a gradient, so that no step is made; and a note where some were asked for."""
    solved = [head.spec for _, head in network.each_head() if not head.has_gradient]
    if not solved:
        return training, []
    asked = next((name for name in ("steps", "epochs") if getattr(training, name)), "")
    note = f"the head {solved[0]} is solved, so that no steps are made: {asked} says nothing here"
    return replace(training, steps=None, epochs=0.0), [note] if asked else []


def importance(*said: np.ndarray | None) -> np.ndarray | None:
    """What each training row counts for (N,), by its column and by techniques: their product; None where none says
    anything."""
    found = [weights for weights in said if weights is not None]
    return np.asarray(np.prod(found, axis=0), np.float32) if found else None
