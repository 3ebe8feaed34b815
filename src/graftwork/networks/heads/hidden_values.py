"""What heads share that predict values that were hidden, such as pixels and spectrograms."""

from __future__ import annotations

import torch
from torch import Tensor

from graftwork.data.batch import Batch, Inputs
from graftwork.networks.encoder import Encoder
from graftwork.networks.features import Tokens


def handed_on(values: Tensor, batch: Batch) -> dict[str, Tensor]:
    """The predicted values (B, ...) beside what the batch's targets say: the right ones, and which were `hidden`. So
    what is kept of a row can be scored. Nothing is hidden of a batch whose targets don't say."""
    for target in batch.targets.values():
        if not isinstance(target, Tensor) and {"values", "hidden"} <= set(target):
            return {"values": values, "wanted": target["values"], "hidden": target["hidden"]}
    nothing = torch.zeros_like(values, dtype=torch.bool)
    return {"values": values, "wanted": values.detach(), "hidden": nothing}


def probed(encoder: Encoder, inputs: Inputs) -> Tokens:
    """The tokens of these inputs, for their shape."""
    training = encoder.training
    encoder.eval()
    with torch.no_grad():
        tokens = encoder.tokens_of(inputs)
    encoder.train(training)
    return tokens
