"""What a technique says of how a parameter is trained."""

from __future__ import annotations

from typing import NamedTuple


class Multiplier(NamedTuple):
    """Factors on the learning rate and the weight decay of one parameter."""

    lr: float = 1.0
    decay: float = 1.0
