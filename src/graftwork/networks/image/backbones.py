"""How the image models of transformers divide into blocks, family by family. Stateless: the model is always passed in.

A backbone runs the model's own modules one after another, so that computation can stop and start behind any block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn

Path = list[list[nn.Module]]


@dataclass(frozen=True)
class Backbone:
    """One family of architectures.

    path: by block, the modules to run, in order. tail: the modules behind the last block, part of it.
    run: what block `index` makes of the states, from the model, the block's modules and the pixels a side.
    features: from the model, the last states and the pooling. poolings: what it knows, its own first.
    patch: pixels a side that cost about as much as a token of a text.
    """

    path: Callable[[Any], Path]
    tail: Callable[[Any], list[nn.Module]]
    features: Callable[[Any, Tensor, str], Tensor]
    poolings: tuple[str, ...]
    patch: int
    run: Callable[[Any, int, list[nn.Module], Tensor, int], Tensor]

    def blocks(self, model: Any) -> Path:
        """By block, all its modules."""
        path = self.path(model)
        return [*path[:-1], [*path[-1], *self.tail(model)]]


def _chain(model: Any, index: int, modules: Iterable[nn.Module], states: Tensor, size: int) -> Tensor:  # noqa: ARG001
    for module in modules:
        states = module(states)
    return states


def _pool_map(model: Any, states: Tensor, pooling: str) -> Tensor:  # noqa: ARG001
    """Over the places of a feature map (B, C, H, W)."""
    return states.mean((2, 3)) if pooling == "mean" else states.amax((2, 3))


def _pool_normed_map(model: Any, states: Tensor, pooling: str) -> Tensor:
    normed: Tensor = model.layernorm(_pool_map(model, states, pooling))
    return normed


def _pool_tokens(model: Any, states: Tensor, pooling: str, first: int = 1) -> Tensor:
    """Over the tokens (B, T, width), or the one that stands for the image; `first` is where the image's own begin."""
    normed: Tensor = model.layernorm(states)
    if pooling == "cls":
        return normed[:, 0]
    return normed[:, first:].mean(1) if pooling == "mean" else normed[:, first:].amax(1)


def _pool_registers(model: Any, states: Tensor, pooling: str) -> Tensor:
    return _pool_tokens(model, states, pooling, 1 + model.config.num_register_tokens)


# --- convolutional networks ------------------------------------------------------------------------------------------
def _stages(model: Any) -> Path:
    return [[model.embedder], *([layer] for stage in model.encoder.stages for layer in stage.layers)]


def _convnext(model: Any) -> Path:
    path: Path = [[model.embeddings]]
    for stage in model.encoder.stages:
        path += [[*stage.downsampling_layer, stage.layers[0]], *([layer] for layer in stage.layers[1:])]
    return path


def _mobilenet_v1(model: Any) -> Path:
    layers = list(model.layer)
    return [[model.conv_stem], *(layers[at : at + 2] for at in range(0, len(layers), 2))]


def _mobilenet_v2(model: Any) -> Path:
    layers = list(model.layer)
    return [[model.conv_stem], *([layer] for layer in layers[:-1]), [layers[-1], model.conv_1x1]]


def _nothing(model: Any) -> list[nn.Module]:  # noqa: ARG001
    return []


def _norm(model: Any) -> list[nn.Module]:
    return [model.layernorm]


def _conv(path: Callable[[Any], Path], normed: bool = False) -> Backbone:
    features = _pool_normed_map if normed else _pool_map
    return Backbone(path, _norm if normed else _nothing, features, ("mean", "max"), 32, _chain)


# --- Transformers ----------------------------------------------------------------------------------------------------
def _vit(model: Any) -> Path:
    return [[model.embeddings], *([layer] for layer in model.layers)]


def _deit(model: Any) -> Path:
    layers = model.layers if hasattr(model, "layers") else model.encoder.layer
    return [[model.embeddings], *([layer] for layer in layers)]


def _run_tokens(
    model: Any, index: int, modules: list[nn.Module], states: Tensor, size: int, interpolates: bool = False
) -> Tensor:
    if index == 0 and interpolates:
        embedded: Tensor = model.embeddings(states, interpolate_pos_encoding=size != _trained_size(model))
        return embedded
    return _chain(model, index, modules, states, size)


def _trained_size(model: Any) -> int:
    size = model.config.image_size
    return int(size if isinstance(size, int) else size[0])


def _swin(model: Any) -> Path:
    return [[model.embeddings], *([stage] for stage in model.encoder.layers)]


def _run_swin(model: Any, index: int, modules: list[nn.Module], states: Tensor, size: int) -> Tensor:
    if index == 0:
        first: Tensor = model.embeddings(states, interpolate_pos_encoding=size != _trained_size(model))[0]
        return first
    side = -(-size // int(model.config.patch_size))
    for _ in range(index - 1):
        side = (side + 1) // 2
    mapped: Tensor = modules[0](states, (side, side))[0]
    return mapped


def _pool_all(model: Any, states: Tensor, pooling: str) -> Tensor:
    return _pool_tokens(model, states, pooling, 0)


_TOKENS = ("cls", "mean", "max")
_WITH_SIZE = partial(_run_tokens, interpolates=True)

TRUNKS: dict[str, Backbone] = {
    "resnet": _conv(_stages),
    "regnet": _conv(_stages),
    "convnext": _conv(_convnext, normed=True),
    "convnextv2": _conv(_convnext, normed=True),
    "mobilenet_v1": _conv(_mobilenet_v1),
    "mobilenet_v2": _conv(_mobilenet_v2),
    "vit": Backbone(_vit, _norm, _pool_tokens, _TOKENS, 16, _WITH_SIZE),
    "deit": Backbone(_deit, _norm, partial(_pool_tokens, first=2), _TOKENS, 16, _WITH_SIZE),
    "dinov2": Backbone(_deit, _norm, _pool_tokens, _TOKENS, 16, _run_tokens),
    "dinov2_with_registers": Backbone(_deit, _norm, _pool_registers, _TOKENS, 16, _run_tokens),
    "swin": Backbone(_swin, _norm, _pool_all, ("mean", "max"), 16, _run_swin),
}
"""By transformers' `model_type`."""
