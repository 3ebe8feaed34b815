"""An ablation as it is shown: its design, cells and findings in one value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from graftwork.evidence.ablation.cells import Cell, Design
from graftwork.evidence.ablation.contributions import scored_cells
from graftwork.evidence.ablation.finding import Finding, Interaction
from graftwork.evidence.ablation.judge import interacting, judged, passes_note
from graftwork.evidence.ablation.scale import Scale


@dataclass(frozen=True)
class ArmScore:
    """An arm on all its repeats. score, spread: mean and standard deviation over them; None where there are too few.

    seconds: CPU seconds of a fit, the mean. why: of the last run that failed.
    """

    name: str
    players: tuple[str, ...]
    score: float | None
    spread: float | None
    repeats: int
    failed: int
    seconds: float | None
    why: str = ""


@dataclass(frozen=True)
class Outcome:
    """What is shown. check: whether passes agree. notes: what else a reader should know. command: that made it. made:
    how repeats and verdicts are made, in sentences, where repeats are no splits of rows."""

    title: str
    design: Design
    cells: tuple[Cell, ...]
    findings: tuple[Finding, ...]
    interactions: tuple[Interaction, ...]
    scale: Scale
    looks: tuple[int, ...] = ()
    alpha: float = 0.05
    check: str = ""
    notes: tuple[str, ...] = ()
    command: str = ""
    made: tuple[str, ...] = ()

    @property
    def ranked(self) -> tuple[Finding, ...]:
        """The findings, what brings most first; what has no value last."""
        return tuple(sorted(self.findings, key=lambda one: -math.inf if one.value is None else one.value, reverse=True))

    @property
    def repeats(self) -> int:
        """On which anything was scored."""
        return len(scored_cells(self.cells))

    @property
    def reused(self) -> float:
        """The share of the finished runs that were found, not trained."""
        finished = [cell for cell in self.cells if not cell.failed]
        return sum(cell.reused for cell in finished) / len(finished) if finished else 0.0

    def arms(self) -> tuple[ArmScore, ...]:
        """In the order of the design."""
        return tuple(_arm(self, name) for name in self.design.arms)


def outcome(
    design: Design,
    cells: Sequence[Cell],
    *,
    title: str = "Ablation",
    scale: Scale | None = None,
    looks: Sequence[int] = (),
    alpha: float = 0.05,
    notes: Sequence[str] = (),
    command: str = "",
    made: Sequence[str] = (),
) -> Outcome:
    """Judge the cells; fields as of an Outcome, looks and alpha as of `judged`."""
    scale = scale or Scale()
    return Outcome(
        title,
        design,
        tuple(cells),
        judged(design, cells, looks=looks, alpha=alpha, scale=scale),
        interacting(design, cells, looks=looks, alpha=alpha, scale=scale),
        scale,
        tuple(looks),
        alpha,
        passes_note(design, cells, looks=looks, alpha=alpha, scale=scale),
        tuple(notes),
        command,
        tuple(made),
    )


def _arm(found: Outcome, name: str) -> ArmScore:
    cells = [by_arm[name] for by_arm in scored_cells(found.cells).values() if name in by_arm]
    scores = [cell.score for cell in cells if cell.score is not None]
    failed = [cell for cell in found.cells if cell.arm == name and cell.failed]
    mean = sum(scores) / len(scores) if scores else None
    spread = None
    if mean is not None and len(scores) > 1:
        spread = math.sqrt(sum((one - mean) ** 2 for one in scores) / (len(scores) - 1))
    seconds = sum(cell.seconds for cell in cells) / len(cells) if cells else None
    players = tuple(one for one in found.design.players if one in found.design.arms[name])
    why = found.design.refused.get(name, "") or (failed[-1].failed if failed else "")
    return ArmScore(name, players, mean, spread, len(scores), len(failed), seconds, why)
