"""Write a technique of your own: a confidence penalty, which keeps predictions from being too certain.

Where label smoothing changes the targets, this adds the negative entropy of the predictions to the loss. It calibrates,
and it needs no label, so it also acts on unlabelled rows. Source: Pereyra et al. 2017.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import Tensor

import graftwork as gw
from graftwork.extend import TECHNIQUES, Batch, Graft, Network, Output, Phase, Setup, Technique, Terms, per_row

DATA = Path(__file__).parent / "data"


def negative_entropy(logits: Tensor) -> Tensor:
    """Of each row's probabilities; logits (B, C) -> (B,)."""
    log_p = logits.log_softmax(dim=1)
    return (log_p.exp() * log_p).sum(dim=1)


@dataclass(frozen=True)
class ConfidencePenalty(Technique):
    """Add the negative entropy of the predictions to the loss. weight: factor on it; 0 is off."""

    weight: float = 0.1

    name: ClassVar[str] = "confidence-penalty"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "predictions should not be too certain"
    needs: ClassVar[frozenset[str]] = frozenset({"classes"})

    @property
    def off(self) -> bool:
        return self.weight == 0.0

    def attach(self, network: Network, setup: Setup) -> Graft:
        names = [name for name, task in setup.tasks.items() if "hard_labels" in task.facts]

        def losses(batch: Batch, output: Output) -> Terms:
            rows = {name: negative_entropy(output.predictions[name]) for name in names}
            return {f"{self.name} {name}": per_row(value, batch, self.weight) for name, value in rows.items()}

        return Graft(losses=losses)


TECHNIQUES[ConfidencePenalty.name] = ConfidencePenalty  # now recipes in YAML and saved models know the name


def main() -> None:
    recipe = gw.Recipe(base="gru:width=64", techniques=[ConfidencePenalty(0.2), gw.EMA(0.99)])
    model = gw.fit(DATA / "train.csv", target="label", test=DATA / "test.csv", recipe=recipe)
    print(model.report.verdict())
    print(recipe.to_yaml())


if __name__ == "__main__":
    main()
