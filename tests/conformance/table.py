"""The table of techniques that drives every test of this folder. A new technique is one new row here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from graftwork.core.technique import Technique
from graftwork.techniques import (
    EMA,
    SAM,
    SWA,
    Accumulate,
    BalancedSampling,
    ClassWeights,
    Consistency,
    Full,
    LabelSmoothing,
    LayerDecay,
    LoRA,
    Mixup,
    Partial,
    Probe,
    Refit,
    SupervisedContrastive,
    WarmStart,
)
from tinyrun import DEPTH

Changes = Literal["weights", "rows", "rates", "parts", "kept", "start", "trained", "claims"]
"""What a technique must change against a run without it.

weights: the trained weights. rows: which rows are drawn. rates: learning rates. parts: rows of a single forward.
kept: the weights that are saved, while training stays as it was. start: the weights before the first step.
trained: which parameters are trained. claims: nothing but what may stand beside it.
"""


@dataclass(frozen=True)
class Row:
    """acts: settings at which the technique does its work. null: settings at which it must do nothing, if any.

    base: fixture where it must change what `changes` says.
    """

    acts: Technique
    null: Technique | None
    changes: Changes
    base: str = "transformer"

    @property
    def name(self) -> str:
        return self.acts.name


ROWS = (
    Row(Full(), None, "claims"),
    Row(Partial(1), Partial(DEPTH), "trained"),
    Row(Probe(l2=0.1), None, "start"),
    Row(LayerDecay(0.5), LayerDecay(1.0), "rates"),
    Row(LoRA(rank=2, alpha=4.0, dropout=0.1), None, "trained"),
    Row(WarmStart(l2=0.1), None, "start"),
    Row(LabelSmoothing(0.2), LabelSmoothing(0.0), "weights"),
    Row(ClassWeights(1.0), ClassWeights(0.0), "weights"),
    Row(BalancedSampling(1.0), BalancedSampling(0.0), "rows"),
    Row(Mixup(0.5), Mixup(0.0), "weights"),
    Row(Consistency(1.0), Consistency(0.0), "weights"),
    Row(SupervisedContrastive(1.0), SupervisedContrastive(0.0), "weights"),
    Row(SAM(0.05), SAM(0.0), "weights"),
    Row(Accumulate(3), Accumulate(1), "parts"),
    Row(EMA(0.9), EMA(0.0), "kept"),
    Row(SWA(0.5), SWA(0.0), "kept"),
    Row(Refit(l2=0.3), None, "kept"),
)
BY_NAME = {row.name: row for row in ROWS}

# Large sets that can run together; the second trains every parameter of the base.
COMBINATIONS = (
    (
        "lora",
        "warm-start",
        "label-smoothing",
        "class-weights",
        "balanced-sampling",
        "mixup",
        "consistency",
        "sam",
        "ema",
    ),
    ("full", "layer-decay", "supervised-contrastive", "consistency", "class-weights", "accumulate", "ema"),
    ("partial", "warm-start", "mixup", "sam", "accumulate", "refit"),
)


def techniques(names: tuple[str, ...]) -> list[Technique]:
    return [BY_NAME[name].acts for name in names]
