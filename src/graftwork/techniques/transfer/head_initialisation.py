"""Heads solved on given features; shared by the techniques that start, or end, with a solved head.

How each kind of head is solved is its own (`graftwork.networks.heads`): a linear head by a convex problem, kernel,
cosine and towers in closed form, an MLP by some hundred steps on the features.
"""

from __future__ import annotations

import math

import numpy as np

from graftwork.core.technique import Setup
from graftwork.networks.heads.solving.problem import L2 as L2
from graftwork.networks.heads.solving.problem import Problem
from graftwork.networks.network import Network
from graftwork.techniques.checks import check_range


def check_l2(technique: str, l2: L2) -> None:
    if l2 != "auto":
        check_range(technique, "l2", l2, 0.0, math.inf)


def start_heads(network: Network, setup: Setup, l2: L2 = "auto") -> None:
    """Solve every head that can be, on the features of the network as it stands; rows without a target take no part."""
    solvable = [(target, head) for target, head in network.each_head() if head.can_be_solved]
    features = setup.features(network) if solvable else np.zeros(0)
    for target, head in solvable:
        labelled = setup.labelled[target]
        if labelled.any():
            weight = labelled.astype(np.float32)
            if setup.weight is not None and not head.has_gradient:  # the others learn it in their steps
                weight *= setup.weight
            args = (features, setup.targets[target], setup.tasks[target])
            places = network.column_places()
            head.solve(Problem(*args, weight=weight, l2=l2, seed=setup.seed, check=setup.check, places=places))
