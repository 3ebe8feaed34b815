"""Image encoders: the same pixels and features as transformers' own processor and model, block by block."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn
from torch.nn import functional

from graftwork.bases.home import SOURCE, folder_of
from graftwork.data.batch import Hidden
from graftwork.data.media.images import decode
from graftwork.data.table import Column, Schema, Table
from graftwork.errors import ModelError, UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.architectures import restore
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.image.bases import ImageModel, SmallCNN
from graftwork.networks.image.conv4 import ConvBlock
from graftwork.networks.image.encoder import PIXELS, ImageEncoder
from graftwork.networks.image.fetched import EfficientNetLite0
from graftwork.networks.image.folders import tuned_blocks as tuned_blocks_of
from graftwork.networks.image.pretrained import tuned_blocks
from graftwork.networks.image.small_cnn import GroupNorm
from graftwork.networks.image.view import View
from pictures import FAMILIES, PROCESSORS, encoded, picture, tiny_image_model, tiny_lite

PHOTOS = [picture(1, 90, 60), picture(2, 50, 120), picture(3, 64, 64)]


def built(base: Any) -> ImageEncoder:
    encoder = base.build(TrainingRows(), 0).eval()
    assert isinstance(encoder, ImageEncoder)
    return encoder


def pixels_of(encoder: ImageEncoder, photos: list[Any]) -> dict[str, torch.Tensor]:
    return encoder.collate(encoder.prepare([encoded(photo) for photo in photos]))


def reference(folder: Path, photos: list[Any]) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixel values and pooled features by transformers' own classes."""
    from transformers import AutoImageProcessor, AutoModel

    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    model = AutoModel.from_pretrained(folder).eval()
    values = processor(images=photos, return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        output = model(values)
    kind = model.config.model_type
    pooled = output.last_hidden_state[:, 0] if kind in ("vit", "deit") else output.pooler_output.flatten(1)
    return values, pooled


@pytest.mark.parametrize("processor", PROCESSORS)
def test_large_images_give_the_processors_pixels(tmp_path: Path, processor: str) -> None:
    folder = tiny_image_model(tmp_path, processor=processor)
    encoder = built(parse_base(str(folder)))
    inputs = pixels_of(encoder, PHOTOS)
    assert inputs[PIXELS].shape == (3, 3, 32, 32)
    assert 0 <= inputs[PIXELS].min() <= inputs[PIXELS].max() <= 1
    torch.testing.assert_close(encoder._normalised(inputs), reference(folder, PHOTOS)[0], atol=1e-5, rtol=1e-5)


def test_small_images_are_stored_small_and_enlarged_alike(tmp_path: Path) -> None:
    folder = tiny_image_model(tmp_path)
    encoder = built(parse_base(str(folder)))
    small = picture(4, 16, 16)
    (row,) = encoder.prepare([encoded(small)])
    assert row.dtype == np.uint8
    assert len(row) < 16 * 16 * 3 + 20
    found = encoder._normalised(encoder.collate([row]))
    assert (found - reference(folder, [small])[0]).abs().max() < 0.02  # torch does not round to whole numbers between


@pytest.mark.parametrize("kind", FAMILIES)
def test_features_are_the_models_own_from_every_depth(tmp_path: Path, kind: str) -> None:
    folder = tiny_image_model(tmp_path, kind)
    encoder = built(parse_base(str(folder)))
    inputs = pixels_of(encoder, PHOTOS)
    with torch.no_grad():
        whole = encoder(inputs)
        torch.testing.assert_close(whole, reference(folder, PHOTOS)[1], atol=1e-4, rtol=1e-4)
        assert whole.shape == (3, encoder.width)
        for depth in range(1, encoder.depth):
            states = encoder.states(inputs, depth)
            assert tuple(states.shape[1:]) == encoder.state_shape(depth)
            torch.testing.assert_close(encoder({}, Hidden(depth, states)), whole, atol=1e-5, rtol=1e-5)
    assert 2 <= tuned_blocks(str(folder)) <= encoder.depth
    assert (encoder.tokens(np.array([5, 9])) > 0).all()


@pytest.mark.parametrize("kind", ["mobilenet_v2", "convnextv2", "vit", "dinov2", "swin"])
def test_another_size_pooling_and_a_saved_encoder(tmp_path: Path, kind: str) -> None:
    tiny_image_model(tmp_path, kind)
    encoder = built(ImageModel(path=str(tmp_path), size=48, crop=1.0, pooling="mean"))
    inputs = pixels_of(encoder, [PHOTOS[2]])
    assert inputs[PIXELS].shape[-1] == 48
    config = json.loads(json.dumps(encoder.config()))
    again = restore(config, tmp_path)
    again.load_state_dict(encoder.state_dict())
    with torch.no_grad():
        assert torch.equal(again.eval()(inputs), encoder(inputs))
        assert torch.equal(copy.deepcopy(encoder)(inputs), encoder(inputs))
    assert again.facts == encoder.facts
    assert again.fingerprint == encoder.fingerprint


def test_training_changes_every_trained_weight_and_no_statistic(tmp_path: Path) -> None:
    encoder = built(parse_base(str(tiny_image_model(tmp_path, "mobilenet_v2")))).train()
    norms = [module for module in encoder.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [norm.running_mean.clone() for norm in norms if norm.running_mean is not None]
    encoder(pixels_of(encoder, PHOTOS)).square().sum().backward()
    assert all(p.grad is not None for p in encoder.parameters() if p.requires_grad)
    assert norms
    assert all(torch.equal(a, b.running_mean) for a, b in zip(before, norms, strict=True))


def test_a_missing_image_is_blank(tmp_path: Path) -> None:
    encoder = built(parse_base(str(tiny_image_model(tmp_path))))
    rows = encoder.prepare([None, encoded(PHOTOS[0])])
    assert len(rows[0]) == 0
    pixels = encoder.collate(rows)[PIXELS]
    assert pixels[0].std(dim=(1, 2)).max() == 0
    assert pixels[1].std() > 0


def test_what_can_not_be_a_base_is_said(tmp_path: Path) -> None:
    folder = tiny_image_model(tmp_path / "model")
    with pytest.raises(UsageError, match=r"pooling is 'cls'. A base of the kind mobilenet_v2 has: mean, max"):
        built(ImageModel(path=str(folder), pooling="cls"))
    for settings in ({"size": 4}, {"crop": 0.0}, {"crop": 1.5}):
        with pytest.raises(UsageError, match="Expected"):
            ImageModel(path=str(folder), **settings)  # type: ignore[arg-type]
    config = json.loads((folder / "config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ModelError, match=r"no preprocessor_config.json"):
        built(ImageModel(path=str(folder)))
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "bert"}))
    with pytest.raises(ModelError, match=r"architecture 'bert' is no image base that is supported"):
        built(ImageModel(path=str(folder)))


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    folder = tiny_image_model(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "depth_multiplier": 0.5}))
    with pytest.raises(ModelError, match=r"The weights in .* can.t be loaded"):
        built(ImageModel(path=str(folder)))


def test_small_cnn_starts_at_every_depth_and_takes_the_images_size(tmp_path: Path) -> None:
    encoder = built(SmallCNN(width=8, blocks=2, size=16))
    inputs = pixels_of(encoder, PHOTOS)
    with torch.no_grad():
        whole = encoder(inputs)
        for depth in range(1, encoder.depth):
            states = encoder.states(inputs, depth)
            assert tuple(states.shape[1:]) == encoder.state_shape(depth)
            torch.testing.assert_close(encoder(inputs, Hidden(depth, states)), whole, atol=1e-5, rtol=1e-5)
    owners = [id(p) for block in encoder.blocks() for module in block for p in module.parameters()]
    assert sorted(owners) == sorted(id(p) for p in encoder.parameters())
    again = restore(encoder.config(), tmp_path)
    again.load_state_dict(encoder.state_dict())
    with torch.no_grad():
        assert torch.equal(again.eval()(inputs), whole)
    state = torch.random.get_rng_state()
    assert not torch.equal(built(SmallCNN(size=8)).stem.weight, SmallCNN(size=8).build(TrainingRows(), 1).stem.weight)
    assert torch.equal(state, torch.random.get_rng_state())


def test_views() -> None:
    wide = decode(encoded(picture(0, 200, 50)))
    middle = View(32, 40)
    assert middle.with_size(None, None) is middle
    assert middle.with_size(64, None) == View(64, 80)
    assert middle.with_size(None, 1.0) == View(32, 32)
    (height, width) = middle.pack(wide)[:8].view("<u4")
    assert (height, width) == (32, 32)
    stretched = View(100, 100, True)
    assert stretched.pack(wide)[:8].view("<u4").tolist() == [50, 100]
    assert stretched.unpack([stretched.pack(wide)], (0, 0, 0)).shape == (1, 3, 100, 100)
    assert View(100, 120).pack(wide)[:8].view("<u4").tolist() == [50, 50]


def test_dropped_paths_count_as_dropout(tmp_path: Path) -> None:
    folder = tiny_image_model(tmp_path, "swin")
    config = json.loads((folder / "config.json").read_text())
    for share in (0.0, 0.3):
        still = {"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0, "drop_path_rate": share}
        (folder / "config.json").write_text(json.dumps({**config, **still}))
        assert ("dropout" in built(ImageModel(path=str(folder))).facts) == (share > 0)


def test_a_block_of_conv4_and_its_gradients_are_those_of_the_paper() -> None:
    torch.manual_seed(0)
    block, states = ConvBlock(8, 16, halving=True), torch.randn(3, 8, 6, 6)
    expected = functional.max_pool2d(functional.relu(block.norm(block.conv(states))), 2)  # Snell et al. 2017
    found, weight = block(states), torch.randn_like(expected)
    assert torch.equal(found, expected)
    ours, theirs = (torch.autograd.grad((out * weight).sum(), list(block.parameters())) for out in (found, expected))
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_group_norm_is_rounded_once_under_bfloat16(layout: torch.memory_format) -> None:
    torch.manual_seed(0)
    norm, states = GroupNorm(2, 16), torch.randn(3, 16, 5, 5).bfloat16().contiguous(memory_format=layout)
    with torch.autocast("cpu", torch.bfloat16):
        found = norm(states.requires_grad_(True))
    exact = functional.group_norm(states.double(), 2, norm.weight.double(), norm.bias.double())
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), exact, rtol=2**-8, atol=1e-6)


# --- EfficientNet-Lite -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("size", [64, 96, 33])
def test_lite_gives_maps_of_strides_4_to_32(tmp_path: Path, size: int) -> None:
    encoder = built(parse_base(f"{tiny_lite(tmp_path)}:size={size}"))
    inputs = pixels_of(encoder, PHOTOS)
    with torch.no_grad():
        features, tokens = encoder.features_and_tokens(inputs)
    sides = [-(-size // stride) for stride in (4, 8, 16, 32)]
    assert [tuple(level.shape[2:]) for level in tokens.levels] == [(side, side) for side in sides]
    assert [level.shape[1] for level in tokens.levels] == [8, 12, 12, 24]
    torch.testing.assert_close(tokens.states.mean(1), features)


def test_lite_in_bfloat16_is_near_float32(tmp_path: Path) -> None:
    encoder = built(parse_base(str(tiny_lite(tmp_path))))
    inputs = pixels_of(encoder, PHOTOS)
    with torch.no_grad():
        whole = encoder(inputs)
        with torch.autocast("cpu", torch.bfloat16):
            rounded = encoder(inputs)
    assert torch.nn.functional.cosine_similarity(rounded.float(), whole).min() > 0.999


def test_lite_is_tuned_in_its_upper_blocks_and_keeps_statistics(tmp_path: Path) -> None:
    folder = tiny_lite(tmp_path)
    encoder = built(parse_base(str(folder))).train()
    assert (encoder.depth, tuned_blocks_of(folder)) == (8, 6)
    before = copy.deepcopy(encoder.state_dict())
    inputs = pixels_of(encoder, PHOTOS)
    encoder(inputs).square().sum().backward()
    torch.optim.SGD(encoder.parameters(), 0.01).step()
    changed = {name for name, value in encoder.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {name for name, _ in encoder.named_parameters()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": []}, "stages is empty"),
        ({"stages": [[3, 1, 1, 4]]}, r"stages\[0\].*expected 5 items"),
        ({"stages": [[4, 1, 1, 4, 1]]}, "kernels of an odd size"),
        ({"stem": "8"}, "stem is '8', expected int"),
        ({"head": 0}, "expected whole numbers above 0"),
        ({"head": 48}, "can't be loaded"),
        ({"stages": [[3, 1, 1, 4, 10**9]]}, "far larger than its weights"),
        ({"head": 10**7}, "far larger than its weights"),
        ({"batch_norm_eps": None}, "batch_norm_eps is None, expected float"),
    ],
)
def test_lite_of_another_shape_than_its_weights(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    folder = tiny_lite(tmp_path)
    told = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**told, **change}))
    with pytest.raises(ModelError, match=message):
        built(parse_base(str(folder)))


@pytest.mark.parametrize("name", ["model.safetensors", "preprocessor_config.json"])
def test_lite_without_a_file_names_it(tmp_path: Path, name: str) -> None:
    folder = tiny_lite(tmp_path)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"has no .*{name}"):
        built(parse_base(str(folder)))


def test_lite_with_cut_weights(tmp_path: Path) -> None:
    folder = tiny_lite(tmp_path)
    held = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(held[:-100])
    with pytest.raises(ModelError, match="can't be loaded"):
        built(parse_base(str(folder)))


@pytest.mark.parametrize(("side", "size"), [(32, 96), (60, 96), (100, 128), (144, 160), (500, 224)])
def test_lite_takes_the_images_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int, size: int) -> None:
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path))
    folder = tiny_lite(folder_of("efficientnet-lite0"))
    (folder / SOURCE).touch()
    photos = [encoded(picture(at, side, side + at)) for at in range(3)]
    schema = Schema((Column("photo", "image"),))
    table = Table(pa.table({"photo": photos}), schema, "made", np.arange(3))
    encoder = EfficientNetLite0().build(TrainingRows(columns=schema.columns, table=table), 0)
    assert isinstance(encoder, ImageEncoder)
    assert (encoder.view.size, encoder.view.resized) == (size, size)


def test_fetched_bases_that_are_not_here_say_how_to_have_them() -> None:
    for name in ("efficientnet-lite0", "faceres"):
        with pytest.raises(ModelError, match=f"graft bases get {name}"):
            parse_base(name).build(TrainingRows(), 0)
    with pytest.raises(UsageError, match="crop is 2"):
        parse_base("faceres:crop=2")
