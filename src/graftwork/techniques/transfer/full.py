"""Full fine-tuning: every parameter of the base is trained.

This is also what happens where no technique decides which parameters are trained; naming it makes the choice explicit
in a recipe and keeps others (LoRA, a probe) out. It reaches the highest scores where rows are many or the base is far
from the task. With few rows, a small `partial` or a `probe` forgets less and is quicker.

Source: the usual fine-tuning of Howard & Ruder 2018 (ULMFiT) and Devlin et al. 2019 (BERT).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.core.technique import Phase, Technique


@dataclass(frozen=True)
class Full(Technique):
    """Train every parameter of the base. No settings."""

    name: ClassVar[str] = "full"
    phase: ClassVar[Phase] = Phase.PARAMETERS
    summary: ClassVar[str] = "train every parameter of the base"
    claims: ClassVar[frozenset[str]] = frozenset({"trainable parameters"})
