"""Adversarial training of texts: the embeddings are moved a little in the direction that raises the loss most.

A text has no small changes, its embeddings have. It regularises fine-tuning on small tables, in the paper by up to a
point of accuracy, for three times the cost of a step; it is no defence against an attacker who changes words or
letters. A move that is too long does harm: with MiniLM on 1,000 questions, 0.02 of their length was as good as none and
0.1 cost 5 points. With several steps it is projected gradient ascent on the embeddings; that costs more and seldom
brings more.

Source: Miyato et al. 2017 (adversarial training for text classification: the fast gradient method, L2); Madry et al.
2018 for several steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.data.batch import Batch
from graftwork.data.table import Modality
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.adversarial.adversarial_training import AdversarialTraining
from graftwork.techniques.adversarial.attack import Balls
from graftwork.techniques.adversarial.perturbed_inputs import ball


@dataclass(frozen=True)
class FGM(AdversarialTraining):
    """Train texts with moved embeddings.

    epsilon: length of the move, as a share of the length of all embeddings of the row, from 0 (off) to 1.
    steps: of the attack, at least 1. random_start: begin somewhere in the ball. clean: share of the loss that the
        unchanged rows have, from 0 to below 1; 0 saves a pass.
    """

    epsilon: float = 0.02
    steps: int = 1
    random_start: bool = False
    clean: float = 0.5

    name: ClassVar[str] = "fgm"
    summary: ClassVar[str] = "train texts with embeddings moved against them (FGM)"
    searched: ClassVar[Spaces] = {"epsilon": Range(0.005, 0.1, log=True)}
    kinds: ClassVar[tuple[Modality, ...]] = ("text",)
    fact: ClassVar[str] = "embeddings"

    def balls(self, network: Network, names: list[str], batch: Batch) -> Balls:
        return {name: ball(network, name, batch, self.epsilon, "l2", relative=True) for name in names}
