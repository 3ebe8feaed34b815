"""The converter of EfficientNet-Lite0, and the network: a made file of its layout against functions written out,
damaged ones, and known answers of the real one where it was fetched."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from graftwork.bases.catalogue import known, named
from graftwork.bases.home import need
from graftwork.bases.known import efficientnet_lite0
from graftwork.bases.known.efficientnet_lite0 import FILE, LICENSE, STAGES, convert
from graftwork.errors import ModelError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.image.efficientnet_lite import EfficientNetLiteEncoder
from graftwork.networks.image.encoder import PIXELS

PALACE, DAISY = 698, 985
CLASSES = {"dog": range(151, 269), "elephant": (101, 385, 386), "guitar": (402, 546)}
"""Of ImageNet, in the order of its file."""


@pytest.fixture(scope="module")
def made() -> dict[str, Tensor]:
    """Random tensors of the file's names and shapes, so small that activations neither die nor grow."""
    draw = torch.Generator().manual_seed(0)
    found = {}
    for name, _, shape in efficientnet_lite0._expected():
        if name.endswith("num_batches_tracked"):
            found[name] = torch.tensor(1)
        elif name.endswith("running_var"):
            found[name] = torch.rand(shape, generator=draw) + 0.5
        else:
            fan = shape[1] * shape[2] * shape[3] if len(shape) == 4 else 1
            found[name] = torch.randn(shape, generator=draw) * (1.5 / fan) ** 0.5
            found[name] += float(name.endswith(("bn0.weight", "bn1.weight", "bn2.weight")))
    return found


@pytest.fixture
def files(made: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    return written(made, tmp_path, monkeypatch)


def written(held: dict[str, Tensor], folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    torch.save(held, folder / "weights.pth")
    (folder / "LICENSE").write_text("as it says")
    digest = hashlib.sha256((folder / "weights.pth").read_bytes()).hexdigest()
    monkeypatch.setattr(efficientnet_lite0, "SHA256", digest)
    return {FILE: folder / "weights.pth", LICENSE: folder / "LICENSE"}


def by_hand(held: dict[str, Tensor], states: Tensor) -> Tensor:
    """The features as TensorFlow computes them, from the tensors by the names of the file."""

    def unit(states: Tensor, conv: str, norm: str, stride: int = 1, active: bool = True) -> Tensor:
        weight = held[f"{conv}.weight"]
        kernel, missing = weight.shape[-1], []
        for size in (states.shape[3], states.shape[2]):
            total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
            missing += [total // 2, total - total // 2]
        groups = states.shape[1] // weight.shape[1]
        mapped = functional.conv2d(functional.pad(states, missing), weight, stride=stride, groups=groups)
        mean, variance, factor, shift = (
            held[f"{norm}.{name}"].view(1, -1, 1, 1) for name in ("running_mean", "running_var", "weight", "bias")
        )
        normed = (mapped - mean) / (variance + 1e-3).sqrt() * factor + shift
        return normed.clamp(0, 6) if active else normed

    states = unit(states, "_conv_stem", "_bn0", 2)
    at = 0
    for _, stride, times, channels, blocks in STAGES:
        for block in range(blocks):
            name, step = f"_blocks.{at}.", stride if block == 0 else 1
            inner = unit(states, f"{name}_expand_conv", f"{name}_bn0") if times > 1 else states
            inner = unit(inner, f"{name}_depthwise_conv", f"{name}_bn1", step)
            mapped = unit(inner, f"{name}_project_conv", f"{name}_bn2", active=False)
            states = mapped + states if step == 1 and states.shape[1] == channels else mapped
            at += 1
    return unit(states, "_conv_head", "_bn1").mean((2, 3))


def test_the_catalogue_knows_it_by_name_and_use() -> None:
    assert named("images") is known()["efficientnet-lite0"]


@pytest.mark.parametrize("size", [64, pytest.param(75, marks=pytest.mark.slow)])
def test_a_made_file_becomes_the_network_that_it_was(
    files: dict[str, Path], made: dict[str, Tensor], tmp_path: Path, size: int
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    convert(files, out)
    assert sorted(file.name for file in out.iterdir()) == [
        "LICENSE",
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
    ]
    assert (out / "LICENSE").read_text() == "as it says"
    encoder = parse_base(f"{out}:size={size}").build(TrainingRows(), 0)
    assert isinstance(encoder, EfficientNetLiteEncoder)
    pixels = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1)).double()
    twice = {name: value.double() for name, value in made.items()}  # as precise: rounding grows with the layers
    with torch.no_grad():
        features, expected = encoder.double()({PIXELS: pixels}), by_hand(twice, (pixels * 255 - 127) / 128)
    assert expected.std() > 0.05
    torch.testing.assert_close(features, expected, atol=1e-4, rtol=1e-3)


def test_the_entry_says_what_it_is(files: dict[str, Path], tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    entry = known()["efficientnet-lite0"]
    out = tmp_path / "out"
    out.mkdir()
    convert(files, out)
    held = load_file(out / "model.safetensors")
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    assert entry.parameters == sum(array.size for name, array in held.items() if not name.endswith(statistics))
    size = sum((out / name).stat().st_size for name in ("model.safetensors", "config.json"))
    assert abs(entry.size - size) < 0.02 * size


def test_another_file_is_not_opened(made: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = written(made, tmp_path, monkeypatch)
    monkeypatch.setattr(efficientnet_lite0, "SHA256", "0" * 64)
    with pytest.raises(ModelError, match="is not the file that was checked"):
        convert(files, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda held: held.pop("_blocks.4._bn1.bias"), r"expected 296 tensors.*_blocks\.4\._bn1\.bias is only on one"),
        (lambda held: held.update(more=torch.zeros(1)), "found 297, of which more is only on one side"),
        (lambda held: held.update({"_fc.bias": torch.zeros(10)}), r"expected _fc\.bias of the shape \(1000,\), found"),
    ],
)
def test_another_layout_is_refused(
    made: dict[str, Tensor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable, message: str
) -> None:
    held = dict(made)
    change(held)
    with pytest.raises(ModelError, match=f"The layout of .* changed: .*{message}"):
        convert(written(held, tmp_path, monkeypatch), tmp_path)
    assert not (tmp_path / "model.safetensors").exists()


# --- the real one ----------------------------------------------------------------------------------------------------
def logits(base: str, photos: list[bytes]) -> Tensor:
    from safetensors.torch import load_file

    folder = need("efficientnet-lite0")
    encoder, held = parse_base(base).build(TrainingRows(), 0), load_file(folder / "model.safetensors")
    with torch.no_grad():
        features = encoder(encoder.collate(encoder.prepare(photos)))
    return features @ held["classifier.weight"].T + held["classifier.bias"]


@pytest.mark.slow
def test_classes_of_photos_that_scikit_learn_carries(real_bases: Callable[..., None]) -> None:
    real_bases("efficientnet-lite0")
    datasets = pytest.importorskip("sklearn.datasets")
    photos = []
    for values in datasets.load_sample_images().images:
        file = io.BytesIO()
        Image.fromarray(values).save(file, "PNG")
        photos.append(file.getvalue())
    found = logits("efficientnet-lite0:size=224,crop=1", photos).argmax(1).tolist()
    assert found == [PALACE, DAISY]


@pytest.mark.slow
def test_classes_of_photos_of_pacs(real_bases: Callable[..., None], real_data: Path) -> None:
    real_bases("efficientnet-lite0")
    rows = pq.read_table(real_data / "pacs" / "test.parquet").to_pylist()
    photos = [row for row in rows if row["domain"] == "photo" and row["label"] in CLASSES]
    encoded = [row["image"]["bytes"] if isinstance(row["image"], dict) else row["image"] for row in photos]
    found = logits("efficientnet-lite0:size=160", encoded).argmax(1).tolist()
    right = [index in CLASSES[row["label"]] for index, row in zip(found, photos, strict=True)]
    assert len(photos) > 30
    assert np.mean(right) > 0.75


def test_kernels_tell_of_the_padding_that_they_were_trained_with(real_bases: Callable[..., None]) -> None:
    """Halving an even map with TensorFlow's padding looks half a place too far to the right and below, with padding of
    both sides too far to the left: kernels of a network that saw pictures both ways round make up for it."""
    real_bases("efficientnet-lite0")
    encoder = parse_base("efficientnet-lite0:size=96").build(TrainingRows(), 0)
    assert isinstance(encoder, EfficientNetLiteEncoder)
    halving = [layer.depthwise for layer in encoder.layers if layer.depthwise.stride == 2]
    assert len(halving) == 4
    for unit in halving:
        weight = unit.conv.weight.detach().abs().sum((0, 1))
        places = torch.arange(len(weight)) - (len(weight) - 1) / 2
        across, down = (weight.sum(0) * places).sum() / weight.sum(), (weight.sum(1) * places).sum() / weight.sum()
        assert across < -0.05
        assert down < -0.05


def test_config_of_the_real_one_is_this_versions(real_bases: Callable[..., None]) -> None:
    real_bases("efficientnet-lite0")
    told = json.loads((need("efficientnet-lite0") / "config.json").read_text())
    assert told == json.loads(json.dumps(efficientnet_lite0.CONFIG))
