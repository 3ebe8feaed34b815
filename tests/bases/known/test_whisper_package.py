"""Whisper's packages: a whole folder of transformers with the weights of the file, and what real ones hear."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ctranslate2
from graftwork.bases.catalogue import Entry, known
from graftwork.bases.home import folder_of
from graftwork.errors import ModelError

NAMES = ("whisper-base", "whisper-tiny.en")


@pytest.fixture(scope="module")
def model() -> Any:
    return ctranslate2.whisper()


def package(folder: Path, entry: Entry, model: Any, **changes: np.ndarray | None) -> dict[str, Path]:
    """Its files, by their paths in the package; the weights in as many parts as it has."""
    arrays = ctranslate2.arrays(model) | changes
    whole = ctranslate2.packed({name: array for name, array in arrays.items() if array is not None})
    folder.mkdir(exist_ok=True)
    beside = ctranslate2.beside(folder, times=entry.name == "whisper-base")
    paths = [path for one in entry.packages for path in one.files]
    weights = [path for path in paths if "model.bin" in path]
    given = {path: beside[path.rpartition("/")[2]] for path in paths if path not in weights}
    for at, path in enumerate(weights):
        given[path] = folder / path.rpartition("/")[2]
        given[path].write_bytes(whole[at * 1000 : None if at == len(weights) - 1 else 1000])
    return given


def converted(folder: Path, entry: Entry, model: Any, **changes: np.ndarray | None) -> Path:
    out = folder / "out"
    out.mkdir(exist_ok=True)
    entry.convert(package(folder / "package", entry, model, **changes), out)
    return out


@pytest.mark.parametrize("name", NAMES)
def test_transformers_loads_the_whole_folder(tmp_path: Path, model: Any, name: str) -> None:
    from transformers import AutoProcessor, WhisperForConditionalGeneration

    out = converted(tmp_path, known()[name], model)
    loaded, info = WhisperForConditionalGeneration.from_pretrained(out, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert loaded.dtype == torch.float16
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key
    sound = torch.randn(1, ctranslate2.BINS, 3000, generator=torch.Generator().manual_seed(1))
    words = torch.tensor([[5, 6, 9, 0]])
    with torch.no_grad():
        first, second = (one.float()(sound, decoder_input_ids=words).logits for one in (loaded, model.float()))
    model.half()
    torch.testing.assert_close(first, second)
    processor = AutoProcessor.from_pretrained(out)
    assert processor.feature_extractor.feature_size == ctranslate2.BINS
    assert len(processor.tokenizer) == ctranslate2.VOCABULARY
    assert processor.tokenizer.convert_tokens_to_ids("<|30.00|>") == ctranslate2.VOCABULARY - 1
    assert processor.decode([5, 0, 1, 2, 4], skip_special_tokens=True) == "abc"
    assert (out / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) 2022 OpenAI")


def test_what_writes_words_is_told_how(tmp_path: Path, model: Any) -> None:
    """One that knows many languages hears which it is; the English one has nothing to choose."""
    told = {}
    for name in NAMES:
        (tmp_path / name).mkdir()
        out = converted(tmp_path / name, known()[name], model)
        told[name] = json.loads((out / "generation_config.json").read_text())
        assert told[name]["suppress_tokens"] == [0]
        assert told[name]["no_timestamps_token_id"] == 4 + ctranslate2.MARKS.index("<|notimestamps|>")
    assert told["whisper-base"]["lang_to_id"] == {"<|en|>": 6, "<|zh|>": 7}
    assert told["whisper-base"]["task"] == "transcribe"
    assert not told["whisper-tiny.en"]["is_multilingual"]
    assert "lang_to_id" not in told["whisper-tiny.en"]


CHANGES: dict[str, tuple[dict[str, np.ndarray | None], str]] = {
    "missing": ({"encoder/layer_norm/beta": None}, "expected encoder/layer_norm/beta, found no array of this name"),
    "more": ({"decoder/new": np.zeros(3, np.float16)}, "expected no further arrays, found decoder/new"),
    "shape": ({"encoder/conv1/bias": np.zeros(9, np.float16)}, r"conv1/bias of \(8,\) in float16, found \(9,\)"),
    "type": ({"encoder/conv1/bias": np.zeros(8, np.int8)}, r"in float16, found \(8,\) in int8"),
    "relu": ({"decoder/activation": np.array(0, np.int8)}, "expected decoder/activation 3, found 0"),
    "heads": ({"encoder/num_heads": np.zeros(2, np.int16)}, "expected encoder/num_heads to be a number"),
    "keys": (
        {"decoder/layer_1/self_attention/linear_0/bias": np.ones(24, np.float16)},
        "expected keys without a bias in decoder/layer_1/self_attention/linear_0",
    ),
    "words": ({"decoder/embeddings/weight": np.zeros((99, 8), np.float16)}, "expected 99 tokens, as the model has"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_another_layout_is_refused(tmp_path: Path, model: Any, change: str) -> None:
    changes, message = CHANGES[change]
    with pytest.raises(ModelError, match=f"The layout of .* changed: .*{message}"):
        converted(tmp_path, known()["whisper-base"], model, **changes)
    assert not (tmp_path / "out" / "config.json").exists()


def test_what_lies_beside_the_weights_is_checked(tmp_path: Path, model: Any) -> None:
    entry = known()["whisper-tiny.en"]
    given = package(tmp_path / "package", entry, model)
    words, config = (next(path for name, path in given.items() if name.endswith(end)) for end in ("er.json", "ig.json"))
    whole = words.read_text()
    for text, message in (
        ("no json", "tokenizer.json changed: expected JSON"),
        ("[]", "tokenizer.json changed: expected an object"),
        (whole.replace("<|startofprev|>", "<|other|>"), r"expected <\|startofprev\|>, found no such token"),
        (whole.replace('"content": ', '"name": '), "expected added tokens with content and id"),
    ):
        words.write_text(text)
        with pytest.raises(ModelError, match=message):
            entry.convert(given, tmp_path)
    words.write_text(whole)
    config.write_text("{}")
    with pytest.raises(ModelError, match=r"config.json changed: expected lists of words \(alignment_heads\)"):
        entry.convert(given, tmp_path)


SAID = {
    "whisper-base": "There's iron they say in all our blood, and a grain or two perhaps is good",
    "whisper-tiny.en": "There's iron they say in all our blood",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore")
def test_a_transcript(real_bases: Callable[..., None], real_data: Path, name: str) -> None:
    """Through plain transformers, of the first clip of librispeech_10speakers' test rows, whose text is "there's iron
    they say in all our blood and a grain or two perhaps is good but ..."."""
    import pyarrow.parquet as pq
    import soundfile
    from transformers import AutoProcessor, WhisperForConditionalGeneration

    real_bases(name)
    row = pq.read_table(real_data / "librispeech_10speakers" / "test.parquet").slice(0, 1).to_pylist()[0]
    samples, rate = soundfile.read(io.BytesIO(row["audio"]), dtype="float32")
    processor = AutoProcessor.from_pretrained(folder_of(name))
    model = WhisperForConditionalGeneration.from_pretrained(folder_of(name), dtype=torch.float32)
    features = processor(samples, sampling_rate=rate, return_tensors="pt").input_features
    text = processor.batch_decode(model.generate(features), skip_special_tokens=True)[0].strip()
    assert text.startswith(SAID[name])
