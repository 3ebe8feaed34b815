"""What the trials of a tune came to, as plain data: all that choosing, the page and the table of trials read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["finished", "paused", "failed", "left out"]
"""finished: trained to its end. paused: to a rung below it, and may be taken up again. failed: it crashed, or its
memory was too small. left out: there was no time or memory for its first step."""
Origin = Literal["default", "base", "searched", "combined"]
"""default: what `fit` would try. base: the same probes on another base. searched: proposed by the search. combined: an
ensemble or a soup of others."""


@dataclass(frozen=True)
class Trial:
    """One trial.

    number: in the order of proposals, from 0; combined ones come last. name: for people ("linear probe of minilm").
    recipe: as `Recipe.to_dict` gives it; of a combined trial that of its heaviest member. techniques: as written, in
    order ("lora:rank=16"). params: what the search set, by the name of the dimension; empty where it proposed nothing.
    rungs: steps at which it was scored, with the scores, in order; more is better. steps: planned, 0 of a probe.
    seconds: CPU seconds of all its runs so far. at: seconds of the budget's clock from the start of the tune until
    it was last scored.
    latency: seconds to predict one row by itself here, median; 0 where not measured. size: bytes of its weights.
    parameters: of the network that predicts, of all members. rows: that it was trained on, where these were counted by
    the time that its base takes; else None. failed: why, of one that failed or was left out.
    members: of a combined trial, the numbers of others with their weights in it.
    """

    number: int
    name: str
    origin: Origin
    state: State
    recipe: Mapping[str, Any]
    base: str = ""
    techniques: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    rungs: tuple[tuple[int, float], ...] = ()
    steps: int = 0
    seconds: float = 0.0
    at: float = 0.0
    latency: float = 0.0
    size: int = 0
    parameters: int = 0
    rows: int | None = None
    failed: str = ""
    members: Mapping[int, float] = field(default_factory=dict)

    @property
    def score(self) -> float | None:
        """At its last rung, more is better; None where it reached none."""
        return self.rungs[-1][1] if self.rungs else None

    @property
    def plainness(self) -> tuple[int, int, int]:
        """Less is cheaper or plainer: parameters that predict, to two digits; techniques; when it was proposed."""
        digits = max(len(str(self.parameters)) - 2, 0)
        return round(self.parameters, -digits), len(self.techniques), self.number


@dataclass(frozen=True)
class Limits:
    """What a model may need at most. latency: seconds to predict one row here. size: bytes of its weights."""

    latency: float | None = None
    size: int | None = None

    def met_by(self, trial: Trial) -> bool:
        """Whether a trial that was measured keeps them."""
        return all(excess <= 0 for excess in self.excess(trial))

    def excess(self, trial: Trial) -> tuple[float, ...]:
        """By how much a trial is above each limit that is set, as a share of it; at most 0 where it keeps it."""
        pairs = ((trial.latency, self.latency), (trial.size, self.size))
        return tuple(value / limit - 1 for value, limit in pairs if limit is not None)
