"""The techniques by name. A new technique is one new file, one row here and one row in the conformance table."""

from __future__ import annotations

from graftwork.core.technique import Technique
from graftwork.techniques.optimize.accumulate import Accumulate
from graftwork.techniques.optimize.sam import SAM
from graftwork.techniques.robust.balanced_sampling import BalancedSampling
from graftwork.techniques.robust.class_weights import ClassWeights
from graftwork.techniques.robust.consistency import Consistency
from graftwork.techniques.robust.label_smoothing import LabelSmoothing
from graftwork.techniques.robust.mixup import Mixup
from graftwork.techniques.robust.supervised_contrastive import SupervisedContrastive
from graftwork.techniques.transfer.full import Full
from graftwork.techniques.transfer.layer_decay import LayerDecay
from graftwork.techniques.transfer.lora import LoRA
from graftwork.techniques.transfer.partial import Partial
from graftwork.techniques.transfer.probe import Probe
from graftwork.techniques.transfer.refit import Refit
from graftwork.techniques.transfer.warm_start import WarmStart
from graftwork.techniques.weights.ema import EMA

__all__ = [
    "EMA",
    "SAM",
    "TECHNIQUES",
    "Accumulate",
    "BalancedSampling",
    "ClassWeights",
    "Consistency",
    "Full",
    "LabelSmoothing",
    "LayerDecay",
    "LoRA",
    "Mixup",
    "Partial",
    "Probe",
    "Refit",
    "SupervisedContrastive",
    "WarmStart",
]

_ALL: tuple[type[Technique], ...] = (
    Full,
    Partial,
    Probe,
    LayerDecay,
    LoRA,
    WarmStart,
    LabelSmoothing,
    ClassWeights,
    BalancedSampling,
    Mixup,
    Consistency,
    SupervisedContrastive,
    SAM,
    Accumulate,
    EMA,
    Refit,
)

TECHNIQUES: dict[str, type[Technique]] = {technique.name: technique for technique in _ALL}
