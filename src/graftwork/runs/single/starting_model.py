"""The network as it was before a technique began to climb its own aim, kept so that evidence can be held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graftwork.core.run import Run
from graftwork.core.technique import Aim
from graftwork.networks.network import Network


@dataclass(frozen=True)
class StartingModel:
    """network: in eval mode, not folded; what is frozen may be shared with the trained one. aims: by target."""

    network: Network
    aims: Mapping[str, Aim]


def starting_model(run: Run, trained: Network) -> StartingModel | None:
    """None where no technique of the run says what it began from and what for. trained: not folded yet."""
    reference, aims = run.stages.reference, run.stages.aims
    if reference is None or not aims:
        return None
    network = reference(trained)
    return None if network is trained else StartingModel(network.eval(), aims)
