"""What a step of a run costs, counted in passes through the network."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cost:
    """Forwards and backwards through the network for each row of a step.

    probes: those of the backwards that an objective makes while it is measured (attacks); what descends its terms one
    by one (PCGrad) does not repeat them.
    """

    forwards: float = 1.0
    backwards: float = 1.0
    probes: float = field(default=0.0, compare=False)

    def plus(self, forwards: float, backwards: float, probes: float = 0.0) -> Cost:
        """This cost and so much more."""
        return Cost(self.forwards + forwards, self.backwards + backwards, self.probes + probes)
