from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest
import torch

from graftwork.core.frozen.cache import cache_depths
from graftwork.core.plan import base_facts, check
from graftwork.core.technique import Technique
from graftwork.errors import RefusedError, UsageError
from graftwork.tasks.classification import Classification
from graftwork.techniques import (
    EDA,
    TTA,
    Affine,
    Colour,
    Crop,
    CutMix,
    Flip,
    Gain,
    Noise,
    Partial,
    PixelMixup,
    Probe,
    RandAugment,
    Shift,
    SpecAugment,
    TokenDropout,
)

IMAGE = (Flip(), Crop(), Affine(), Colour(), RandAugment(), CutMix(), PixelMixup())
MOVING = (Flip(), Crop(), Affine(), RandAugment(), CutMix(), PixelMixup(), Shift(), EDA(), TTA())
STAYING = (Colour(), Gain(), Noise(), SpecAugment(), TokenDropout())
OFF = (
    Flip(0.0),
    Crop(1.0, 1.0, 0.0),
    Affine(0.0, 0.0, 0.0, 0.0),
    Colour(0.0, 0.0, 0.0, 0.0),
    RandAugment(0),
    CutMix(0.0),
    CutMix(probability=0.0),
    PixelMixup(0.0),
    Gain(0.0),
    Noise(0.0),
    Shift(0.0),
    SpecAugment(0, time_masks=0),
    SpecAugment(freq_width=0.0, time_width=0.0),
    TokenDropout(0.0),
    EDA(0.0, 0.0),
    TTA(1),
)


def named(technique: Technique) -> str:
    return technique.name


@dataclass(frozen=True, kw_only=True)
class Boxes(Classification):
    """Stands for a task whose targets are tied to places in the inputs."""

    own_facts: ClassVar[frozenset[str]] = Classification.own_facts | {"structured_targets"}


@pytest.mark.parametrize("technique", OFF, ids=named)
def test_settings_that_leave_every_input_as_it_is_are_off(technique):
    assert technique.off
    assert not type(technique)().off


@pytest.mark.parametrize("technique", [*MOVING, *STAYING], ids=named)
def test_targets_tied_to_places_are_refused_where_they_would_have_to_move(technique, pictures):
    network, setup, _ = pictures()
    placed = {"label": Boxes(), "other": setup.tasks["classes"]}
    facts = base_facts(network, placed) | {f"{kind}_inputs" for kind in ("text", "audio")} | {"spectrogram"}
    if technique in STAYING:
        check([technique], facts)
        return
    with pytest.raises(RefusedError, match=rf"{technique.name} needs row_targets.*without boxes"):
        check([technique], facts)
    check([technique], facts | {"row_targets"})


@pytest.mark.parametrize("technique", [*IMAGE, TTA()], ids=named)
def test_without_an_input_of_its_kind_it_is_refused(technique, fixture):
    this = fixture()
    with pytest.raises(RefusedError, match=rf"{technique.name} needs .*image (or audio )?column"):
        check([technique], base_facts(this.network, this.setup.tasks))


@pytest.mark.parametrize("technique", IMAGE, ids=named)
def test_rows_targets_and_the_main_stream(technique, pictures):
    network, setup, batch = pictures("photo", "back")
    before = {name: inputs["pixels"].clone() for name, inputs in batch.inputs.items()}
    torch.manual_seed(3)
    state = torch.get_rng_state()
    graft = technique.attach(network, setup)
    first, second = graft.inputs(batch), graft.inputs(batch)
    assert torch.equal(torch.get_rng_state(), state)
    again = technique.attach(network, setup).inputs(batch)
    for name, pixels in before.items():
        assert torch.equal(batch.inputs[name]["pixels"], pixels)  # not changed in place
        changed = first.inputs[name]["pixels"]
        assert changed.shape == pixels.shape
        assert not torch.equal(changed, pixels)
        assert not torch.equal(changed, second.inputs[name]["pixels"])
        assert torch.equal(changed, again.inputs[name]["pixels"])
        assert changed.min() >= -1e-6
        assert changed.max() <= 1 + 1e-6
    assert next(iter(graft.generators.values())).initial_seed() == setup.seed


def test_columns_restrict(pictures):
    network, setup, batch = pictures("photo", "back")
    changed = Flip(1.0, columns=("back",)).attach(network, setup).inputs(batch)
    assert changed.inputs["photo"] is batch.inputs["photo"]
    assert torch.equal(changed.inputs["back"]["pixels"], batch.inputs["back"]["pixels"].flip(-1))


def test_an_unknown_column_is_named(pictures):
    network, setup, _ = pictures("photo", "back")
    with pytest.raises(UsageError, match=r"flip: columns names 'front'\. Expected image inputs.*: photo, back"):
        Flip(columns=("front",)).attach(network, setup)


def test_the_cache_ends_where_an_input_changes_and_nowhere_else(pictures):
    network, _, _ = pictures("photo", "back")
    network.requires_grad_(False)
    depth = network.encoder("photo").depth
    assert cache_depths(network, [Probe()])[0] == {"photo": depth, "back": depth}
    depths, notes = cache_depths(network, [Flip(columns=("back",))])
    assert depths == {"photo": depth}
    assert notes == ["flip changes the input of block 0 of back: the cache ends there"]
    assert cache_depths(network, [Flip()], predicting=True)[0] == {"photo": depth, "back": depth}
    assert cache_depths(network, [TokenDropout()])[0] == {"photo": depth, "back": depth}
    assert cache_depths(network, [TTA()])[0] == {"photo": depth, "back": depth}
    depths, notes = cache_depths(network, [TTA()], predicting=True)
    assert depths == {}
    assert notes[0] == "tta changes the input of block 0 of photo in validation: the cache ends there"


def test_a_part_of_a_step_sees_what_the_whole_saw(pictures):
    network, setup, batch = pictures()
    graft = Crop().attach(network, setup)
    changed = graft.inputs(batch)
    rows = torch.tensor([3, 5])
    assert torch.equal(changed.part(rows).inputs["photo"]["pixels"], changed.inputs["photo"]["pixels"][rows])
    assert changed.size == batch.size
    assert replace(changed, inputs=batch.inputs) == batch


@pytest.mark.parametrize(
    ("technique", "train", "valid"),
    [(Flip(), {}, {"image": 3}), (TTA(2), {"image": 3}, {}), (TokenDropout(0.0), {"image": 3}, {"image": 3})],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_is_not_changed_stays_cached(technique, train, valid, fixtures):
    run = fixtures("image").run([Partial(1), technique])
    assert {name: store.depth for name, store in run.cached.items()} == train
    assert {name: store.depth for name, store in run.valid_cached.items()} == valid
    assert run.plan.cache == train
    words = {"flip": "of image: the cache ends", "tta": "of image in validation: the cache ends"}.get(
        technique.name, ""
    )
    assert words in run.plan.explain()
