"""The techniques by name. A new technique is one new file, one row here and one row in the conformance table."""

from __future__ import annotations

from graftwork import specs
from graftwork.core.technique import Technique
from graftwork.errors import UsageError
from graftwork.techniques.adversarial.adversarial import Adversarial
from graftwork.techniques.adversarial.fgm import FGM
from graftwork.techniques.adversarial.free_adversarial import FreeAdversarial
from graftwork.techniques.adversarial.trades import TRADES
from graftwork.techniques.adversarial.vat import VAT
from graftwork.techniques.augment.affine import Affine
from graftwork.techniques.augment.augmix import AugMix
from graftwork.techniques.augment.colour import Colour
from graftwork.techniques.augment.crop import Crop
from graftwork.techniques.augment.cutmix import CutMix
from graftwork.techniques.augment.eda import EDA
from graftwork.techniques.augment.flip import Flip
from graftwork.techniques.augment.gain import Gain
from graftwork.techniques.augment.mixup import Mixup
from graftwork.techniques.augment.noise import Noise
from graftwork.techniques.augment.pixel_mixup import PixelMixup
from graftwork.techniques.augment.rand_augment import RandAugment
from graftwork.techniques.augment.shift import Shift
from graftwork.techniques.augment.spec_augment import SpecAugment
from graftwork.techniques.augment.token_dropout import TokenDropout
from graftwork.techniques.augment.tta import TTA
from graftwork.techniques.distil.consistency import Consistency
from graftwork.techniques.distil.distil import Distil
from graftwork.techniques.distil.distil_features import DistilFeatures
from graftwork.techniques.distil.self_distil import SelfDistil
from graftwork.techniques.domain.adabn import AdaBN
from graftwork.techniques.domain.cdan import CDAN
from graftwork.techniques.domain.coral import Coral
from graftwork.techniques.domain.dann import DANN
from graftwork.techniques.domain.domain_sampling import DomainSampling
from graftwork.techniques.domain.film import Film
from graftwork.techniques.domain.group_dro import GroupDRO
from graftwork.techniques.domain.irm import IRM
from graftwork.techniques.domain.mmd import MMD
from graftwork.techniques.domain.tent import Tent
from graftwork.techniques.domain.vrex import VREx
from graftwork.techniques.fusion.fusion_transformer import FusionTransformer
from graftwork.techniques.fusion.gated import Gated
from graftwork.techniques.fusion.late import Late
from graftwork.techniques.fusion.modality_dropout import ModalityDropout
from graftwork.techniques.fusion.weighted_sum import WeightedSum
from graftwork.techniques.labels.balanced_sampling import BalancedSampling
from graftwork.techniques.labels.class_weights import ClassWeights
from graftwork.techniques.labels.generalised_cross_entropy import GeneralisedCrossEntropy
from graftwork.techniques.labels.label_smoothing import LabelSmoothing
from graftwork.techniques.labels.small_loss import SmallLoss
from graftwork.techniques.meta.anil import ANIL
from graftwork.techniques.meta.maml import MAML
from graftwork.techniques.meta.protonet import ProtoNet
from graftwork.techniques.meta.reptile import Reptile
from graftwork.techniques.metric.arcface import ArcFace
from graftwork.techniques.metric.supervised_contrastive import SupervisedContrastive
from graftwork.techniques.metric.triplet import Triplet
from graftwork.techniques.multitask.pcgrad import PCGrad
from graftwork.techniques.multitask.target_weights import TargetWeights
from graftwork.techniques.multitask.uncertainty import Uncertainty
from graftwork.techniques.optimize.accumulate import Accumulate
from graftwork.techniques.optimize.sam import SAM
from graftwork.techniques.transfer.full import Full
from graftwork.techniques.transfer.layer_decay import LayerDecay
from graftwork.techniques.transfer.lora import LoRA
from graftwork.techniques.transfer.partial import Partial
from graftwork.techniques.transfer.probe import Probe
from graftwork.techniques.transfer.refit import Refit
from graftwork.techniques.transfer.warm_start import WarmStart
from graftwork.techniques.weights.ema import EMA
from graftwork.techniques.weights.swa import SWA

__all__ = [
    "ANIL",
    "CDAN",
    "DANN",
    "EDA",
    "EMA",
    "FGM",
    "IRM",
    "MAML",
    "MMD",
    "SAM",
    "SWA",
    "TECHNIQUES",
    "TRADES",
    "TTA",
    "VAT",
    "Accumulate",
    "AdaBN",
    "Adversarial",
    "Affine",
    "ArcFace",
    "AugMix",
    "BalancedSampling",
    "ClassWeights",
    "Colour",
    "Consistency",
    "Coral",
    "Crop",
    "CutMix",
    "Distil",
    "DistilFeatures",
    "DomainSampling",
    "Film",
    "Flip",
    "FreeAdversarial",
    "Full",
    "FusionTransformer",
    "Gain",
    "Gated",
    "GeneralisedCrossEntropy",
    "GroupDRO",
    "LabelSmoothing",
    "Late",
    "LayerDecay",
    "LoRA",
    "Mixup",
    "ModalityDropout",
    "Noise",
    "PCGrad",
    "Partial",
    "PixelMixup",
    "Probe",
    "ProtoNet",
    "RandAugment",
    "Refit",
    "Reptile",
    "SelfDistil",
    "Shift",
    "SmallLoss",
    "SpecAugment",
    "SupervisedContrastive",
    "TargetWeights",
    "Tent",
    "TokenDropout",
    "Triplet",
    "Uncertainty",
    "VREx",
    "WarmStart",
    "WeightedSum",
]

_ALL: tuple[type[Technique], ...] = (
    WeightedSum,
    Gated,
    FusionTransformer,
    Late,
    ModalityDropout,
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
    GeneralisedCrossEntropy,
    SmallLoss,
    Adversarial,
    FreeAdversarial,
    TRADES,
    FGM,
    VAT,
    AugMix,
    SupervisedContrastive,
    Triplet,
    ArcFace,
    ProtoNet,
    MAML,
    ANIL,
    Reptile,
    Flip,
    Crop,
    Affine,
    Colour,
    RandAugment,
    CutMix,
    PixelMixup,
    Gain,
    Noise,
    Shift,
    SpecAugment,
    TokenDropout,
    EDA,
    TTA,
    TargetWeights,
    Uncertainty,
    PCGrad,
    SAM,
    Accumulate,
    CDAN,
    Coral,
    DANN,
    DomainSampling,
    Film,
    GroupDRO,
    IRM,
    MMD,
    VREx,
    AdaBN,
    Tent,
    Distil,
    DistilFeatures,
    SelfDistil,
    EMA,
    SWA,
    Refit,
)

TECHNIQUES: dict[str, type[Technique]] = {technique.name: technique for technique in _ALL}


def at_prediction(given: Technique | str) -> Technique:
    """The technique of a spec such as "tta:views=4". Raises UsageError for one that does nothing at prediction."""
    technique = specs.parse(given, TECHNIQUES, "technique") if isinstance(given, str) else given
    if not technique.acts_at_prediction:
        known = [name for name, each in TECHNIQUES.items() if each.predict is not Technique.predict]
        raise UsageError(
            f"{technique.name} acts in training alone, so a finished model can't take it. At prediction there are: "
            f"{', '.join(sorted(known))}."
        )
    return technique
