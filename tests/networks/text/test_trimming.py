"""A base whose table of tokens is trimmed: equal to the whole one on what it kept, and like any base in all else."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

import graftwork as gw
import tiny
import tinye5
from graftwork.bases.home import need
from graftwork.deploy.transformers.export import export_transformers
from graftwork.errors import ModelError, UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.hub import left_out
from graftwork.networks.hub.left_out import LEFT_OUT, Otherwise, packed, unpacked
from graftwork.networks.text import vocabulary
from graftwork.networks.text.transformer import TransformerEncoder

ENGLISH = [text for text, _ in tiny.tiny_rows(30)]


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """multilingual-e5-small is at hand, tiny, and nothing is kept as a margin."""
    monkeypatch.setenv("GRAFTWORK_HOME", str(tinye5.tiny_home(tmp_path / "home")))
    monkeypatch.setattr(vocabulary, "LEAST", 0)
    monkeypatch.setattr(vocabulary, "MARGIN", 0.0)
    return "multilingual-e5-small"


def built(spec: str, texts: Sequence[str]) -> TransformerEncoder:
    encoder = parse_base(spec).build(TrainingRows(lambda: texts), 0)
    assert isinstance(encoder, TransformerEncoder)
    return encoder


def labelled(pairs: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"text": text, "topic": topic} for text, topic in pairs]


def pieces(encoder: TransformerEncoder) -> list[str]:
    return [piece for piece, _ in json.loads(encoder.tokenizer.files["tokenizer.json"])["model"]["vocab"]]


def test_what_rows_use_is_kept_with_all_characters_of_their_scripts(base: str) -> None:
    encoder, whole = built(base, ENGLISH[:2]), built(f"{base}:vocabulary=whole", ())
    kept, every = pieces(encoder), pieces(whole)
    used = {every[number] for row in whole.prepare(ENGLISH[:2]) for number in row.tolist()}
    assert used <= set(kept)
    assert {piece for piece in every if len(piece) == 1 and (piece.isascii() or not piece.isalpha())} <= set(kept)
    assert not any("酒" in piece or "м" in piece for piece in kept)
    assert "\u2581storm" not in kept
    assert encoder.model.get_input_embeddings().num_embeddings == len(kept) < len(every)
    assert [kept[number] for number in range(4)] == ["<s>", "<pad>", "</s>", "<unk>"]


def test_rows_whose_pieces_are_kept_have_the_same_features_to_the_bit(base: str) -> None:
    encoder, whole = built(base, ENGLISH), built(f"{base}:vocabulary=whole", ())
    kept, every = pieces(encoder), pieces(whole)
    rows, others = encoder.prepare([*ENGLISH, ""]), whole.prepare([*ENGLISH, ""])
    for one, other in zip(rows, others, strict=True):
        assert [kept[number] for number in one.tolist()] == [every[number] for number in other.tolist()]
    with torch.no_grad():
        assert torch.equal(encoder(encoder.collate(rows)), whole(whole.collate(others)))


def test_other_words_are_spelled_and_counted(base: str) -> None:
    encoder, whole = built(base, ["the cat and the dog"]), built(f"{base}:vocabulary=whole", ())
    kept = set(pieces(encoder))
    for texts in (["the storm is here"], ["the cat"], ["мир и кот", "the storm"]):
        every = pieces(whole)
        expected = [
            every[at] for row in whole.tokenizer.uncut.encode_batch(texts, add_special_tokens=False) for at in row.ids
        ]
        missing = sum(piece not in kept for piece in expected)
        assert encoder.tokenizer.otherwise(texts) == Otherwise(len(expected), missing)
    spelled = encoder.tokenizer.uncut.encode("storm", add_special_tokens=False)
    assert "<unk>" not in spelled.tokens
    assert len(spelled.ids) > 1
    assert not whole.tokenizer.is_trimmed


def test_the_likeliest_pieces_of_the_scripts_are_the_margin(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    few = pieces(built(base, ["the cat"]))
    monkeypatch.setattr(vocabulary, "LEAST", len(few) + 2)
    more = pieces(built(base, ["the cat."]))  # other texts: what was trimmed to the same is kept in the cache
    assert len(more) == len(few) + 2
    assert not any("м" in piece for piece in more)


def test_runs_on_some_of_the_rows_share_one_table_of_tokens(base: str) -> None:
    settings, few = parse_base(base), ["the cat is here"]
    one = settings.build(TrainingRows(lambda: few, all_texts=lambda: ENGLISH), 0)
    assert one.fingerprint == built(base, ENGLISH).fingerprint != built(base, few).fingerprint


def test_a_margin_of_all_keeps_the_scripts_whole(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "LEAST", 10_000)
    kept = set(pieces(built(base, ["the cat", "酒店"])))
    assert {"\u2581房间", "店房", "\u2581storm"} <= kept
    assert "\u2581мир" not in kept


def test_a_saved_encoder_holds_only_what_was_kept(base: str, tmp_path: Path) -> None:
    encoder = built(base, ENGLISH)
    encoder.save_files(tmp_path)
    loaded = TransformerEncoder.from_config(encoder.config(), tmp_path)
    loaded.load_state_dict(encoder.state_dict())
    assert pieces(loaded) == pieces(encoder)
    assert loaded.tokenizer.otherwise(["the мир"]) == encoder.tokenizer.otherwise(["the мир"]) == Otherwise(2, 1)
    with torch.no_grad():
        values = encoder.collate(encoder.prepare(ENGLISH))
        assert torch.equal(loaded.eval()(values), encoder(values))


def test_it_is_made_once_for_the_same_rows(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = built(base, ENGLISH)
    monkeypatch.setattr(vocabulary, "Pieces", None)  # would fail where it is made anew
    assert built(base, ENGLISH).tokenizer.fingerprint == first.tokenizer.fingerprint


def test_what_it_began_with_is_had_by_its_pieces(base: str) -> None:
    encoder = built(base, ENGLISH)
    begun = parse_base(base).start_of(encoder, 0)
    states = begun.state_dict()
    assert states.keys() == encoder.state_dict().keys()
    assert all(torch.equal(value, states[name]) for name, value in encoder.state_dict().items())


@pytest.mark.parametrize("techniques", [["probe"], ["partial:blocks=1"], ["lora:rank=2"], ["plain"]])
def test_models_of_it_train_and_load(base: str, techniques: list[str], tmp_path: Path) -> None:
    rows = labelled(tiny.tiny_rows(48))
    named = [] if techniques == ["plain"] else techniques
    recipe = gw.Recipe(base=base, techniques=named, training=gw.Training(steps=6, batch=8, evaluations=1))
    model = gw.fit(rows, target="topic", recipe=recipe, out=tmp_path / "model")
    texts = [row["text"] for row in rows[:12]]
    loaded = gw.load(tmp_path / "model")
    np.testing.assert_allclose(loaded.predict_proba(texts), model.predict_proba(texts), atol=1e-6)
    saved = json.loads((tmp_path / "model" / "encoder-0" / "tokenizer.json").read_text(encoding="utf-8"))
    assert not any("酒" in piece for piece, _ in saved["model"]["vocab"])
    assert "prompt" in json.dumps(saved["post_processor"])


def test_prediction_says_how_many_words_are_split_otherwise(base: str, tmp_path: Path) -> None:
    rows = labelled((text, topic) for text, topic in tiny.tiny_rows(60) if "storm" not in text)
    recipe = gw.Recipe(base=base, techniques=["probe"], training=gw.Training(steps=2, batch=8, evaluations=1))
    model = gw.fit(rows, target="topic", recipe=recipe, out=tmp_path / "model")
    with pytest.warns(UserWarning, match=r"^25\.0 % of the words and word pieces in 'text' are none that"):
        model.predict(["the storm is here"] * 25)
    with pytest.warns(UserWarning, match=r"^25\.0 % of the words"):
        model.evaluate(labelled([("the storm is here", "weather")] * 25))
    model.predict([row["text"] for row in rows])
    model.predict(["the storm is here"])


def test_it_is_exported(base: str, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    recipe = gw.Recipe(base=base, techniques=["probe"], training=gw.Training(steps=2, batch=8, evaluations=1))
    model = gw.fit(labelled(tiny.tiny_rows(48)), target="topic", recipe=recipe, out=tmp_path / "model")
    told = export_transformers(model, tmp_path / "exported")  # which holds it against the model, and fails otherwise
    assert "checked on" in told[1]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "exported")
    (encoder,) = model.network.each_encoder()
    for text, row in zip(ENGLISH, encoder.prepare(ENGLISH), strict=True):
        assert tokenizer(text)["input_ids"] == row.tolist()
    assert len(tokenizer) == encoder.tokenizer.size


# --- what can't be trimmed ------------------------------------------------------------------------------------------
def test_another_kind_of_tokenizer_is_refused(tmp_path: Path) -> None:
    folder = tiny.tiny_bert(tmp_path / "bert")
    with pytest.raises(UsageError, match=r"of the kind WordLevel, and only a unigram model .* Use vocabulary=whole"):
        built(f"transformer:path={folder},vocabulary=trimmed", ENGLISH)


def test_a_folder_that_lacks_something_is_refused(base: str) -> None:
    (need(base) / "model.safetensors").unlink()
    with pytest.raises(UsageError, match=r"has no weights of one piece \(model.safetensors\)"):
        built(base, ENGLISH)


def test_any_folder_with_a_unigram_tokenizer_is_trimmed(base: str, tmp_path: Path) -> None:
    shutil.copytree(need(base), tmp_path / "mine")
    encoder = built(f"transformer:path={tmp_path / 'mine'},vocabulary=trimmed", ENGLISH)
    assert len(pieces(encoder)) < len(tinye5.pieces())


def test_a_damaged_list_of_what_was_left_out_is_said() -> None:
    told = packed({"\u2581the": -3.14159})
    assert unpacked(told) == {"\u2581the": -3.1416}
    for content in (b"", told[:-8], b"no such thing", zlib.compress(b"[1]"), zlib.compress(b'{"a": "b"}')):
        with pytest.raises(ModelError, match=f"{LEFT_OUT} is damaged"):
            unpacked(content)


def test_a_list_that_would_fill_the_memory_is_read_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(left_out, "_LARGEST", 1000)
    told = packed({f"piece{number}": -1.0 for number in range(1000)})
    with pytest.raises(ModelError, match=f"{LEFT_OUT} is damaged"):
        unpacked(told)


def test_the_plan_says_how_texts_are_read(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = gw.Recipe(base=base, techniques=["probe"], training=gw.Training(steps=2, batch=8, evaluations=1))
    gw.plan(labelled(tiny.tiny_rows(48)), target="topic", recipe=recipe)
    told = capsys.readouterr().err
    assert "'query: ' is read before each text of 'text'" in told
    assert "of its tokens those are kept that your rows and their scripts use" in told


# --- the real one ---------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_the_real_one_is_a_fifth_and_gives_the_same(real_bases: Callable[..., None]) -> None:
    real_bases("multilingual-e5-small")
    texts = ["房间很干净，服务员也热情。", "早餐一般，但是位置好。", "The room was clean.", "Комната была чистой."]
    encoder = built("multilingual-e5-small", texts)
    assert sum(parameter.numel() for parameter in encoder.parameters()) < 30e6
    whole = Tokenizer.from_file(str(need("multilingual-e5-small") / "tokenizer.json"))
    kept = pieces(encoder)
    for text in texts:
        found = [kept[number] for number in encoder.tokenizer.uncut.encode(text, add_special_tokens=False).ids]
        assert found == whole.encode(text, add_special_tokens=False).tokens
    other = ["Die Straße zum Bahnhof ist gesperrt und neu asphaltiert", "地铁站附近的咖啡馆"]
    expected = [piece for text in other for piece in whole.encode(text, add_special_tokens=False).tokens]
    missing = sum(piece not in set(kept) for piece in expected)
    assert encoder.tokenizer.otherwise(other) == Otherwise(len(expected), missing)
