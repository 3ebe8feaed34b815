"""The table of techniques that drives every test of this folder. A new technique is one new row here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from graftwork import techniques as t
from graftwork.core.technique import Technique
from tinyrun import BASES, DEPTH, OLD, TEACHER

Changes = Literal["weights", "rows", "rates", "parts", "kept", "start", "trained", "claims", "predictions"]
"""What a technique must change against a run without it.

weights: the trained weights. rows: which rows are drawn. rates: learning rates. parts: rows of a single forward.
kept: the weights that are saved, while training stays as it was. start: the weights before the first step.
trained: which parameters are trained. claims: nothing but what may stand beside it. predictions: what the same
weights predict.
"""


@dataclass(frozen=True)
class Row:
    """acts: settings at which the technique does its work. null: settings at which it must do nothing, if any.

    base: fixture where it must change what `changes` says; one that is not of texts alone stands for all where it runs.
    """

    acts: Technique
    null: Technique | None
    changes: Changes
    base: str = "transformer"

    @property
    def name(self) -> str:
        return self.acts.name

    @property
    def bases(self) -> tuple[str, ...]:
        """The fixtures in which it is tried by itself."""
        return BASES if self.base in BASES else (self.base,)


ROWS = (
    Row(t.Full(), None, "claims"),
    Row(t.Partial(1), t.Partial(DEPTH), "trained"),
    Row(t.Probe(l2=0.1), None, "start"),
    Row(t.WeightedSum(8), None, "weights", "mixed"),
    Row(t.Gated(8), None, "weights", "mixed"),
    Row(t.FusionTransformer(8, 1, 2, tokens=6), None, "weights", "mixed"),
    Row(t.Late(0.5), None, "weights", "mixed"),
    Row(t.ModalityDropout(0.3), t.ModalityDropout(0.0), "weights", "mixed"),
    Row(t.LayerDecay(0.5), t.LayerDecay(1.0), "rates"),
    Row(t.LoRA(rank=2, alpha=4.0, dropout=0.1), None, "trained"),
    Row(t.WarmStart(l2=0.1), None, "start"),
    Row(t.LabelNames(("animals", "food", "weather"), ("cat dog", "bread", "rain snow"), freeze=False), None, "start"),
    Row(t.LabelSmoothing(0.2), t.LabelSmoothing(0.0), "weights"),
    Row(t.ClassWeights(1.0), t.ClassWeights(0.0), "weights"),
    Row(t.AdvantageWeighted(0.5), None, "weights"),
    Row(t.DoublyRobust(folds=2), None, "weights", "logs"),
    Row(t.BalancedSampling(1.0), t.BalancedSampling(0.0), "rows"),
    Row(t.Mixup(0.5), t.Mixup(0.0), "weights"),
    Row(t.Consistency(1.0), t.Consistency(0.0), "weights"),
    Row(t.GeneralisedCrossEntropy(0.7), t.GeneralisedCrossEntropy(0.0), "weights"),
    Row(t.SmallLoss(0.2, 0.0), t.SmallLoss(0.0), "weights"),
    Row(t.Adversarial(0.1, 2), t.Adversarial(0.0), "weights", "image"),
    Row(t.FreeAdversarial(0.1, 2), t.FreeAdversarial(0.0), "weights", "image"),
    Row(t.TRADES(0.1, 2), t.TRADES(0.0), "weights", "image"),
    Row(t.AugMix(), t.AugMix(0.0), "weights", "image"),
    Row(t.FGM(0.2), t.FGM(0.0), "weights"),
    Row(t.VAT(0.2), t.VAT(0.0), "weights"),
    Row(t.SupervisedContrastive(1.0), t.SupervisedContrastive(0.0), "weights"),
    Row(t.Triplet(1.0), t.Triplet(0.0), "weights"),
    Row(t.ArcFace(), None, "weights"),
    Row(t.ProtoNet(2, 1, 4), None, "weights", "episodes"),
    Row(t.MAML(2, 1, 4, 2, steps=2), None, "weights", "episodes"),
    Row(t.ANIL(2, 1, 4, 2), None, "weights", "episodes"),
    Row(t.Reptile(2, 3, 3, 2, lr=0.01, steps=2), None, "weights", "episodes"),
    Row(t.TokenDropout(0.3), t.TokenDropout(0.0), "weights"),
    Row(t.EDA(0.3, 0.3), t.EDA(0.0, 0.0), "weights"),
    Row(t.Flip(), t.Flip(0.0), "weights", "image"),
    Row(t.Crop(), t.Crop(1.0, 1.0, 0.0), "weights", "image"),
    Row(t.Affine(), t.Affine(0.0, 0.0, 0.0, 0.0), "weights", "image"),
    Row(t.Colour(), t.Colour(0.0, 0.0, 0.0, 0.0), "weights", "image"),
    Row(t.RandAugment(), t.RandAugment(0), "weights", "image"),
    Row(t.CutMix(), t.CutMix(0.0), "weights", "image"),
    Row(t.PixelMixup(0.5), t.PixelMixup(0.0), "weights", "image"),
    Row(t.Gain(), t.Gain(0.0), "weights", "audio"),
    Row(t.Noise(), t.Noise(0.0), "weights", "audio"),
    Row(t.Shift(), t.Shift(0.0), "weights", "audio"),
    Row(t.SpecAugment(), t.SpecAugment(0, time_masks=0), "weights", "audio"),
    Row(t.TTA(3), t.TTA(1), "predictions", "image"),
    Row(t.TargetWeights({"number": 3.0}), t.TargetWeights({"number": 1.0}), "weights", "several"),
    Row(t.Uncertainty(), None, "weights", "several"),
    Row(t.PCGrad(), None, "weights", "several"),
    Row(t.Coral(10.0), t.Coral(0.0), "weights"),
    Row(t.MMD(), t.MMD(0.0), "weights"),
    Row(t.DANN(hidden=8), t.DANN(0.0), "weights"),
    Row(t.CDAN(hidden=8), t.CDAN(0.0), "weights"),
    Row(t.GroupDRO(1.0), t.GroupDRO(0.0), "weights"),
    Row(t.IRM(), t.IRM(0.0), "weights"),
    Row(t.VREx(), t.VREx(0.0), "weights"),
    Row(t.DomainSampling(), t.DomainSampling(0.0), "rows"),
    Row(t.Film(), None, "weights"),
    Row(t.Tent(2), t.Tent(0), "predictions"),
    Row(t.AdaBN(), t.AdaBN(0.0), "predictions", "normed"),
    Row(t.Distil(TEACHER), t.Distil(TEACHER, weight=0.0), "weights"),
    Row(t.DistilFeatures(TEACHER), t.DistilFeatures(TEACHER, weight=0.0), "weights"),
    Row(t.SelfDistil(), t.SelfDistil(0.0), "weights"),
    Row(t.Reward(by="rloo", warm=0.0, kl=0.5, entropy=0.1), t.Reward(weight=0.0), "weights"),
    Row(t.SAM(0.05), t.SAM(0.0), "weights"),
    Row(t.Accumulate(3), t.Accumulate(1), "parts"),
    Row(t.EMA(0.9), t.EMA(0.0), "kept"),
    Row(t.SWA(0.5), t.SWA(0.0), "kept"),
    Row(t.Refit(l2=0.3), None, "kept"),
    Row(t.L2SP(1.0), t.L2SP(0.0), "weights"),
    Row(t.Replay(OLD), t.Replay(OLD, weight=0.0), "weights"),
    Row(t.WiSEFT(0.5), t.WiSEFT(1.0), "kept"),
)
BY_NAME = {row.name: row for row in ROWS}

# Large sets that can run together; the second trains every parameter of the base. A technique that none of these and of
# those below names is a set of its own.
_TOGETHER = (
    (
        "lora",
        "warm-start",
        "label-smoothing",
        "class-weights",
        "balanced-sampling",
        "mixup",
        "consistency",
        "token-dropout",
        "sam",
        "ema",
    ),
    ("full", "layer-decay", "supervised-contrastive", "consistency", "class-weights", "accumulate", "ema"),
    ("partial", "warm-start", "mixup", "eda", "sam", "accumulate", "refit"),
    ("full", "dann", "coral", "group-dro", "domain-sampling", "consistency", "swa", "film"),
    ("lora", "warm-start", "cdan", "mmd", "vrex", "irm", "label-smoothing", "sam"),
    ("full", "fgm", "vat", "small-loss", "generalised-cross-entropy", "class-weights", "ema"),
    ("partial", "arcface", "triplet", "class-weights", "accumulate", "ema"),
    ("lora", "distil", "distil-features", "self-distil", "consistency", "label-smoothing", "sam", "ema"),
    ("lora", "warm-start", "reward", "label-smoothing", "class-weights", "consistency", "sam", "ema"),
    ("full", "reward", "dann", "group-dro", "accumulate", "swa"),
)
# The same in fixtures that are not of texts alone.
_TOGETHER_ELSEWHERE = (
    (
        "image",
        ("warm-start", "flip", "crop", "affine", "colour", "rand-augment", "cutmix", "mixup", "sam", "ema", "tta"),
    ),
    ("image", ("full", "flip", "pixel-mixup", "label-smoothing", "consistency", "accumulate", "tent")),
    ("image", ("full", "adversarial", "augmix", "crop", "label-smoothing", "sam")),
    ("image", ("partial", "trades", "vat", "small-loss", "accumulate")),
    ("audio", ("full", "adversarial", "vat", "noise", "ema")),
    ("image", ("full", "free-adversarial", "consistency", "crop", "small-loss", "sam")),
    ("audio", ("full", "free-adversarial", "balanced-sampling", "accumulate", "ema")),
    ("normed", ("partial", "film", "coral", "flip", "ema", "tta", "adabn")),
    ("audio", ("partial", "gain", "noise", "shift", "spec-augment", "supervised-contrastive", "sam", "tta")),
    ("mixed", ("gated", "modality-dropout", "warm-start", "mixup", "consistency", "sam", "ema")),
    ("mixed", ("fusion-transformer", "partial", "modality-dropout", "label-smoothing", "accumulate")),
    ("mixed", ("late", "lora", "modality-dropout", "class-weights", "refit")),
    ("mixed", ("gated", "reward", "modality-dropout", "label-smoothing", "ema")),
    ("mixed", ("weighted-sum", "full", "layer-decay", "supervised-contrastive", "consistency")),
    ("several", ("pcgrad", "uncertainty", "warm-start", "consistency", "label-smoothing", "sam", "ema")),
    ("several", ("pcgrad", "target-weights", "lora", "mixup", "class-weights", "accumulate", "refit")),
    ("several", ("pcgrad", "uncertainty", "reward", "warm-start", "consistency", "ema")),
    ("logs", ("doubly-robust", "lora", "warm-start", "token-dropout", "consistency", "accumulate", "ema")),
    ("episodes", ("protonet", "lora", "token-dropout", "ema")),
    ("episodes", ("maml", "eda", "swa")),
    ("episodes", ("anil", "partial", "token-dropout", "ema")),
    ("episodes", ("reptile", "eda", "ema")),
)
_NAMED = {name for names in (*_TOGETHER, *(names for _, names in _TOGETHER_ELSEWHERE)) for name in names}
_SINGLE = [row for row in ROWS if row.name not in _NAMED and row.name != "probe"]
COMBINATIONS = (*_TOGETHER, *((row.name,) for row in _SINGLE if row.base in BASES))
ELSEWHERE = (*_TOGETHER_ELSEWHERE, *((row.base, (row.name,)) for row in _SINGLE if row.base not in BASES))
OTHERS = tuple(dict.fromkeys(row.base for row in ROWS if row.base not in BASES))
"""Fixtures that are not of texts alone."""


def techniques(names: tuple[str, ...]) -> list[Technique]:
    return [BY_NAME[name].acts for name in names]
