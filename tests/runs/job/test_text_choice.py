"""graftwork.runs.job.text_choice: what reads texts by their language and by what is at hand; one line says what would
be better and how to have it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import graftwork as gw
from graftwork.bases import home
from graftwork.runs.job.job import Job
from jobs import job_of
from tinybases import tiny_mpnet
from tinye5 import tiny_home

CHINESE = ["房间很大很干净", "早餐不错", "服务很慢"]
ENGLISH = ["the room was clean", "the food is good", "they were not here"]
GERMAN = ["das Zimmer ist nicht sauber", "das Essen war sehr gut", "wir haben noch nie so gut gegessen"]


def table(texts: list[str], other: list[str] | None = None, share: float = 1.0, rows: int = 60) -> pd.DataFrame:
    """Rows of `texts`, the other part of `other`."""
    own = round(share * rows)
    said = [f"{texts[row % 3]} {row}" if row < own else f"{(other or texts)[row % 3]} {row}" for row in range(rows)]
    return pd.DataFrame({"text": said, "label": ["a", "b"] * (rows // 2)})


@pytest.fixture
def e5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_home(tmp_path / "home")
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))


@pytest.fixture
def no_minilm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its package is not installed."""
    found = home.at_hand
    monkeypatch.setattr(home, "at_hand", lambda name: None if name == "minilm" else found(name))


def chosen(frame: pd.DataFrame, **recipe: str) -> Job:
    return job_of(frame, gw.Recipe(**recipe))  # type: ignore[arg-type]


@pytest.mark.usefixtures("e5")
@pytest.mark.parametrize(
    ("texts", "language"), [(CHINESE, "Chinese"), (GERMAN, "German"), (["Номер очень просторный"] * 3, "Cyrillic")]
)
def test_other_languages_take_the_multilingual_base(texts: list[str], language: str) -> None:
    job = chosen(table(texts))
    assert job.bases.named == "multilingual-e5-small"
    assert job.bases.notes[0] == (
        f"base: multilingual-e5-small is chosen, because the texts in 'text' are not English ({language})"
    )
    assert "'query: ' is read before each text" in job.bases.notes[1]
    assert job.bases.warnings == ()


@pytest.mark.usefixtures("e5")
@pytest.mark.parametrize(("share", "named"), [(0.1, "minilm"), (0.3, "multilingual-e5-small")])
def test_of_mixed_texts_a_fifth_decides(share: float, named: str) -> None:
    job = chosen(table(CHINESE, ENGLISH, share))
    assert job.bases.named == named
    assert f"{100 * share:.0f} % of the texts" in job.bases.notes[0]
    assert ("--base multilingual-e5-small" in job.bases.notes[0]) == (named == "minilm")


def test_without_it_german_is_read_by_the_usual_base_with_a_warning() -> None:
    job = chosen(table(GERMAN))
    assert job.bases.named == "minilm"
    assert job.bases.warnings == (
        "base: the texts in 'text' are not English (German), and minilm knows English only; multilingual-e5-small "
        "reads them: graft bases get multilingual (91 MB)",
    )


def test_without_it_chinese_is_learned_by_character_with_the_command() -> None:
    job = chosen(table(CHINESE))
    assert job.bases.named == "cnn:tokens=character"
    assert (
        "a multilingual base reads them: graft bases get multilingual (91 MB), --base FOLDER" in job.bases.warnings[0]
    )


@pytest.mark.usefixtures("no_minilm")
@pytest.mark.parametrize(
    ("texts", "named", "command"),
    [
        (ENGLISH, "cnn", r"English is here.*graft bases get minilm (84 MB) or graft bases get english (405 MB)"),
        (GERMAN, "cnn", "German is here.*graft bases get multilingual (91 MB)"),
        (CHINESE, "cnn:tokens=character", "Chinese is here.*graft bases get multilingual (91 MB)"),
    ],
)
def test_with_nothing_at_hand_it_is_learned(texts: list[str], named: str, command: str) -> None:
    job = chosen(table(texts))
    assert job.bases.named == named
    [warning] = job.bases.warnings
    first, _, last = command.partition(".*")
    assert warning.startswith(f"base: no pretrained base for {first}, so cnn learns 'text' from your rows alone")
    assert warning.endswith(last)
    assert job.valid is not None, "a base from scratch needs rows to validate on"


@pytest.mark.usefixtures("no_minilm")
def test_a_large_base_alone_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    tiny_mpnet(tmp_path / "home")
    found = home.at_hand
    monkeypatch.setattr(home, "at_hand", lambda name: None if name == "minilm" else found(name))
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))
    job = chosen(table(ENGLISH))
    assert (job.bases.named, job.bases.open) == ("mpnet", ())
    assert job.bases.notes == ("base: mpnet is chosen for 'text' (English)",)


@pytest.mark.usefixtures("e5")
def test_what_is_named_stays_and_what_reads_it_is_named() -> None:
    job = chosen(table(CHINESE), base="minilm")
    assert job.bases.named == "minilm"
    assert "It is kept, as named; a multilingual base reads them: --base multilingual-e5-small" in job.bases.notes[0]


@pytest.mark.usefixtures("e5")
def test_each_input_has_its_own() -> None:
    frame = table(CHINESE).assign(title=table(ENGLISH)["text"])
    job = job_of(frame, gw.Recipe(), target="label")
    assert job.bases.named == {"text": "multilingual-e5-small", "title": "minilm"}
