"""Predictions should not be too certain: their negative entropy is added to the loss (Pereyra et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from graftwork.extend import Batch, Graft, Network, Output, Phase, Setup, Technique, Terms, one_tensor, per_row


def negative_entropy(logits: Tensor) -> Tensor:
    """Of each row's probabilities; logits (B, C) -> (B,)."""
    log_p = logits.log_softmax(dim=1)
    return (log_p.exp() * log_p).sum(dim=1)


@dataclass(frozen=True)
class ConfidencePenalty(Technique):
    """Add the negative entropy of the predictions to the loss. weight: factor on it."""

    weight: float = 0.1

    name: ClassVar[str] = "confidence-penalty"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "predictions should not be too certain"

    def attach(self, network: Network, setup: Setup) -> Graft:  # noqa: ARG002
        names = [name for name, task in setup.tasks.items() if "hard_labels" in task.facts]

        def losses(batch: Batch, output: Output) -> Terms:
            rows = {name: negative_entropy(one_tensor(output.predictions[name])) for name in names}
            return {f"{self.name} {name}": per_row(value, batch, self.weight) for name, value in rows.items()}

        return Graft(losses=losses)
