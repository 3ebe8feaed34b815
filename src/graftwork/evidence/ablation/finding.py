"""What an ablation found of one technique, input or setting, and of pairs of them: plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["helps", "hurts", "open"]


@dataclass(frozen=True)
class Costs:
    """What having it costs, the mean difference over the repeats; below 0 it saves. None where not measured.

    seconds: CPU seconds of a fit. predict_seconds: of predicting the held-out rows. memory: peak bytes. parameters:
    trained ones.
    """

    seconds: float | None = None
    predict_seconds: float | None = None
    memory: float | None = None
    parameters: float | None = None


@dataclass(frozen=True)
class Finding:
    """A line of an ablation.

    value: what it brings, in the score, more is better; None where no repeat has it. low, high: the 95 % interval, with
    racing a wider one that holds at every look; None from fewer than 5 repeats, as p and holm are. p: two-sided. holm:
    adjusted for the other comparisons; it makes the verdict. repeats: on which all its runs were scored (with racing:
    up to the last look). settles: how many more would tell, if the difference stays as it is: 0 where it is told, None
    where no number that anybody would wait for does. failed: runs that it needs and that failed. refused: why it can't
    be run. differences: one a repeat.
    """

    name: str
    kind: str
    value: float | None
    low: float | None
    high: float | None
    p: float | None
    holm: float | None
    verdict: Verdict
    sentence: str
    repeats: int
    settles: int | None
    costs: Costs = Costs()
    failed: int = 0
    refused: str = ""
    differences: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {**asdict(self), "differences": list(self.differences)}


@dataclass(frozen=True)
class Interaction:
    """What two players bring together beyond what each brings.

    Fields as of a Finding. side: 1 above 0, -1 below, 0 not distinguishable from noise.
    exact: from all coalitions; else from passes, as if players acted on each other in pairs at most.
    """

    players: tuple[str, str]
    value: float
    low: float | None
    high: float | None
    p: float | None
    holm: float | None
    side: int
    sentence: str
    repeats: int
    exact: bool

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {**asdict(self), "players": list(self.players)}
