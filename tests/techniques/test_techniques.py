"""The registry, and what holds for every technique."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from graftwork import specs
from graftwork.core.contract.facts import CLAIMS, FACTS
from graftwork.core.technique import Technique
from graftwork.errors import UsageError
from graftwork.techniques import (
    CDAN,
    DANN,
    EMA,
    FGM,
    IRM,
    MMD,
    SAM,
    SWA,
    TECHNIQUES,
    TRADES,
    VAT,
    Accumulate,
    AdaBN,
    Adversarial,
    AugMix,
    BalancedSampling,
    ClassWeights,
    Consistency,
    Coral,
    Distil,
    DistilFeatures,
    DomainSampling,
    FreeAdversarial,
    GeneralisedCrossEntropy,
    GroupDRO,
    LabelSmoothing,
    LayerDecay,
    LoRA,
    Mixup,
    ModalityDropout,
    Partial,
    Probe,
    SelfDistil,
    SmallLoss,
    SupervisedContrastive,
    Tent,
    Triplet,
    VREx,
    WarmStart,
)

NULL = [
    LabelSmoothing(0.0),
    ClassWeights(0.0),
    BalancedSampling(0.0),
    Mixup(0.0),
    Consistency(0.0),
    SupervisedContrastive(0.0),
    SAM(0.0),
    Accumulate(1),
    EMA(0.0),
    LayerDecay(1.0),
    GroupDRO(0.0),
    IRM(0.0),
    VREx(0.0),
    DomainSampling(0.0),
    Distil("t", weight=0.0),
    DistilFeatures("t", weight=0.0),
    SelfDistil(0.0),
    Tent(0),
    AdaBN(0.0),
    Coral(0.0),
    MMD(0.0),
    DANN(0.0),
    CDAN(0.0),
    Triplet(0.0),
    SWA(0.0),
    ModalityDropout(0.0),
    GeneralisedCrossEntropy(0.0),
    SmallLoss(0.0),
    Adversarial(0.0),
    FreeAdversarial(0.0),
    TRADES(0.0),
    TRADES(beta=0.0),
    FGM(0.0),
    VAT(0.0),
    VAT(weight=0.0),
    AugMix(0.0),
]

WRONG = [
    ("label-smoothing:amount=1", "amount is 1.0. Expected a number from 0 to below 1"),
    ("label-smoothing:amount=-0.1", "from 0 to below 1"),
    ("label-smoothing:amount=nan", "amount is nan"),
    ("class-weights:power=3", "from 0 to 2"),
    ("balanced-sampling:power=-1", "from 0 to 2"),
    ("mixup:alpha=-0.2", "at least 0"),
    ("mixup:alpha=inf", "at least 0"),
    ("consistency:weight=-1", "at least 0"),
    ("supervised-contrastive:temperature=0", "at least 0.001"),
    ("sam:rho=-0.1", "at least 0"),
    ("accumulate:steps=0", "at least 1"),
    ("ema:decay=1", "from 0 to below 1"),
    ("layer-decay:rate=0", "above 0 and at most 1"),
    ("partial:blocks=0", "at least 1"),
    ("lora:rank=0", "at least 1"),
    ("lora:dropout=1", "from 0 to below 1"),
    ("probe:l2=-1", "at least 0"),
    ("warm-start:l2=strong", "Expected one of: auto"),
]


def test_names_are_kebab_case_and_unique():
    assert len(set(TECHNIQUES.values())) == len(TECHNIQUES)
    for name, cls in TECHNIQUES.items():
        assert name == cls.name
        assert name == name.lower().replace("_", "-")
        assert cls.summary
        assert cls.__doc__


@pytest.mark.parametrize("cls", TECHNIQUES.values(), ids=list(TECHNIQUES))
def test_words_are_known_and_short_form_is_the_same_thing(cls: type[Technique]):
    required = [f.name for f in dataclasses.fields(cls) if f.default is f.default_factory is dataclasses.MISSING]
    technique = cls(**{name: name for name in required})
    assert technique.needs | technique.drops | technique.gives <= set(FACTS)
    assert technique.claims <= set(CLAIMS)
    assert specs.parse(specs.write(technique, technique.name), TECHNIQUES, "technique") == technique
    assert dataclasses.is_dataclass(technique)
    with pytest.raises(dataclasses.FrozenInstanceError):
        technique.other = 1


@pytest.mark.parametrize(
    "technique",
    [LoRA(16, dora=True, targets="query+value"), Probe(0.5), WarmStart("auto"), Partial(3), SAM(0.1, adaptive=True)],
    ids=lambda technique: technique.name,
)
def test_settings_survive_the_short_form(technique: Technique):
    assert specs.parse(specs.write(technique, technique.name), TECHNIQUES, "technique") == technique


@pytest.mark.parametrize("technique", NULL, ids=lambda technique: technique.name)
def test_at_its_null_setting_it_is_off(technique: Technique):
    """What plans and predictions make of that: `tests/core/test_plan.py`, `tests/conformance/test_effects.py`."""
    assert technique.off
    assert not type(technique)(**{f.name: getattr(technique, f.name) for f in required(technique)}).off


def required(technique: Technique) -> list[dataclasses.Field]:
    return [f for f in dataclasses.fields(technique) if f.default is f.default_factory is dataclasses.MISSING]


def test_what_it_says_of_itself_is_no_setting():
    """An attribute that is annotated without ClassVar would become one."""
    said = {name for name, value in vars(Technique).items() if isinstance(value, property)} | {"name", "phase"}
    for cls in TECHNIQUES.values():
        assert not said & {f.name for f in dataclasses.fields(cls)}, cls.name


@pytest.mark.parametrize(("spec", "message"), WRONG, ids=[spec for spec, _ in WRONG])
def test_wrong_setting_says_what_is_allowed(spec: str, message: str):
    with pytest.raises(UsageError, match=message):
        specs.parse(spec, TECHNIQUES, "technique")


@pytest.mark.parametrize(
    "technique",
    [LabelSmoothing(), ClassWeights(), Mixup(), Consistency(), SupervisedContrastive(), SAM(), Accumulate(3), EMA()],
    ids=lambda technique: technique.name,
)
@pytest.mark.parametrize("rows", [1, 2, 24])
def test_a_step_is_finite_repeatable_and_leaves_the_main_stream_alone(technique: Technique, rows: int, fixture):
    def step():
        this = fixture(rows=rows, dropout=0.3, unlabelled=(1,) if rows > 1 else ())
        torch.manual_seed(5)
        found = this.gradients(technique)
        return found, torch.get_rng_state()

    torch.manual_seed(5)
    first, state = step()
    second, _ = step()
    plain = fixture(rows=rows, dropout=0.3, unlabelled=(1,) if rows > 1 else ())
    torch.manual_seed(5)
    plain.gradients()
    assert first.keys() == second.keys()
    for name, gradient in first.items():
        assert torch.isfinite(gradient).all()
        assert torch.equal(gradient, second[name])
    # The parts of an accumulated batch are forwards of their own, so only there the main stream is used otherwise.
    if not isinstance(technique, Accumulate):
        assert torch.equal(state, torch.get_rng_state())
