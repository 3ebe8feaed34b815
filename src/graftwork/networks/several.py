"""The networks of an ensemble: what holds of them together; what only one network has is refused where it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from graftwork.errors import RefusedError
from graftwork.networks.network import Network
from graftwork.shown import counted

REFUSED = (
    "It predicts, evaluates and can be calibrated; what needs the features or the weights of one network (embedding, "
    "exporting, merging, training on from it, new classes, attacks) works with a member. Each is a whole model: the "
    "folders member-0, member-1, … in that of the ensemble; member-0 weighs most."
)


class Several(Network):
    """Networks that read the same rows, each by itself; their models' predictions are averaged (`predicting.py`).

    Inputs and parameters are those of all of them. There are no encoders, no fusion and no heads of its own: whatever
    asks for these, directly or in one of a network's methods, gets a RefusedError that says what to do.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        nn.Module.__init__(self)
        self.networks = nn.ModuleList(networks)
        self.columns = tuple(dict.fromkeys(name for network in networks for name in network.columns))
        self.sources = {name: read for network in networks for name, read in network.sources.items()}

    def __getattr__(self, name: str) -> Any:
        """What is not there: of one network, a refusal."""
        if name in OF_ONE:
            many = counted(len(self.networks), "model")
            raise RefusedError(f"This is an ensemble of {many}, whose predictions are averaged. {REFUSED}")
        return super().__getattr__(name)


OF_ONE = ("encoders", "_encoder_of", "fusion", "heads", "targets", "absent", "film", "missing_inputs", "autocast")
"""What `Network` sets up."""
