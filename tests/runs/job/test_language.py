"""graftwork.runs.job.language: real sentences in many languages; what tells nothing is not guessed at."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from graftwork.runs.job.language import ACCENTED, Spoken, language_of, spoken

SENTENCES = {
    "English": ["Where is the station?", "My card was charged twice", "what does it cost"],
    "German": ["Wo ist der Bahnhof?", "Meine Karte wurde zweimal belastet und das ist nicht gut"],
    "French": ["Où est la gare ?", "Ma carte a été débitée deux fois et je ne suis pas content"],
    "Spanish": ["¿Dónde está la estación?", "El desayuno es muy bueno"],
    "Italian": ["Non funziona per niente", "La stanza è molto bella ma il bagno è piccolo"],
    "Portuguese": ["O quarto não é muito bom", "A comida foi muito boa e os empregados são simpáticos"],
    "Dutch": ["Het ontbijt is niet goed", "De kamer was mooi maar ook heel klein, dat wel"],
    "Polish": ["To nie jest dobre", "Pokój jest bardzo ładny, tylko śniadanie nie"],
    "Turkish": ["Kahvaltı çok güzel", "Oda küçük ama daha temiz olan bir oda yok"],
    "Indonesian or Malay": ["Kamar ini sangat bagus", "Saya tidak suka makanan yang ada di sini"],
    "Chinese": ["房间很大很干净", "wifi 很快，房间安静"],
    "Cyrillic": ["Номер очень просторный"],
    "Arabic": ["الغرفة نظيفة وكبيرة"],
}


@pytest.mark.parametrize(("language", "text"), [(name, text) for name, texts in SENTENCES.items() for text in texts])
def test_sentences(language: str, text: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "XJ-900", "42", "🙂", "Nike Air Max", "Los Angeles Lakers win again tonight"])
def test_what_tells_nothing(text: str) -> None:
    assert language_of(text) == ""


def test_accents_tell_where_no_word_does() -> None:
    assert language_of("Příliš žluťoučký kůň úpěl ďábelské") == ACCENTED
    assert language_of("the naïve café") == "English"


def test_shares_are_of_the_texts_that_tell_theirs() -> None:
    texts = SENTENCES["English"] * 3 + SENTENCES["German"][:1] * 3 + ["XJ-900"] * 8
    assert spoken(texts) == Spoken(0.25, ("German",))
    assert spoken([]) == Spoken()
    assert spoken(["XJ-900"] * 99 + ["房间很大很干净"]) == Spoken()  # one in a hundred tells nothing of the others


@pytest.mark.parametrize("name", ["banking77", "trec", "sst2", "tweeteval_emotion"])
def test_english_tables_are_english(name: str, real_data: Path) -> None:
    assert spoken(pd.read_csv(real_data / name / "test.csv")["text"].astype(str).tolist()[:400]).share < 0.02


def test_translations_are_told_apart(real_data: Path) -> None:
    [file] = (real_data / "multi30k").glob("test*")
    table = pd.read_csv(file)
    assert spoken(table["en"].tolist()[:400]).share < 0.02
    for language, name in (("de", "German"), ("fr", "French")):
        found = spoken(table[language].tolist()[:400])
        assert found.share > 0.97
        assert found.languages[0] == name
    assert spoken(table["cs"].tolist()[:400]).share > 0.97
