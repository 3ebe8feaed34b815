"""A Whisper of CTranslate2 as a folder that transformers loads whole, for its encoder and for recognising speech."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from graftwork.bases.layout import changed
from graftwork.bases.whisper.licence import LICENCE
from graftwork.bases.whisper.weights import LONGEST, POSITIONS, Sizes, converted

_END, _START, _TRANSLATE, _TRANSCRIBE = "<|endoftext|>", "<|startoftranscript|>", "<|translate|>", "<|transcribe|>"
_BEFORE, _NO_TIMES = "<|startofprev|>", "<|notimestamps|>"
_TIMES = 1501
"""Marks of time, from 0 to 30 seconds in steps of 0.02."""


def write(out: Path, arrays: Mapping[str, np.ndarray], config: Path, tokenizer: Path, *, english: bool) -> None:
    """Fill the folder `out`.

    arrays: of the model.bin; config, tokenizer: the files beside it, with the words that are never said and with all
    words. english: it knows no other language, and is not told which one it hears.
    Raises ModelError where one of them is not laid out as Whisper's are.
    """
    from safetensors.numpy import save_file

    sizes, tensors = converted(arrays)
    whole = _object(tokenizer)
    marks = _marks(whole, sizes.vocabulary, tokenizer.name)
    plain = {
        "config.json": _config(sizes, marks),
        "generation_config.json": _generation(marks, _object(config), config.name, english),
        "preprocessor_config.json": _preprocessor(sizes),
        "tokenizer.json": whole,
        "tokenizer_config.json": _TOKENIZER,
    }
    held = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    save_file(held, out / "model.safetensors", {"format": "pt"})
    for name, settings in plain.items():
        (out / name).write_text(json.dumps(settings, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (out / "LICENSE").write_text(LICENCE, encoding="utf-8")


def _object(file: Path) -> dict[str, Any]:
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise changed(file.name, "JSON", error) from None
    if not isinstance(held, dict):
        raise changed(file.name, "an object", repr(held)[:40])
    return held


def _marks(whole: dict[str, Any], vocabulary: int, file: str) -> dict[str, int]:
    """The words that are no text, by number. The marks of time are put into `whole` where it lacks them."""
    added = whole.get("added_tokens")
    try:
        marks = {str(one["content"]): int(one["id"]) for one in added or ()}
    except (TypeError, KeyError, ValueError):
        raise changed(file, "added tokens with content and id", repr(added)[:60]) from None
    for name in (_END, _START, _TRANSLATE, _TRANSCRIBE, _BEFORE, _NO_TIMES):
        if name not in marks:
            raise changed(file, name, "no such token")
    first = marks[_NO_TIMES] + 1
    if first + _TIMES != vocabulary:
        raise changed(file, f"{vocabulary} tokens, as the model has", first + _TIMES)
    plain = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized", "special"), False)
    times = {f"<|{at / 50:.2f}|>": first + at for at in range(_TIMES)}
    missing = [{"id": at, "content": name, **plain} for name, at in times.items() if name not in marks]
    whole["added_tokens"] = [*(added or ()), *missing]
    return marks


def _config(sizes: Sizes, marks: Mapping[str, int]) -> dict[str, Any]:
    end = marks[_END]
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "dtype": "float16",
        "is_encoder_decoder": True,
        "tie_word_embeddings": True,
        "num_mel_bins": sizes.bins,
        "vocab_size": sizes.vocabulary,
        "d_model": sizes.width,
        "encoder_layers": sizes.layers[0],
        "encoder_attention_heads": sizes.heads[0],
        "encoder_ffn_dim": sizes.inner,
        "decoder_layers": sizes.layers[1],
        "decoder_attention_heads": sizes.heads[1],
        "decoder_ffn_dim": sizes.inner,
        "max_source_positions": POSITIONS,
        "max_target_positions": LONGEST,
        "activation_function": "gelu",
        "scale_embedding": False,
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": marks[_START],
    }


def _generation(marks: Mapping[str, int], told: Mapping[str, Any], file: str, english: bool) -> dict[str, Any]:
    """How it writes words, as the folder of its authors has it."""
    end = marks[_END]
    found = {
        "alignment_heads": told.get("alignment_heads"),
        "suppress_tokens": told.get("suppress_ids"),
        "begin_suppress_tokens": told.get("suppress_ids_begin"),
    }
    for name, value in found.items():
        if not isinstance(value, list):
            raise changed(file, f"lists of words ({name})", repr(value)[:40])
    spoken = {
        "lang_to_id": {name: at for name, at in marks.items() if _is_language(name) and at < marks[_TRANSLATE]},
        "task_to_id": {"transcribe": marks[_TRANSCRIBE], "translate": marks[_TRANSLATE]},
        "task": "transcribe",  # else nothing is asked for where the language is left to be heard
    }
    return {
        **found,
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": marks[_START],
        "prev_sot_token_id": marks[_BEFORE],
        "no_timestamps_token_id": marks[_NO_TIMES],
        "max_initial_timestamp_index": 50,
        "max_length": LONGEST,
        "return_timestamps": False,
        "is_multilingual": not english,
        **({} if english else spoken),
    }


def _is_language(name: str) -> bool:
    return re.fullmatch(r"<\|[a-z]{2,3}\|>", name) is not None


def _preprocessor(sizes: Sizes) -> dict[str, Any]:
    """Of the log-mel spectrogram: 25 ms every 10 ms, of 30 seconds."""
    rate, seconds, hop = 16000, 30, 160
    return {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "feature_size": sizes.bins,
        "sampling_rate": rate,
        "hop_length": hop,
        "n_fft": 400,
        "chunk_length": seconds,
        "n_samples": rate * seconds,
        "nb_max_frames": rate * seconds // hop,
        "padding_side": "right",
        "padding_value": 0.0,
        "dither": 0.0,
        "return_attention_mask": False,
    }


_TOKENIZER = {
    "tokenizer_class": "WhisperTokenizer",
    "processor_class": "WhisperProcessor",
    "model_max_length": 1024,
    "add_prefix_space": False,
    "clean_up_tokenization_spaces": False,
    "errors": "replace",
    "bos_token": _END,
    "eos_token": _END,
    "pad_token": _END,
    "unk_token": _END,
}
