"""A tiny Whisper as CTranslate2 would write it: model.bin, config.json and tokenizer.json, from a random model."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, LAYERS, HEADS, BINS = 8, 2, 2, 16
_WORDS = ("a", "b", "c", "d")
_MARKS = ("endoftext", "startoftranscript", "en", "zh", "translate", "transcribe", "startoflm", "startofprev")
MARKS = tuple(f"<|{name}|>" for name in (*_MARKS, "nospeech", "notimestamps"))
"""With the numbers behind the words."""
VOCABULARY = len(_WORDS) + len(MARKS) + 1501
_TYPES = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}


def whisper() -> Any:
    """A WhisperForConditionalGeneration in half precision, of transformers, with weights that are no zeros or ones."""
    import torch
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    sizes = {f"{side}_{name}": value for side in ("encoder", "decoder") for name, value in _SIZES.items()}
    first = len(_WORDS)
    config = WhisperConfig(
        d_model=WIDTH,
        num_mel_bins=BINS,
        vocab_size=VOCABULARY,
        bos_token_id=first,
        eos_token_id=first,
        pad_token_id=first,
        decoder_start_token_id=first + 1,
        suppress_tokens=None,
        begin_suppress_tokens=None,
        **sizes,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = WhisperForConditionalGeneration(config)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, mean=float(parameter.dim() == 1), std=0.3)
    return model.half().eval()


_SIZES = {"layers": LAYERS, "attention_heads": HEADS, "ffn_dim": 12}


def arrays(model: Any) -> dict[str, np.ndarray]:
    """The names that CTranslate2 has for the tensors: queries, keys and values in one, norms as gamma and beta."""
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    found: dict[str, np.ndarray] = {}

    def norm(to: str, of: str) -> None:
        found[f"{to}/gamma"], found[f"{to}/beta"] = state[f"{of}.weight"], state[f"{of}.bias"]

    def linear(to: str, *of: str) -> None:
        found[f"{to}/weight"] = np.concatenate([state[f"{one}.weight"] for one in of])
        none = np.zeros(WIDTH, np.float16)
        found[f"{to}/bias"] = np.concatenate([state.get(f"{one}.bias", none) for one in of])

    for side in ("encoder", "decoder"):
        found[f"{side}/position_encodings/encodings"] = state[f"model.{side}.embed_positions.weight"]
        norm(f"{side}/layer_norm", f"model.{side}.layer_norm")
        for at in range(LAYERS):
            to, of = f"{side}/layer_{at}", f"model.{side}.layers.{at}"
            own, across = f"{of}.self_attn", f"{of}.encoder_attn"
            norm(f"{to}/self_attention/layer_norm", f"{own}_layer_norm")
            linear(f"{to}/self_attention/linear_0", f"{own}.q_proj", f"{own}.k_proj", f"{own}.v_proj")
            linear(f"{to}/self_attention/linear_1", f"{own}.out_proj")
            if side == "decoder":
                norm(f"{to}/attention/layer_norm", f"{across}_layer_norm")
                linear(f"{to}/attention/linear_0", f"{across}.q_proj")
                linear(f"{to}/attention/linear_1", f"{across}.k_proj", f"{across}.v_proj")
                linear(f"{to}/attention/linear_2", f"{across}.out_proj")
            norm(f"{to}/ffn/layer_norm", f"{of}.final_layer_norm")
            linear(f"{to}/ffn/linear_0", f"{of}.fc1")
            linear(f"{to}/ffn/linear_1", f"{of}.fc2")
    for conv in ("conv1", "conv2"):
        for kind in ("weight", "bias"):
            found[f"encoder/{conv}/{kind}"] = state[f"model.encoder.{conv}.{kind}"]
    found["decoder/embeddings/weight"] = state["model.decoder.embed_tokens.weight"]
    return found | {name: np.array(value, np.int16) for name, value in _NUMBERS.items()}


_NUMBERS = {
    "encoder/num_heads": HEADS,
    "decoder/num_heads": HEADS,
    "decoder/pre_norm": 1,
    "decoder/activation": 3,
    "decoder/scale_embeddings": 0,
    "decoder/alibi": 0,
    "decoder/alignment_layer": -1,
}


def packed(held: Mapping[str, np.ndarray], version: int = 6, spec: str = "WhisperSpec") -> bytes:
    """The bytes of a model.bin."""

    def text(one: str) -> bytes:
        return struct.pack("<H", len(one) + 1) + one.encode() + b"\0"

    out = struct.pack("<I", version) + text(spec) + struct.pack("<II", 3, len(held))
    for name, array in held.items():
        out += text(name) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        out += struct.pack("<BI", _TYPES[str(array.dtype)], array.nbytes) + array.tobytes()
    return out + struct.pack("<I", 1) + text("decoder/projection/weight") + text("decoder/embeddings/weight")


def beside(folder: Path, times: bool = True) -> dict[str, Path]:
    """config.json and tokenizer.json by name, written into `folder`. times: with the marks of time."""
    first = len(_WORDS)
    names = [*MARKS, *(f"<|{at * 0.02:.2f}|>" for at in range(1501) if times)]
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    added = [{"id": first + at, "content": one, "special": at < len(MARKS), **plain} for at, one in enumerate(names)]
    model = {"type": "BPE", "vocab": {word: at for at, word in enumerate(_WORDS)}, "merges": [], "dropout": None}
    tokenizer = {
        "version": "1.0",
        "added_tokens": added,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": model,
    }
    told = {"alignment_heads": [[0, 0]], "suppress_ids": [0], "suppress_ids_begin": [1, first], "lang_ids": []}
    paths = {"config.json": folder / "config.json", "tokenizer.json": folder / "tokenizer.json"}
    paths["config.json"].write_text(json.dumps(told))
    paths["tokenizer.json"].write_text(json.dumps(tokenizer))
    return paths
