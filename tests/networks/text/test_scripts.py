"""graftwork.networks.text.scripts: what a tokenizer can't read."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from graftwork.networks.bases.registry import parse_base
from graftwork.networks.hub.tokenizer import train_tokenizer
from graftwork.networks.text.scripts import reading, scripts

TEXTS = {
    "Chinese": "房间很大,服务员态度非常好,早餐也不错,下次还会来住",
    "Japanese": "部屋はとても広くて、スタッフの対応も素晴らしかったです。また泊まりたいと思います",
    "Korean": "방이 정말 넓고 직원들도 친절했어요. 다음에도 또 오고 싶습니다",
    "Cyrillic": "Номер очень просторный, персонал вежливый, завтрак отличный",
    "Arabic": "الغرفة واسعة جدا والموظفون لطفاء والفطور ممتاز",
    "Greek": "Το δωμάτιο ήταν πολύ μεγάλο και το προσωπικό ευγενικό",
    "Thai": "ห้องพักกว้างมาก พนักงานบริการดีมาก อาหารเช้าอร่อย",
    "Hebrew": "החדר היה גדול מאוד והצוות היה אדיב",
    "Devanagari": "कमरा बहुत बड़ा था और कर्मचारी अच्छे थे वहाँ का खाना भी अच्छा था",
}
LATIN = [
    "Das Zimmer war sehr groß und das Personal freundlich",
    "Phòng rất rộng, nhân viên thân thiện, bữa sáng ngon",
    "Pokój był bardzo duży, a obsługa życzliwa",
    "The room was large and the staff friendly, ½ of them at least 😀",
    "L’été dernier, la chambre était à 90 € ²",
]


@pytest.fixture(scope="module")
def english() -> Tokenizer:
    file = parse_base("minilm").tokenizer_file()
    assert file is not None
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


@pytest.mark.parametrize("script", TEXTS)
def test_an_english_vocabulary_reads_no_other_script(script: str, english: Tokenizer) -> None:
    found = reading(english, [TEXTS[script]] * 3)
    assert found.scripts == (script,)
    assert (found.letters, found.rows) == (1.0, 1.0)


def test_an_english_vocabulary_reads_latin_with_its_accents(english: Tokenizer) -> None:
    assert reading(english, LATIN * 4).scripts == ()
    assert reading(english, ["", "12 + 3", "😀"]).rows == 0.0


def test_shares_of_mixed_texts(english: Tokenizer) -> None:
    found = reading(english, [TEXTS["Cyrillic"], *LATIN[:3]])
    assert found.rows == 0.25
    assert 0.2 < found.letters < 0.4
    assert reading(english, [f"{text} {TEXTS['Chinese'][:3]}" for text in LATIN * 4]).rows == 0.0


@pytest.mark.parametrize("how", ["word", "character", "subword"])
@pytest.mark.parametrize("script", ["Chinese", "Japanese", "Korean"])
def test_a_vocabulary_learned_from_the_texts_reads_them(script: str, how: str) -> None:
    texts = [TEXTS[script]] * 3
    assert reading(train_tokenizer(texts, how, 1000, 500).backend, texts).scripts == ()  # type: ignore[arg-type]


def test_words_learned_from_russian_read_russian_but_no_greek() -> None:
    tokenizer = train_tokenizer([TEXTS["Cyrillic"]] * 3, "word", 1000, 500).backend
    assert reading(tokenizer, [TEXTS["Cyrillic"]]).scripts == ()
    assert reading(tokenizer, [TEXTS["Greek"]]).scripts == ("Greek",)


def test_bytes_read_no_script_that_they_spell() -> None:
    alphabet = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(alphabet, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert reading(tokenizer, [TEXTS["Chinese"]]).scripts == ("Chinese",)


def test_letters_by_script() -> None:
    assert scripts("ｗifi 很快, да 12") == {"Latin": 4, "Chinese": 2, "Cyrillic": 2}
    assert scripts("大きい", japanese=True) == {"Japanese": 3}


def test_a_base_from_scratch_has_no_tokenizer_before_training(tmp_path: Path) -> None:
    assert parse_base("cnn").tokenizer_file() is None
    (tmp_path / "config.json").write_text("{}")
    assert parse_base(str(tmp_path), "text").tokenizer_file() is None
