"""The table of techniques that drives every test of this folder. A new technique is one new row here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from graftwork.core.technique import Technique
from graftwork.techniques import (
    ANIL,
    CDAN,
    DANN,
    EDA,
    EMA,
    FGM,
    IRM,
    MAML,
    MMD,
    SAM,
    SWA,
    TRADES,
    TTA,
    VAT,
    Accumulate,
    AdaBN,
    Adversarial,
    Affine,
    ArcFace,
    AugMix,
    BalancedSampling,
    ClassWeights,
    Colour,
    Consistency,
    Coral,
    Crop,
    CutMix,
    Distil,
    DistilFeatures,
    DomainSampling,
    Film,
    Flip,
    FreeAdversarial,
    Full,
    FusionTransformer,
    Gain,
    Gated,
    GeneralisedCrossEntropy,
    GroupDRO,
    LabelSmoothing,
    Late,
    LayerDecay,
    LoRA,
    Mixup,
    ModalityDropout,
    Noise,
    Partial,
    PCGrad,
    PixelMixup,
    Probe,
    ProtoNet,
    RandAugment,
    Refit,
    Reptile,
    SelfDistil,
    Shift,
    SmallLoss,
    SpecAugment,
    SupervisedContrastive,
    TargetWeights,
    Tent,
    TokenDropout,
    Triplet,
    Uncertainty,
    VREx,
    WarmStart,
    WeightedSum,
)
from tinyrun import BASES, DEPTH, TEACHER

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
    Row(Full(), None, "claims"),
    Row(Partial(1), Partial(DEPTH), "trained"),
    Row(Probe(l2=0.1), None, "start"),
    Row(WeightedSum(8), None, "weights", "mixed"),
    Row(Gated(8), None, "weights", "mixed"),
    Row(FusionTransformer(8, 1, 2, tokens=6), None, "weights", "mixed"),
    Row(Late(0.5), None, "weights", "mixed"),
    Row(ModalityDropout(0.3), ModalityDropout(0.0), "weights", "mixed"),
    Row(LayerDecay(0.5), LayerDecay(1.0), "rates"),
    Row(LoRA(rank=2, alpha=4.0, dropout=0.1), None, "trained"),
    Row(WarmStart(l2=0.1), None, "start"),
    Row(LabelSmoothing(0.2), LabelSmoothing(0.0), "weights"),
    Row(ClassWeights(1.0), ClassWeights(0.0), "weights"),
    Row(BalancedSampling(1.0), BalancedSampling(0.0), "rows"),
    Row(Mixup(0.5), Mixup(0.0), "weights"),
    Row(Consistency(1.0), Consistency(0.0), "weights"),
    Row(GeneralisedCrossEntropy(0.7), GeneralisedCrossEntropy(0.0), "weights"),
    Row(SmallLoss(0.2, 0.0), SmallLoss(0.0), "weights"),
    Row(Adversarial(0.1, 2), Adversarial(0.0), "weights", "image"),
    Row(FreeAdversarial(0.1, 2), FreeAdversarial(0.0), "weights", "image"),
    Row(TRADES(0.1, 2), TRADES(0.0), "weights", "image"),
    Row(AugMix(), AugMix(0.0), "weights", "image"),
    Row(FGM(0.2), FGM(0.0), "weights"),
    Row(VAT(0.2), VAT(0.0), "weights"),
    Row(SupervisedContrastive(1.0), SupervisedContrastive(0.0), "weights"),
    Row(Triplet(1.0), Triplet(0.0), "weights"),
    Row(ArcFace(), None, "weights"),
    Row(ProtoNet(2, 1, 4), None, "weights", "episodes"),
    Row(MAML(2, 1, 4, 2, steps=2), None, "weights", "episodes"),
    Row(ANIL(2, 1, 4, 2), None, "weights", "episodes"),
    Row(Reptile(2, 3, 3, 2, lr=0.01, steps=2), None, "weights", "episodes"),
    Row(TokenDropout(0.3), TokenDropout(0.0), "weights"),
    Row(EDA(0.3, 0.3), EDA(0.0, 0.0), "weights"),
    Row(Flip(), Flip(0.0), "weights", "image"),
    Row(Crop(), Crop(1.0, 1.0, 0.0), "weights", "image"),
    Row(Affine(), Affine(0.0, 0.0, 0.0, 0.0), "weights", "image"),
    Row(Colour(), Colour(0.0, 0.0, 0.0, 0.0), "weights", "image"),
    Row(RandAugment(), RandAugment(0), "weights", "image"),
    Row(CutMix(), CutMix(0.0), "weights", "image"),
    Row(PixelMixup(0.5), PixelMixup(0.0), "weights", "image"),
    Row(Gain(), Gain(0.0), "weights", "audio"),
    Row(Noise(), Noise(0.0), "weights", "audio"),
    Row(Shift(), Shift(0.0), "weights", "audio"),
    Row(SpecAugment(), SpecAugment(0, time_masks=0), "weights", "audio"),
    Row(TTA(3), TTA(1), "predictions", "image"),
    Row(TargetWeights({"number": 3.0}), TargetWeights({"number": 1.0}), "weights", "several"),
    Row(Uncertainty(), None, "weights", "several"),
    Row(PCGrad(), None, "weights", "several"),
    Row(Coral(10.0), Coral(0.0), "weights"),
    Row(MMD(), MMD(0.0), "weights"),
    Row(DANN(hidden=8), DANN(0.0), "weights"),
    Row(CDAN(hidden=8), CDAN(0.0), "weights"),
    Row(GroupDRO(1.0), GroupDRO(0.0), "weights"),
    Row(IRM(), IRM(0.0), "weights"),
    Row(VREx(), VREx(0.0), "weights"),
    Row(DomainSampling(), DomainSampling(0.0), "rows"),
    Row(Film(), None, "weights"),
    Row(Tent(2), Tent(0), "predictions"),
    Row(AdaBN(), AdaBN(0.0), "predictions", "normed"),
    Row(Distil(TEACHER), Distil(TEACHER, weight=0.0), "weights"),
    Row(DistilFeatures(TEACHER), DistilFeatures(TEACHER, weight=0.0), "weights"),
    Row(SelfDistil(), SelfDistil(0.0), "weights"),
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
)
# The same in fixtures that are not of texts alone.
ELSEWHERE = (
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
    ("mixed", ("weighted-sum", "full", "layer-decay", "supervised-contrastive", "consistency")),
    ("several", ("pcgrad", "uncertainty", "warm-start", "consistency", "label-smoothing", "sam", "ema")),
    ("several", ("pcgrad", "target-weights", "lora", "mixup", "class-weights", "accumulate", "refit")),
    ("episodes", ("protonet", "lora", "token-dropout", "ema")),
    ("episodes", ("maml", "eda", "swa")),
    ("episodes", ("anil", "partial", "token-dropout", "ema")),
    ("episodes", ("reptile", "eda", "ema")),
)
OTHERS = tuple(dict.fromkeys(row.base for row in ROWS if row.base not in BASES))
"""Fixtures that are not of texts alone."""


def techniques(names: tuple[str, ...]) -> list[Technique]:
    return [BY_NAME[name].acts for name in names]
