"""Adversarial training: the network learns each batch as an attack has changed it, pixel by pixel or sample by sample.

For images and sounds that somebody may change on purpose. It is the one defence that has stood up to attacks, at a
price: a step costs `steps + 1` passes, accuracy on clean rows falls (often by 5 to 15 points on photos), and it takes
more epochs and a larger network than plain training. It protects against changes of its own kind and size only: it
is no remedy for noise or blur. With steps=1 it is fast adversarial training, at the cost of two passes; watch then that
accuracy under an attack of many steps does not fall away late in training (catastrophic overfitting).

Source: Goodfellow et al. 2015 (FGSM); Madry et al. 2018 (PGD); Wong et al. 2020 (one step with a random start).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.data.batch import Batch
from graftwork.data.table import Modality
from graftwork.networks.network import Network
from graftwork.spaces import Range, Spaces
from graftwork.techniques.adversarial.adversarial_training import AdversarialTraining
from graftwork.techniques.adversarial.attack import Balls, Norm, farthest
from graftwork.techniques.adversarial.perturbed_inputs import SIGNALS, ball


@dataclass(frozen=True)
class Adversarial(AdversarialTraining):
    """Train on images and sounds under attack.

    epsilon: how far a value may be changed, in the units of the input: images have pixels from 0 to 1, so that 8/255 is
        eight grey levels; sounds have samples from -1 to 1, where 0.002 is faint noise. 0 is off. With the norm l2 the
        length of the change of a whole row.
    steps: of the attack (PGD), at least 1; each costs a forward and a backward. random_start: begin somewhere in the
        ball. clean: share of the loss that the unchanged rows have, from 0 to below 1; above 0 it costs one more pass.
        norm: linf, where every value may change by epsilon, or l2.
    """

    epsilon: float = 0.031
    steps: int = 7
    random_start: bool = True
    clean: float = 0.0
    norm: Norm = "linf"

    name: ClassVar[str] = "adversarial"
    summary: ClassVar[str] = "train images and sounds under attack (PGD, fast FGSM)"
    searched: ClassVar[Spaces] = {"epsilon": Range(0.002, 0.05, log=True), "clean": Range(0.0, 0.8)}
    kinds: ClassVar[tuple[Modality, ...]] = SIGNALS
    fact: ClassVar[str] = "signals"

    @property
    def farthest(self) -> float:
        return farthest(self.norm)

    def balls(self, network: Network, names: list[str], batch: Batch) -> Balls:
        return {name: ball(network, name, batch, self.epsilon, self.norm) for name in names}
