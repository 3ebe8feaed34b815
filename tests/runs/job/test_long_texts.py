"""graftwork.runs.job.long_texts: texts that are cut are counted and said; the default reads them in windows."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graftwork as gw
from graftwork.errors import UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.hub.tokenizer import TextTokenizer
from graftwork.networks.text.transformer import TransformerEncoder
from graftwork.runs.job import long_texts
from heard import Ear
from jobs import job_of
from tiny import tiny_rows
from tinye5 import tiny_e5

WORDS = "room people paper wit while read around parcel with the in and we a someone".split()  # noqa: SIM905


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> list[TextTokenizer]:
    """Of word pieces, and of a unigram model."""
    unigram = TransformerEncoder.from_pretrained(tiny_e5(tmp_path_factory.mktemp("e5")))
    pieces = parse_base("minilm").build(TrainingRows(), 0)
    assert isinstance(pieces, TransformerEncoder)
    return [pieces.tokenizer, unigram.tokenizer]


def long_table(rows: int, words: int = 400) -> pd.DataFrame:
    """The words that decide stand behind so many others."""
    draw = random.Random(0)
    ends = ("it was wonderful and excellent", "it was terrible and awful")
    texts = [f"{' '.join(draw.choices(WORDS, k=words))}. In the end {ends[row % 2]}" for row in range(rows)]
    return pd.DataFrame({"text": texts, "label": [("good", "bad")[row % 2] for row in range(rows)]})


@pytest.mark.slow
def test_the_default_reads_long_texts_to_their_end() -> None:
    ear, table = Ear(), long_table(80)
    model = gw.fit(table, target="label", recipe=gw.Recipe(techniques=(gw.Probe(),)), listener=ear)
    assert model.recipe.base == "minilm:windows=2"
    [note] = [note for note in ear.notes if note.startswith("long texts")]
    assert note.startswith("long texts: 80 of 80 texts in 'text' are longer than the 254 tokens of minilm, so they are")
    assert model.report is not None
    assert model.report.evaluations["validation"].scores["accuracy"].value == 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(model.predict(table[:6])) == list(table.label[:6])


@pytest.mark.slow
def test_a_named_base_is_kept_and_the_loss_is_said_at_fit_and_at_predict() -> None:
    ear, table = Ear(), long_table(60)
    recipe = gw.Recipe(base="minilm", techniques=(gw.Probe(),))
    model = gw.fit(table, target="label", recipe=recipe, listener=ear)
    assert model.recipe.base == "minilm"
    [note] = [note for note in ear.notes if note.startswith("long texts")]
    assert "60 of 60 texts" in note
    assert "% of all tokens are cut off" in note
    assert "--base minilm:windows=2" in note
    assert model.report is not None
    assert [one.kind for one in model.report.warnings].count("long texts") == 1
    with pytest.warns(UserWarning, match="1 of 2 texts in 'text' are longer than the 254 tokens") as caught:
        model.predict(["a short one", table.text[0]])
    assert len(caught) == 1


def test_a_base_is_not_loaded_where_its_files_say_that_it_reads_all(monkeypatch: pytest.MonkeyPatch) -> None:
    base = parse_base("minilm")
    room = 256 - long_texts._SPECIAL - 2 * 3  # of the text and of the prompt
    monkeypatch.setattr(type(base), "build", lambda *_: pytest.fail("it was loaded"))
    texts = ["x" * room, "é" * (room // 3), "short"]
    assert long_texts.reading_all("text", base, texts, named=False) == (base, "")
    for beyond in (["x" * (room + 1)], [("x" * room, "y")], ["ǖ" * (room // 3)]):
        with pytest.raises(pytest.fail.Exception, match="it was loaded"):
            long_texts.reading_all("text", base, beyond, named=False)
    named = parse_base("minilm:max_length=100")
    assert long_texts.reading_all("text", named, ["x" * 86], named=True) == (named, "")
    with pytest.raises(pytest.fail.Exception, match="it was loaded"):
        long_texts.reading_all("text", parse_base("minilm:max_length=100"), ["x" * 100], named=True)


def test_a_text_has_no_more_tokens_than_is_reckoned(tokenizers: list[TextTokenizer]) -> None:
    @settings(max_examples=300, deadline=None)
    @given(st.text(max_size=40))
    def holds(text: str) -> None:
        for tokenizer in tokenizers:
            assert tokenizer.lengths([text])[0] <= long_texts._most_tokens(text)

    holds()


def test_a_few_long_texts_are_said_and_change_nothing() -> None:
    table = pd.concat([long_table(4), pd.DataFrame(tiny_rows(96), columns=["text", "label"])])
    job = job_of(table, gw.Recipe())
    assert job.bases.named == "minilm"
    assert "4 of 100 texts" in job.bases.warnings[0]
    assert job_of(pd.DataFrame(tiny_rows(98), columns=["text", "label"]), gw.Recipe()).bases.warnings == ()


@pytest.mark.slow
def test_what_the_recipe_says_of_long_texts_stays() -> None:
    table = long_table(40, 900)
    for base in ("minilm:windows=2", "minilm:keep=head+tail", "minilm:max_length=512"):
        job = job_of(table, gw.Recipe(base={"text": base}))
        assert job.bases.named == base
        assert "cut off" in job.bases.warnings[0]
    assert job_of(table, gw.Recipe(base="minilm:windows=4")).bases.warnings == ()


def test_windows_are_at_most_eight_and_the_rest_is_said() -> None:
    job = job_of(long_table(10, 3000), gw.Recipe())
    assert job.bases.named == "minilm:windows=8"
    assert "still cut off" in job.bases.warnings[0]


def test_a_base_from_scratch_reads_more_where_it_was_chosen_and_says_it_where_it_was_named() -> None:
    chinese = pd.DataFrame({"text": ["房间很大服务很好" * 50, "早餐不错" * 90] * 30, "label": ["a", "b"] * 30})
    job = job_of(chinese, gw.Recipe())
    assert job.bases.named == "cnn:tokens=character,max_length=400"
    assert len(job.bases.warnings) == 2
    [note] = job_of(chinese, gw.Recipe(base="cnn")).bases.notes
    assert "--base cnn:max_length=400" in note


@pytest.mark.parametrize(
    "techniques",
    [(gw.Partial(1),), (gw.LoRA(rank=2),), (gw.WarmStart(), gw.Partial(2), gw.SupervisedContrastive())],
    ids=["partial", "lora", "contrast"],
)
def test_windows_go_with_caches_and_techniques(
    techniques: tuple[gw.Technique, ...], base: Path, tmp_path: Path
) -> None:
    pairs = [(" ".join([text] * (1 + row % 9)), label) for row, (text, label) in enumerate(tiny_rows(60))]
    table = pd.DataFrame(pairs, columns=["text", "label"])
    training = gw.Training(steps=4, batch=8, precision="fp32")
    recipe = gw.Recipe(
        base=f"transformer:path={base},max_length=9,windows=12", techniques=techniques, training=training
    )
    model = gw.fit(table, target="label", recipe=recipe, valid=table[:20], out=tmp_path / "m")
    given = np.asarray(model.predict_proba(table))
    assert np.allclose(np.asarray(gw.load(tmp_path / "m").predict_proba(table)), given, atol=1e-6)
    alone = np.concatenate([np.asarray(model.predict_proba(table[row : row + 1])) for row in range(9)])
    assert np.allclose(alone, given[:9], atol=1e-5)


@pytest.mark.slow
def test_an_export_that_would_read_less_is_refused(tmp_path: Path) -> None:
    from graftwork.deploy.transformers.export import export_transformers

    model = gw.fit(long_table(60), target="label", recipe=gw.Recipe(techniques=(gw.Probe(),)))
    with pytest.raises(UsageError, match="windows"):
        export_transformers(model, tmp_path / "out")
