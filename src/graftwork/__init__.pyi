# Made by docs/make_reference.py: run `make docs`.

from graftwork import bases as bases
from graftwork.core.settings import Training as Training
from graftwork.data.columns.text import TextSettings as TextSettings
from graftwork.deploy.advise import advise as advise
from graftwork.deploy.drift import drift as drift
from graftwork.deploy.embed import embed as embed
from graftwork.deploy.profile import profile as profile
from graftwork.deploy.reference import with_reference as with_reference
from graftwork.deploy.transformers.export import export_transformers as export_transformers
from graftwork.devices import use_device as use_device
from graftwork.errors import GraftworkError as GraftworkError
from graftwork.estimators import Classifier as Classifier
from graftwork.estimators import Regressor as Regressor
from graftwork.model import Model as Model
from graftwork.model import load as load
from graftwork.recipe import Recipe as Recipe
from graftwork.rl.ablation.ablate import RLAblation as RLAblation
from graftwork.rl.ablation.ablate import ablate_rl as ablate_rl
from graftwork.rl.learning.model_actor import play as play
from graftwork.rl.policies.policy import Policy as Policy
from graftwork.rl.policies.policy import load_policy as load_policy
from graftwork.rl.recipe import RLRecipe as RLRecipe
from graftwork.rl.rl import Learned as Learned
from graftwork.rl.rl import rl as rl
from graftwork.runs.ablation.ablate import ablate as ablate
from graftwork.runs.ablation.ablation import Ablation as Ablation
from graftwork.runs.finished.robustness import robustness as robustness
from graftwork.runs.fit import fit as fit
from graftwork.runs.fit import plan as plan
from graftwork.runs.job.data_arguments import DataArguments as DataArguments
from graftwork.runs.merging.merge import merge as merge
from graftwork.runs.merging.soup import soup as soup
from graftwork.runs.pretrain.pretrain import pretrain as pretrain
from graftwork.runs.sequences.sequence import run_sequence as run_sequence
from graftwork.runs.sequences.steps import PseudoLabels as PseudoLabels
from graftwork.runs.sequences.steps import Step as Step
from graftwork.runs.tune.choosing.tuned import Tuned as Tuned
from graftwork.runs.tune.tune import tune as tune
from graftwork.techniques.adversarial.adversarial import Adversarial as Adversarial
from graftwork.techniques.adversarial.fgm import FGM as FGM
from graftwork.techniques.adversarial.free_adversarial import FreeAdversarial as FreeAdversarial
from graftwork.techniques.adversarial.trades import TRADES as TRADES
from graftwork.techniques.adversarial.vat import VAT as VAT
from graftwork.techniques.augment.affine import Affine as Affine
from graftwork.techniques.augment.augmix import AugMix as AugMix
from graftwork.techniques.augment.colour import Colour as Colour
from graftwork.techniques.augment.crop import Crop as Crop
from graftwork.techniques.augment.cutmix import CutMix as CutMix
from graftwork.techniques.augment.eda import EDA as EDA
from graftwork.techniques.augment.flip import Flip as Flip
from graftwork.techniques.augment.gain import Gain as Gain
from graftwork.techniques.augment.mixup import Mixup as Mixup
from graftwork.techniques.augment.noise import Noise as Noise
from graftwork.techniques.augment.pixel_mixup import PixelMixup as PixelMixup
from graftwork.techniques.augment.rand_augment import RandAugment as RandAugment
from graftwork.techniques.augment.shift import Shift as Shift
from graftwork.techniques.augment.spec_augment import SpecAugment as SpecAugment
from graftwork.techniques.augment.token_dropout import TokenDropout as TokenDropout
from graftwork.techniques.augment.tta import TTA as TTA
from graftwork.techniques.continual.l2_sp import L2SP as L2SP
from graftwork.techniques.continual.replay import Replay as Replay
from graftwork.techniques.continual.wise_ft import WiSEFT as WiSEFT
from graftwork.techniques.distil.consistency import Consistency as Consistency
from graftwork.techniques.distil.distil import Distil as Distil
from graftwork.techniques.distil.distil_features import DistilFeatures as DistilFeatures
from graftwork.techniques.distil.self_distil import SelfDistil as SelfDistil
from graftwork.techniques.domain.adabn import AdaBN as AdaBN
from graftwork.techniques.domain.cdan import CDAN as CDAN
from graftwork.techniques.domain.coral import Coral as Coral
from graftwork.techniques.domain.dann import DANN as DANN
from graftwork.techniques.domain.domain_sampling import DomainSampling as DomainSampling
from graftwork.techniques.domain.film import Film as Film
from graftwork.techniques.domain.group_dro import GroupDRO as GroupDRO
from graftwork.techniques.domain.irm import IRM as IRM
from graftwork.techniques.domain.mmd import MMD as MMD
from graftwork.techniques.domain.tent import Tent as Tent
from graftwork.techniques.domain.vrex import VREx as VREx
from graftwork.techniques.fusion.fusion_transformer import FusionTransformer as FusionTransformer
from graftwork.techniques.fusion.gated import Gated as Gated
from graftwork.techniques.fusion.late import Late as Late
from graftwork.techniques.fusion.modality_dropout import ModalityDropout as ModalityDropout
from graftwork.techniques.fusion.weighted_sum import WeightedSum as WeightedSum
from graftwork.techniques.labels.balanced_sampling import BalancedSampling as BalancedSampling
from graftwork.techniques.labels.class_weights import ClassWeights as ClassWeights
from graftwork.techniques.labels.generalised_cross_entropy import GeneralisedCrossEntropy as GeneralisedCrossEntropy
from graftwork.techniques.labels.label_smoothing import LabelSmoothing as LabelSmoothing
from graftwork.techniques.labels.small_loss import SmallLoss as SmallLoss
from graftwork.techniques.meta.anil import ANIL as ANIL
from graftwork.techniques.meta.maml import MAML as MAML
from graftwork.techniques.meta.protonet import ProtoNet as ProtoNet
from graftwork.techniques.meta.reptile import Reptile as Reptile
from graftwork.techniques.metric.arcface import ArcFace as ArcFace
from graftwork.techniques.metric.supervised_contrastive import SupervisedContrastive as SupervisedContrastive
from graftwork.techniques.metric.triplet import Triplet as Triplet
from graftwork.techniques.multitask.pcgrad import PCGrad as PCGrad
from graftwork.techniques.multitask.target_weights import TargetWeights as TargetWeights
from graftwork.techniques.multitask.uncertainty import Uncertainty as Uncertainty
from graftwork.techniques.optimize.accumulate import Accumulate as Accumulate
from graftwork.techniques.optimize.sam import SAM as SAM
from graftwork.techniques.reward.advantage_weighted import AdvantageWeighted as AdvantageWeighted
from graftwork.techniques.reward.doubly_robust import DoublyRobust as DoublyRobust
from graftwork.techniques.reward.reward import Reward as Reward
from graftwork.techniques.transfer.full import Full as Full
from graftwork.techniques.transfer.label_names import LabelNames as LabelNames
from graftwork.techniques.transfer.layer_decay import LayerDecay as LayerDecay
from graftwork.techniques.transfer.lora import LoRA as LoRA
from graftwork.techniques.transfer.partial import Partial as Partial
from graftwork.techniques.transfer.probe import Probe as Probe
from graftwork.techniques.transfer.refit import Refit as Refit
from graftwork.techniques.transfer.warm_start import WarmStart as WarmStart
from graftwork.techniques.weights.ema import EMA as EMA
from graftwork.techniques.weights.swa import SWA as SWA
from graftwork.uses.gallery import Gallery as Gallery
from graftwork.uses.gallery import load_gallery as load_gallery

__version__: str
__all__ = [
    "ANIL",
    "Ablation",
    "Accumulate",
    "AdaBN",
    "AdvantageWeighted",
    "Adversarial",
    "Affine",
    "ArcFace",
    "AugMix",
    "BalancedSampling",
    "CDAN",
    "ClassWeights",
    "Classifier",
    "Colour",
    "Consistency",
    "Coral",
    "Crop",
    "CutMix",
    "DANN",
    "DataArguments",
    "Distil",
    "DistilFeatures",
    "DomainSampling",
    "DoublyRobust",
    "EDA",
    "EMA",
    "FGM",
    "Film",
    "Flip",
    "FreeAdversarial",
    "Full",
    "FusionTransformer",
    "Gain",
    "Gallery",
    "Gated",
    "GeneralisedCrossEntropy",
    "GraftworkError",
    "GroupDRO",
    "IRM",
    "L2SP",
    "LabelNames",
    "LabelSmoothing",
    "Late",
    "LayerDecay",
    "Learned",
    "LoRA",
    "MAML",
    "MMD",
    "Mixup",
    "ModalityDropout",
    "Model",
    "Noise",
    "PCGrad",
    "Partial",
    "PixelMixup",
    "Policy",
    "Probe",
    "ProtoNet",
    "PseudoLabels",
    "RLAblation",
    "RLRecipe",
    "RandAugment",
    "Recipe",
    "Refit",
    "Regressor",
    "Replay",
    "Reptile",
    "Reward",
    "SAM",
    "SWA",
    "SelfDistil",
    "Shift",
    "SmallLoss",
    "SpecAugment",
    "Step",
    "SupervisedContrastive",
    "TRADES",
    "TTA",
    "TargetWeights",
    "Tent",
    "TextSettings",
    "TokenDropout",
    "Training",
    "Triplet",
    "Tuned",
    "Uncertainty",
    "VAT",
    "VREx",
    "WarmStart",
    "WeightedSum",
    "WiSEFT",
    "ablate",
    "ablate_rl",
    "advise",
    "bases",
    "drift",
    "embed",
    "export_transformers",
    "fit",
    "load",
    "load_gallery",
    "load_policy",
    "merge",
    "plan",
    "play",
    "pretrain",
    "profile",
    "rl",
    "robustness",
    "run_sequence",
    "soup",
    "tune",
    "use_device",
    "with_reference",
]
