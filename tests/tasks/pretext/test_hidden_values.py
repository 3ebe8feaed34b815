"""Masked pictures and spectrograms: how much is hidden, what is asked for, and the loss, each counted otherwise."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from graftwork.core.rows.corruption import corruption
from graftwork.core.rows.examples import make_batch, prepare
from graftwork.data.batch import Batch
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Column, Kind, Schema, Table
from graftwork.errors import UsageError
from graftwork.networks.audio.encoder import MelEncoder
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.image.encoder import ImageEncoder
from graftwork.networks.network import Network
from graftwork.tasks.pretext.hidden_values import HiddenValues, patches
from graftwork.tasks.pretext.masked_image import MaskedImage
from graftwork.tasks.pretext.masked_mel import MaskedMel
from pictures import tiny_image_model
from tinyrun import clip, picture
from tinysound import tiny_sound_model

ROWS = 60
CNN = "small-cnn:width=8,size=16"
GRU = "mel-gru:width=8,rate=2000,mels=16"


@cache
def made(task: HiddenValues, base: str) -> tuple[Network, Batch, Batch, HiddenValues]:
    """A network with the task's head, all rows as they are, and with patches hidden."""
    kind: Kind = "image" if task.reads == "image" else "audio"
    make = picture if kind == "image" else clip
    values = [make(("animals", "weather", "food")[at % 3], at) for at in range(ROWS)]
    table = Table(pa.table({"it": values}), Schema((Column("it", kind),)), "tiny", np.arange(1, ROWS + 1))
    learned = task.learn_rows(table, "pretext")
    network = Network({"it": parse_base(base, kind).build(TrainingRows(columns=table.schema.columns), 0)}, {})
    network.set_heads({"pretext": learned.make_head(network, learned.usual_head)})
    plain = make_batch(prepare(table, network, {"pretext": learned}, TextSettings()), network, np.arange(ROWS))
    hiding = corruption({"pretext": learned}, network, seed=1)
    assert hiding is not None
    return network, plain, hiding(plain), learned


def test_of_each_row_the_same_number_of_patches_is_hidden_evenly() -> None:
    cells = patches(4000, (4, 5), 0.6, torch.Generator().manual_seed(0))
    assert cells.flatten(1).sum(1).unique().tolist() == [12]
    np.testing.assert_allclose(cells.float().mean(0), 0.6, atol=0.03)
    assert patches(3, (2, 2), 0.01, torch.Generator()).flatten(1).sum(1).tolist() == [1, 1, 1]
    assert patches(3, (2, 2), 0.99, torch.Generator()).flatten(1).sum(1).tolist() == [3, 3, 3]


def test_hidden_pixels_are_whole_patches_of_the_mean_colour() -> None:
    network, plain, changed, _ = made(MaskedImage(patch=4), CNN)
    encoder, target = network.encoder("it"), changed.targets["pretext"]
    assert isinstance(encoder, ImageEncoder)
    assert not isinstance(target, torch.Tensor)
    before, after, hidden = plain.inputs["it"]["pixels"], changed.inputs["it"]["pixels"], target["hidden"]
    assert torch.equal(after[~hidden], before[~hidden])
    assert torch.equal(after[hidden], encoder.mean.expand_as(after)[hidden])
    blocks = hidden[:, 0].reshape(ROWS, 4, 4, 4, 4).permute(0, 1, 3, 2, 4).flatten(3)
    assert torch.equal(blocks.all(3), blocks.any(3))
    assert blocks.any(3).flatten(1).sum(1).unique().tolist() == [round(0.6 * 16)]
    torch.testing.assert_close(target["values"], (before - encoder.mean) / encoder.std)


def test_the_loss_is_the_distance_of_hidden_pixels_alone() -> None:
    """SimMIM (Xie et al. 2022): L1 of the hidden pixels, divided by how many there are."""
    _, _, changed, task = made(MaskedImage(patch=4), CNN)
    target = changed.targets["pretext"]
    assert not isinstance(target, torch.Tensor)
    said = torch.randn(target["values"].shape, generator=torch.Generator().manual_seed(0))
    loss, hidden = task.loss({"values": said}, target), target["hidden"].numpy()
    expected = np.abs(said.numpy() - target["values"].numpy())[hidden].mean()
    assert float(loss.sum() / task.units(target).sum()) == pytest.approx(expected, rel=1e-4)
    kept = task.keep({"values": said, "wanted": target["values"], "hidden": target["hidden"]})
    assert task.metrics()["pixel_error"](kept, kept) == pytest.approx(expected, rel=1e-4)
    assert changed.labelled_size["pretext"] == hidden.sum()


def test_pixels_are_predicted_in_their_places() -> None:
    """Each place of the map gives the pixels under it: what is said of one place touches no others."""
    network, _, changed, _ = made(MaskedImage(patch=4), CNN)
    head = next(head for _, head in network.each_head())
    with torch.no_grad():
        seen = network.eval().features(changed)
        before = head(seen, changed)["values"]
        seen.tokens["it"].states[:, 5] += 1.0  # second row, second column of a 4 x 4 map
        after = head(seen, changed)["values"]
    moved = (before != after).flatten(0, 1).any(0)
    expected = torch.zeros(16, 16, dtype=torch.bool)
    expected[4:8, 4:8] = True
    assert torch.equal(moved, expected)


@pytest.mark.parametrize("base", [GRU, "mel-cnn:width=4,layers=3,rate=2000,mels=16"])
def test_hidden_patches_of_sound_lie_within_each_clip(base: str) -> None:
    network, plain, changed, task = made(MaskedMel(frames=2, bands=4), base)
    encoder, target = network.encoder("it"), changed.targets["pretext"]
    assert isinstance(encoder, MelEncoder)
    assert not isinstance(target, torch.Tensor)
    mel, frames = encoder.spectrogram(plain.inputs["it"])["mel"], changed.inputs["it"]["frames"]
    hidden, after = target["hidden"], changed.inputs["it"]["mel"]
    assert torch.equal(after[~hidden], mel[~hidden])
    for row in range(0, ROWS, 7):
        own = mel[row, : int(frames[row])]
        assert not hidden[row, int(frames[row]) :].any()
        torch.testing.assert_close(after[row][hidden[row]], own.mean().expand(int(hidden[row].sum())))
        expected = (own - own.mean()) / (own.var(correction=0) + 1e-2).sqrt()
        torch.testing.assert_close(target["values"][row, : int(frames[row])], expected, atol=1e-4, rtol=1e-4)
    with torch.no_grad():
        said = network.eval()(changed).predictions["pretext"]
    assert said["values"].shape == target["values"].shape  # type: ignore[call-overload]
    assert torch.isfinite(task.loss(said, target)).all()  # type: ignore[arg-type]


def test_bases_without_a_map_or_steps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gives no map of places"):
        made(MaskedImage(), str(tiny_image_model(tmp_path / "vit", "vit")))
    with pytest.raises(UsageError, match="does not read a spectrogram step by step"):
        made(MaskedMel(), str(tiny_sound_model(tmp_path / "wav", "wav2vec2")))
    with pytest.raises(UsageError, match="does not read a spectrogram step by step"):
        made(MaskedMel(), str(tiny_sound_model(tmp_path / "ast", "ast")))


def test_settings_out_of_range_are_refused() -> None:
    for share in (0.0, 1.0):
        with pytest.raises(UsageError, match="share is"):
            MaskedImage(share=share)
        with pytest.raises(UsageError, match="share is"):
            MaskedMel(share=share)
    with pytest.raises(UsageError, match="patch is 0"):
        MaskedImage(patch=0)
    with pytest.raises(UsageError, match="bands is 0"):
        MaskedMel(bands=0)
