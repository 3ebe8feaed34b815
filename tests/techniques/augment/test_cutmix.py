from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from graftwork.core.plan import base_facts, check
from graftwork.errors import RefusedError
from graftwork.techniques import CutMix, Mixup, PixelMixup, SupervisedContrastive
from graftwork.techniques.augment.cutmix import rectangle


@pytest.mark.parametrize("share", [0.0, 0.3, 0.75, 1.0])
def test_a_rectangle_in_the_middle_has_the_area_that_is_left(share: float):
    rows, columns = rectangle(1000, share, 0.5, 0.5)
    assert (rows.stop - rows.start) * (columns.stop - columns.start) / 1e6 == pytest.approx(1 - share, abs=2e-3)


def test_a_rectangle_is_clipped_at_the_edge():
    assert rectangle(8, 0.75, 0.0, 1.0) == (slice(6, 8), slice(0, 2))


def test_each_pixel_is_of_the_row_or_of_its_partner_and_targets_follow_the_area(pictures):
    network, setup, batch = pictures("photo", "back", unlabelled=(2, 9))
    mixed = CutMix().attach(network, setup).inputs(batch)
    shares = []
    for name in ("photo", "back"):
        before, after = batch.inputs[name]["pixels"], mixed.inputs[name]["pixels"]
        kept = (after == before).all(1)
        kept = kept[~kept.flatten(1).all(1)]  # a row may be its own partner
        assert torch.equal(kept, kept[:1].expand_as(kept))  # one rectangle a step
        shares.append(float(kept[0].float().mean()))
        corner = ~kept[0]
        rows = [
            next(at for at in range(24) if torch.equal(before[at][:, corner], after[row][:, corner]))
            for row in range(24)
        ]
        assert sorted(rows) == list(range(24))
    assert shares[0] == shares[1] < 1
    one_hot = setup.tasks["classes"].soften(batch.targets["classes"])
    expected = shares[0] * one_hot + (1 - shares[0]) * one_hot[torch.tensor(rows)]
    torch.testing.assert_close(mixed.targets["classes"], expected)
    assert torch.equal(batch.labelled["classes"][torch.tensor(rows)], batch.labelled["classes"])


def test_pixel_mixup_blends_images_and_targets_alike(pictures):
    network, setup, batch = pictures(weight=torch.linspace(0.5, 1.5, 24))
    mixed = PixelMixup(5.0).attach(network, setup).inputs(batch)
    before, after = (one.inputs["photo"]["pixels"].flatten(1).double() for one in (batch, mixed))
    for row in range(24):  # the partner and the share, found by least squares
        fits = [np.linalg.lstsq(torch.stack([before[row], other], 1), after[row], rcond=None) for other in before]
        best = min((at for at in range(24) if at != row), key=lambda at: fits[at][1][0] if len(fits[at][1]) else 9.9)
        share = fits[best][0][0]
        if share > 0.999:  # its own partner
            continue
        assert fits[best][0].sum() == pytest.approx(1, abs=1e-5)
        weight = share * batch.weight[row] + (1 - share) * batch.weight[best]
        assert float(mixed.weight[row]) == pytest.approx(float(weight), abs=1e-5)
        target = torch.zeros(3)
        target[batch.targets["classes"][row]] += share * batch.weight[row]
        target[batch.targets["classes"][best]] += (1 - share) * batch.weight[best]
        torch.testing.assert_close(mixed.targets["classes"][row], target / weight, atol=1e-5, rtol=0)


def test_rows_without_an_image_are_mixed_among_themselves(pictures):
    network, setup, batch = pictures("photo", "back")
    present = torch.arange(24) % 3 > 0
    batch = replace(batch, present={"photo": present})
    batch.inputs["photo"]["pixels"][~present] = 0.5
    mixed = PixelMixup(1.0).attach(network, setup).inputs(batch)
    assert torch.equal(mixed.inputs["photo"]["pixels"][~present], batch.inputs["photo"]["pixels"][~present])
    assert (mixed.inputs["photo"]["pixels"][present] != 0.5).all()


def test_probability_is_the_share_of_steps(pictures):
    network, setup, batch = pictures()
    graft = CutMix(probability=0.5).attach(network, setup)
    mixed = sum(graft.inputs(batch) is not batch for _ in range(100))
    assert 35 < mixed < 65


def test_what_it_is_refused_beside(pictures):
    network, setup, _ = pictures()
    facts = base_facts(network, setup.tasks)
    with pytest.raises(RefusedError, match="both decide how images are mixed"):
        check([CutMix(), PixelMixup()], facts)
    with pytest.raises(RefusedError, match="supervised-contrastive needs hard_labels, but cutmix removes them"):
        check([SupervisedContrastive(), CutMix()], facts)
    check([CutMix(), Mixup()], facts)
    with pytest.raises(RefusedError, match=r"cutmix needs only_image_inputs.*use mixup"):
        check([CutMix()], facts - {"only_image_inputs"})
