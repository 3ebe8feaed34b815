"""The first screen of a report as plain sentences, without HTML: how good, where not, made from what, what next.

The page, the model card, the terminal, `print(model)` and a notebook's card all show these same words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Verdict:
    """How well one target is predicted.

    target: its name; empty where there is only one. text: sentences. warning: True where it is no better than an
    answer that needs no model, or where that can't be told; then nothing else is presented as a finding.
    """

    target: str
    text: str
    warning: bool = False


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong often: in words, and a few rows (numbers in their source) that show it."""

    text: str
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class NextStep:
    """What to do next: why, and what it may bring where that was measured. command: to copy; may be empty."""

    text: str
    command: str = ""


@dataclass(frozen=True)
class Summary:
    """What a reader who decides wants to know, in this order.

    title: what the model does, as a question. verdicts: one a target. trust: what the numbers rest on. trouble: where
    it goes wrong, at most five. made_from: rows, columns, base, time. steps: what to do next, at most three.
    remembered: what became of the old task, where that was asked. tuned: what a reward brought.
    ablation: how to see what each technique brought.
    """

    title: str
    verdicts: tuple[Verdict, ...]
    trust: tuple[str, ...] = ()
    trouble: tuple[Trouble, ...] = ()
    made_from: tuple[str, ...] = ()
    steps: tuple[NextStep, ...] = ()
    remembered: tuple[str, ...] = ()
    tuned: tuple[str, ...] = ()
    ablation: NextStep | None = None

    @property
    def warning(self) -> bool:
        """Whether a verdict warns."""
        return any(verdict.warning for verdict in self.verdicts)

    def verdict_lines(self) -> list[str]:
        """How good, a line a target."""
        return [f"{one.target}: {one.text}" if one.target else one.text for one in self.verdicts]

    def lines(self) -> list[str]:
        """How good, what was forgotten, made from what, the first thing to do next, and how to see what each technique
        brought: for a terminal."""
        found = [*self.verdict_lines(), *self.remembered, *self.tuned, *self.made_from[:1]]
        for step in self.steps[:1]:
            found.append(f"Next: {step.text}")
            found += [f"  {step.command}"] if step.command else []
        return [*found, f"{self.ablation.text} {self.ablation.command}"] if self.ablation else found

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(
            title=plain["title"],
            verdicts=tuple(Verdict(**one) for one in plain["verdicts"]),
            trust=tuple(plain["trust"]),
            trouble=tuple(Trouble(one["text"], tuple(one["rows"])) for one in plain["trouble"]),
            made_from=tuple(plain["made_from"]),
            steps=tuple(NextStep(**one) for one in plain["steps"]),
            remembered=tuple(plain.get("remembered", ())),
            tuned=tuple(plain.get("tuned", ())),
            ablation=NextStep(**plain["ablation"]) if plain.get("ablation") else None,
        )
