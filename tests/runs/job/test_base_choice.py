"""graftwork.runs.job.base_choice: the default base gives way where it can't read the texts; what is named stays."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import graftwork as gw
from command import graft
from graftwork.runs.job.base_choice import fitting_bases
from heard import Ear
from jobs import job_of
from pictures import encoded, picture

ROOM, FOOD = (
    ["房间很大很干净", "床很舒服房间安静", "窗外风景很好房间新"],
    ["早餐不错", "饭菜难吃早餐太少", "餐厅服务很慢"],
)
RUSSIAN = ["Номер очень просторный", "Кровать удобная и тихо", "Завтрак был отличный"]


def chinese(rows: int) -> pd.DataFrame:
    pairs = [(f"{(ROOM, FOOD)[row % 2][row % 3]}，{row}", ("room", "food")[row % 2]) for row in range(rows)]
    return pd.DataFrame(pairs, columns=["text", "label"])


def english(rows: int) -> pd.DataFrame:
    pairs = [
        (f"the {('room', 'food')[row % 2]} was fine, number {row}", ("room", "food")[row % 2]) for row in range(rows)
    ]
    return pd.DataFrame(pairs, columns=["text", "label"])


def test_chinese_is_learned_by_character_and_said_in_one_line() -> None:
    job = job_of(chinese(60), gw.Recipe())
    assert job.bases.named == "cnn:tokens=character"
    [note] = job.bases.notes
    assert note in job.notes
    assert note.startswith(
        "base: the default minilm can't read 100 % of the texts in 'text' (Chinese), so cnn is trained instead"
    )
    assert "a multilingual base" in note
    assert job.valid is not None, "a base from scratch needs rows to validate on"


def test_words_are_learned_where_spaces_divide_them() -> None:
    table = pd.DataFrame({"text": [RUSSIAN[row % 3] for row in range(60)], "label": ["a", "b"] * 30})
    assert job_of(table, gw.Recipe()).bases.named == "cnn"


def test_english_texts_keep_the_default_and_one_line_names_a_better_one() -> None:
    job = job_of(english(60), gw.Recipe())
    assert (job.bases.named, job.bases.warnings) == ("minilm", ())
    [note] = job.bases.notes
    assert note.startswith("base: minilm reads 'text'; mpnet usually scores better on English: graft bases get english")
    assert note in job.notes
    assert job_of(english(60), gw.Recipe(base="minilm")).bases.notes == ()


def test_a_named_base_is_kept_and_warned_of() -> None:
    for base in ("minilm", {"text": "minilm"}):
        job = job_of(chinese(60), gw.Recipe(base=base))
        assert job.bases.named == "minilm"
        [note] = job.bases.notes
        assert "It is kept, as named" in note
        assert "--base cnn" in note
    assert job_of(chinese(60), gw.Recipe(base="gru")).bases.notes == ()


@pytest.mark.parametrize(("share", "named", "words"), [(0.2, "minilm", "20 %"), (0.7, "cnn:tokens=character", "70 %")])
def test_of_mixed_languages_the_share_decides_and_is_said(share: float, named: str, words: str) -> None:
    rows = round(100 * share)
    table = pd.concat([chinese(rows), english(100 - rows)])
    job = job_of(table, gw.Recipe())
    assert job.bases.named == named
    assert words in job.bases.warnings[0]
    assert job_of(pd.concat([chinese(2), english(98)]), gw.Recipe()).bases.warnings == ()


def test_each_column_of_texts_has_its_own_base() -> None:
    table = pd.concat([chinese(60), english(60)[["text"]].rename(columns={"text": "title"})], axis=1)
    assert job_of(table, gw.Recipe(), target="label").bases.named == {"text": "cnn:tokens=character", "title": "minilm"}


def test_fit_says_it_and_the_report_warns() -> None:
    ear = Ear()
    recipe = gw.Recipe(training=gw.Training(steps=2, batch=8))
    model = gw.fit(chinese(60), target="label", recipe=recipe, listener=ear)
    assert model.recipe.base == "cnn:tokens=character"
    assert sum("can't read" in note for note in ear.notes) == 1
    assert model.report is not None
    [warning] = [one for one in model.report.warnings if one.kind == "base"]
    assert "cnn is trained instead" in warning.message


def test_photos_without_a_pretrained_base_are_said_to_start_from_nothing(tmp_path: Path) -> None:
    for row in range(8):
        (tmp_path / f"{row}.png").write_bytes(encoded(picture(row)))
    table = pd.DataFrame({"photo": [str(tmp_path / f"{row}.png") for row in range(8)], "label": ["a", "b"] * 4})
    job = job_of(table, gw.Recipe())
    [note] = job.bases.notes
    assert note.startswith("base: no pretrained base for images is named, so small-cnn learns 'photo' from your 8 rows")
    assert "--base image=FOLDER" in note
    assert job_of(table, gw.Recipe(base="small-cnn")).bases.notes == ()


def test_the_choice_is_repeatable() -> None:
    table = job_of(chinese(500), gw.Recipe()).train
    assert fitting_bases(table, gw.Recipe()) == fitting_bases(table, gw.Recipe())


@pytest.mark.slow
def test_the_first_command_of_the_chinese_readme(tmp_path: Path) -> None:
    """`graft fit train.csv --target label --test test.csv`, with nothing chosen, learns a Chinese table."""
    train, test = chinese(240), chinese(300)[240:]
    train.to_csv(tmp_path / "train.csv", index=False)
    test.to_csv(tmp_path / "test.csv", index=False)
    out = tmp_path / "m"
    ran = graft(
        "fit", tmp_path / "train.csv", "--target", "label", "--test", tmp_path / "test.csv", "--out", out
    ).works()
    assert ran.err.count("can't read") == 1
    assert json.loads((out / "metrics.json").read_text())["scores"]["test"]["accuracy"]["value"] > 0.95
