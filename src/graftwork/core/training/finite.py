"""A loss or gradient that is no finite number stops the run before it reaches the weights."""

from __future__ import annotations

import math

from torch import Tensor

from graftwork.core.technique import LossOutput
from graftwork.core.training.checkpoint import NAME, Checkpointing
from graftwork.errors import NonFiniteLossError


def finite_loss(loss: float, measured: LossOutput, norm: Tensor, step: int, checkpoints: Checkpointing | None) -> float:
    """The loss of a step (counted from 0). norm: of the whole gradient. measured: by this worker, for the message.

    Raises NonFiniteLossError, which names the step and its terms, where one of the two is not finite.
    """
    if math.isfinite(loss) and math.isfinite(float(norm)):
        return loss
    what = "gradient" if math.isfinite(loss) else "loss"
    parts = ", ".join(f"{name} = {float(term.mean.detach()):g}" for name, term in measured.terms.items())
    kept = ""
    if checkpoints and (checkpoints.folder / NAME).exists():
        kept = f" The last good checkpoint is in {checkpoints.folder}."
    raise NonFiniteLossError(
        f"The {what} is not a finite number at step {step + 1} ({parts}). "
        f"Try a smaller learning rate (--set lr=…) or --set precision=fp32.{kept}"
    )
