"""Small made-up images, and tiny random image models of every family, as `save_pretrained` would write them."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

_TOKENS = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 8}
FAMILIES: dict[str, dict[str, Any]] = {
    "resnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 2], "layer_type": "basic"},
    "regnet": {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 2], "groups_width": 8},
    "convnext": {"hidden_sizes": [8, 16], "depths": [1, 2], "num_stages": 2},
    "convnextv2": {"hidden_sizes": [8, 16], "depths": [1, 2], "num_stages": 2},
    "mobilenet_v1": {"depth_multiplier": 0.25},
    "mobilenet_v2": {"depth_multiplier": 0.25},
    "vit": {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "patch_size": 8,
    },
    "deit": {
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "patch_size": 8,
    },
    "dinov2": {**_TOKENS, "mlp_ratio": 2},
    "dinov2_with_registers": {**_TOKENS, "mlp_ratio": 2, "num_register_tokens": 3},
    "swin": {"embed_dim": 8, "depths": [1, 2], "num_heads": [1, 2], "patch_size": 4, "window_size": 4},
}
PROCESSORS: dict[str, dict[str, Any]] = {
    "middle": {
        "image_processor_type": "MobileNetV2ImageProcessor",
        "size": {"shortest_edge": 36},
        "do_center_crop": True,
        "crop_size": {"height": 32, "width": 32},
        "resample": 2,
        "image_mean": [0.4, 0.5, 0.6],
    },
    "stretched": {"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}, "resample": 3},
    "share": {
        "image_processor_type": "ConvNextImageProcessor",
        "size": {"shortest_edge": 32},
        "crop_pct": 0.875,
        "image_std": [0.2, 0.25, 0.3],
    },
}


def picture(seed: int = 0, width: int = 60, height: int = 48) -> Any:
    """Soft patches of colour: an image of Pillow in RGB."""
    from PIL import Image

    small = np.random.default_rng(seed).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Any, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG file that claims a size and holds no pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def tiny_image_model(folder: Path, kind: str = "mobilenet_v2", processor: str = "middle") -> Path:
    """Write a random model of one of `FAMILIES` into `folder`, with one of `PROCESSORS`."""
    import json

    import torch
    from transformers import AutoConfig, AutoModel

    sized = {} if kind in ("resnet", "regnet", "convnext", "convnextv2") else {"image_size": 32}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModel.from_config(AutoConfig.for_model(kind, **FAMILIES[kind], **sized))
        for name, value in model.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 2.0)
            elif value.is_floating_point() and value.ndim:
                value.normal_(mean=float(value.ndim == 1 and "weight" in name), std=0.2)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSORS[processor]))
    return folder


LITE: dict[str, Any] = {
    "stem": 8,
    "head": 24,
    "stages": [[3, 1, 1, 4, 1], [3, 2, 6, 8, 2], [5, 2, 6, 12, 1], [3, 2, 2, 12, 1], [5, 2, 3, 16, 2]],
    "batch_norm_eps": 1e-3,
}
"""A tiny EfficientNet-Lite, with strides of 2 to 32."""


def tiny_lite(folder: Path) -> Path:
    """Write a random EfficientNet-Lite into `folder`, as the one that is fetched lies there."""
    import json

    import torch
    from safetensors.torch import save_file

    from graftwork.networks.image.efficientnet_lite import EfficientNetLiteEncoder, Shape
    from graftwork.networks.image.view import View

    folder.mkdir(parents=True, exist_ok=True)
    shape = Shape(**{**LITE, "stages": tuple(tuple(stage) for stage in LITE["stages"])})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        weights = EfficientNetLiteEncoder(shape, View(64, 64), [0.5] * 3, [0.5] * 3).state_dict()
        for name, value in weights.items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 2.0)
            elif value.is_floating_point():
                value.normal_(mean=float(value.ndim == 1 and "weight" in name), std=0.2)
        weights["classifier.weight"], weights["classifier.bias"] = torch.randn(3, 24), torch.randn(3)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps({"model_type": "efficientnet-lite", **LITE}))
    processor = {**PROCESSORS["middle"], "size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder


def folder_of_classes(folder: Path, classes: tuple[str, ...] = ("dark", "light"), rows: int = 6) -> Path:
    """folder/<class>/<number>.png, a grey of its own for each class."""
    from PIL import Image

    for index, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for row in range(rows):
            grey = 60 + 120 * index + row
            Image.new("RGB", (8, 8), (grey, grey, grey)).save(folder / name / f"{row}.png")
    return folder
