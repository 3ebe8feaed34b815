"""Names and shapes: a Whisper of CTranslate2 as the tensors of transformers' WhisperForConditionalGeneration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graftwork.bases.layout import changed

POSITIONS, LONGEST = 1500, 448
"""Of 30 seconds of sound, and of words."""
Named = Iterator[tuple[str, np.ndarray]]

_FILE = "model.bin"
_FLAGS = {"decoder/pre_norm": 1, "decoder/activation": 3, "decoder/scale_embeddings": 0, "decoder/alibi": 0}
"""Norms before the layers, GELU, words that are not scaled, positions that are added: as Whisper is."""
_NUMBERS = {
    *(*_FLAGS, "encoder/num_heads", "decoder/num_heads", "decoder/start_from_zero_embedding"),
    *("decoder/alignment_heads", "decoder/alignment_layer"),
    *("decoder/alibi_use_positive_positions", "decoder/scale_alibi"),
}


@dataclass(frozen=True)
class Sizes:
    """bins: of pitch. vocabulary: words and marks. layers, heads: of encoder and decoder. inner: width between the two
    matrices of a layer."""

    bins: int
    vocabulary: int
    width: int
    inner: int
    layers: tuple[int, int]
    heads: tuple[int, int]


def converted(arrays: Mapping[str, np.ndarray]) -> tuple[Sizes, dict[str, np.ndarray]]:
    """Every tensor but the output, which is the embedding of the words again. Raises ModelError for another layout."""
    file = _Arrays(arrays)
    sizes = _sizes(file)
    made = dict([*_encoder(file, sizes), *_decoder(file, sizes)])
    left = set(arrays) - file.read - _NUMBERS
    if left:
        raise changed(_FILE, "no further arrays", ", ".join(sorted(left)[:3]))
    return sizes, made


class _Arrays:
    """read: the names of those that were taken."""

    def __init__(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.read: set[str] = set()

    def named(self, name: str) -> np.ndarray:
        if name not in self.arrays:
            raise changed(_FILE, name, "no array of this name")
        return self.arrays[name]

    def taken(self, name: str, *shape: int) -> np.ndarray:
        found = self.named(name)
        if found.shape != shape or found.dtype != np.float16:
            raise changed(_FILE, f"{name} of {shape} in float16", f"{found.shape} in {found.dtype}")
        self.read.add(name)
        return found

    def number(self, name: str) -> int:
        found = self.named(name)
        if found.shape:
            raise changed(_FILE, f"{name} to be a number", found.shape)
        return int(found)

    def shape(self, name: str, dimensions: int) -> tuple[int, ...]:
        found = self.named(name).shape
        if len(found) != dimensions:
            raise changed(_FILE, f"{name} with {dimensions} dimensions", found)
        return found

    def layers(self, side: str) -> int:
        return next(
            at for at in range(len(self.arrays) + 1) if f"{side}/layer_{at}/ffn/linear_0/weight" not in self.arrays
        )


def _sizes(file: _Arrays) -> Sizes:
    for name, value in _FLAGS.items():
        if file.number(name) != value:
            raise changed(_FILE, f"{name} {value}", file.number(name))
    vocabulary, width = file.shape("decoder/embeddings/weight", 2)
    return Sizes(
        bins=file.shape("encoder/conv1/weight", 3)[1],
        vocabulary=vocabulary,
        width=width,
        inner=file.shape("encoder/layer_0/ffn/linear_0/weight", 2)[0],
        layers=(file.layers("encoder"), file.layers("decoder")),
        heads=(file.number("encoder/num_heads"), file.number("decoder/num_heads")),
    )


def _encoder(file: _Arrays, sizes: Sizes) -> Named:
    width = sizes.width
    for conv, inputs in (("conv1", sizes.bins), ("conv2", width)):
        yield f"model.encoder.{conv}.weight", file.taken(f"encoder/{conv}/weight", width, inputs, 3)
        yield f"model.encoder.{conv}.bias", file.taken(f"encoder/{conv}/bias", width)
    positions = file.taken("encoder/position_encodings/encodings", POSITIONS, width)
    yield "model.encoder.embed_positions.weight", positions
    for at in range(sizes.layers[0]):
        to, of = f"model.encoder.layers.{at}.", f"encoder/layer_{at}/"
        yield from _attention(file, width, f"{to}self_attn", f"{of}self_attention")
        yield from _mixing(file, sizes, to, of)
    yield from _norm(file, width, "model.encoder.layer_norm", "encoder/layer_norm")


def _decoder(file: _Arrays, sizes: Sizes) -> Named:
    width = sizes.width
    yield "model.decoder.embed_tokens.weight", file.taken("decoder/embeddings/weight", sizes.vocabulary, width)
    positions = file.taken("decoder/position_encodings/encodings", LONGEST, width)
    yield "model.decoder.embed_positions.weight", positions
    for at in range(sizes.layers[1]):
        to, of = f"model.decoder.layers.{at}.", f"decoder/layer_{at}/"
        yield from _attention(file, width, f"{to}self_attn", f"{of}self_attention")
        yield from _attention(file, width, f"{to}encoder_attn", f"{of}attention", across=True)
        yield from _mixing(file, sizes, to, of)
    yield from _norm(file, width, "model.decoder.layer_norm", "decoder/layer_norm")


def _attention(file: _Arrays, width: int, to: str, of: str, *, across: bool = False) -> Named:
    """Queries, keys and values lie in one matrix; where a decoder looks across at the encoder, the queries apart."""
    yield from _norm(file, width, f"{to}_layer_norm", f"{of}/layer_norm")
    parts = (("q",), ("k", "v"), ("out",)) if across else (("q", "k", "v"), ("out",))
    for at, names in enumerate(parts):
        yield from _linear(file, [f"{to}.{name}_proj" for name in names], f"{of}/linear_{at}", width, width)


def _mixing(file: _Arrays, sizes: Sizes, to: str, of: str) -> Named:
    yield from _norm(file, sizes.width, f"{to}final_layer_norm", f"{of}ffn/layer_norm")
    yield from _linear(file, [f"{to}fc1"], f"{of}ffn/linear_0", sizes.width, sizes.inner)
    yield from _linear(file, [f"{to}fc2"], f"{of}ffn/linear_1", sizes.inner, sizes.width)


def _linear(file: _Arrays, to: Sequence[str], of: str, inputs: int, outputs: int) -> Named:
    """One matrix, or several one upon the other. Whisper's keys have no bias: it stands in the file as zeros."""
    rows = len(to) * outputs
    weight, bias = file.taken(f"{of}/weight", rows, inputs), file.taken(f"{of}/bias", rows)
    for name, part, offset in zip(to, np.split(weight, len(to)), np.split(bias, len(to)), strict=True):
        yield f"{name}.weight", part
        if not name.endswith("k_proj"):
            yield f"{name}.bias", offset
        elif offset.any():
            raise changed(_FILE, f"keys without a bias in {of}", "one that is not 0")


def _norm(file: _Arrays, width: int, to: str, of: str) -> Named:
    yield f"{to}.weight", file.taken(f"{of}/gamma", width)
    yield f"{to}.bias", file.taken(f"{of}/beta", width)
