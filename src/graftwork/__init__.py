"""Graftwork adapts a foundation model to your task by combining techniques in one training run.

    import graftwork as gw
    model = gw.fit("train.csv", target="label")
    model.predict(["where is my card?"])

Names are imported when they are first used, so that `import graftwork` and `graft --help` stay quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graftwork.core.settings import Training
    from graftwork.data.text import TextSettings
    from graftwork.deploy.transformers import export_transformers
    from graftwork.errors import GraftworkError
    from graftwork.estimators import Classifier, Regressor
    from graftwork.model import Model, load
    from graftwork.recipe import Recipe
    from graftwork.runs.fit import fit, plan
    from graftwork.techniques import (
        CDAN,
        DANN,
        EDA,
        EMA,
        IRM,
        MMD,
        SAM,
        SWA,
        TTA,
        Accumulate,
        ArcFace,
        BalancedSampling,
        ClassWeights,
        Colour,
        Consistency,
        Coral,
        Crop,
        CutMix,
        DomainSampling,
        Flip,
        Full,
        FusionTransformer,
        Gain,
        Gated,
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
        RandAugment,
        Refit,
        Shift,
        SpecAugment,
        SupervisedContrastive,
        TargetWeights,
        TokenDropout,
        Triplet,
        Uncertainty,
        VREx,
        WarmStart,
        WeightedSum,
    )
    from graftwork.verification import Gallery, load_gallery

__version__ = "0.1.0"

_HOMES = {
    "graftwork.core.settings": ("Training",),
    "graftwork.data.text": ("TextSettings",),
    "graftwork.deploy.transformers": ("export_transformers",),
    "graftwork.errors": ("GraftworkError",),
    "graftwork.estimators": ("Classifier", "Regressor"),
    "graftwork.model": ("Model", "load"),
    "graftwork.recipe": ("Recipe",),
    "graftwork.runs.fit": ("fit", "plan"),
    "graftwork.techniques": (
        "CDAN",
        "Coral",
        "DANN",
        "DomainSampling",
        "GroupDRO",
        "IRM",
        "MMD",
        "VREx",
        "Uncertainty",
        "TargetWeights",
        "PCGrad",
        "EDA",
        "EMA",
        "SAM",
        "SWA",
        "TTA",
        "Accumulate",
        "ArcFace",
        "BalancedSampling",
        "ClassWeights",
        "Colour",
        "Consistency",
        "Crop",
        "CutMix",
        "Flip",
        "Full",
        "FusionTransformer",
        "Gain",
        "Gated",
        "LabelSmoothing",
        "Late",
        "LayerDecay",
        "LoRA",
        "Mixup",
        "ModalityDropout",
        "Noise",
        "Partial",
        "PixelMixup",
        "Probe",
        "RandAugment",
        "Refit",
        "Shift",
        "SpecAugment",
        "SupervisedContrastive",
        "TokenDropout",
        "Triplet",
        "WarmStart",
        "WeightedSum",
    ),
    "graftwork.verification": ("Gallery", "load_gallery"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "CDAN",
    "DANN",
    "EDA",
    "EMA",
    "IRM",
    "MMD",
    "SAM",
    "SWA",
    "TTA",
    "Accumulate",
    "ArcFace",
    "BalancedSampling",
    "ClassWeights",
    "Classifier",
    "Colour",
    "Consistency",
    "Coral",
    "Crop",
    "CutMix",
    "DomainSampling",
    "Flip",
    "Full",
    "FusionTransformer",
    "Gain",
    "Gallery",
    "Gated",
    "GraftworkError",
    "GroupDRO",
    "LabelSmoothing",
    "Late",
    "LayerDecay",
    "LoRA",
    "Mixup",
    "ModalityDropout",
    "Model",
    "Noise",
    "PCGrad",
    "Partial",
    "PixelMixup",
    "Probe",
    "RandAugment",
    "Recipe",
    "Refit",
    "Regressor",
    "Shift",
    "SpecAugment",
    "SupervisedContrastive",
    "TargetWeights",
    "TextSettings",
    "TokenDropout",
    "Training",
    "Triplet",
    "Uncertainty",
    "VREx",
    "WarmStart",
    "WeightedSum",
    "export_transformers",
    "fit",
    "load",
    "load_gallery",
    "plan",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'graftwork' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
