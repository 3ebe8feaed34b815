"""graftwork.runs.job.media_choice: images and sounds take what was fetched, compared voices a base for them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import graftwork as gw
from graftwork.bases.catalogue import known
from jobs import job_of
from pictures import encoded, picture, tiny_lite
from tinybases import fetched
from tinysound import tiny_clips, tiny_sound_model


@pytest.fixture
def bases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where fetched bases lie."""
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "bases"


@pytest.fixture
def photos(tmp_path: Path) -> pd.DataFrame:
    for row in range(8):
        (tmp_path / f"{row}.png").write_bytes(encoded(picture(row)))
    return pd.DataFrame({"photo": [str(tmp_path / f"{row}.png") for row in range(8)], "label": ["a", "b"] * 4})


def sounds(rows: int = 24) -> pd.DataFrame:
    return pd.DataFrame(tiny_clips(rows), columns=["clip", "label"])


def voices(people: int = 6) -> pd.DataFrame:
    clips = [clip for clip, _ in tiny_clips(4 * people)]
    return pd.DataFrame({"clip": clips, "label": [f"person {row % people}" for row in range(len(clips))]})


def sound(bases: Path, name: str) -> None:
    tiny_sound_model(bases / name, "ge2e-speaker" if name == "ge2e-speaker" else "whisper")
    fetched(bases / name)


def test_images_take_the_fetched_base(bases: Path, photos: pd.DataFrame) -> None:
    fetched(tiny_lite(bases / "efficientnet-lite0"))
    job = job_of(photos, gw.Recipe())
    assert job.bases.named == "efficientnet-lite0"
    assert job.bases.notes == ("base: efficientnet-lite0 is chosen for 'photo' (images)",)
    assert job_of(photos, gw.Recipe(base="small-cnn")).bases.named == "small-cnn"


def test_faces_are_never_chosen(bases: Path, photos: pd.DataFrame) -> None:
    for name in [name for name, entry in known().items() if entry.reads == "image" and name != "efficientnet-lite0"]:
        (bases / name).mkdir(parents=True)
        fetched(bases / name)
    assert job_of(photos, gw.Recipe()).bases.named == "small-cnn"


@pytest.mark.usefixtures("bases")
def test_without_one_the_command_is_named(photos: pd.DataFrame) -> None:
    [note] = job_of(photos, gw.Recipe()).bases.warnings
    assert "usually scores far better: graft bases get images (" in note
    assert "or --base image=FOLDER or a hub id (docs/images.md)" in note
    [note] = job_of(sounds(), gw.Recipe()).bases.warnings
    assert "mel-cnn learns 'clip' from your 24 rows alone" in note
    assert "graft bases get speech (" in note
    [note] = job_of(voices(), gw.Recipe(task="identity")).bases.warnings
    assert "graft bases get speaker (" in note


def test_voices_that_are_compared_take_their_base(bases: Path) -> None:
    sound(bases, "whisper-base")
    sound(bases, "ge2e-speaker")
    job = job_of(voices(), gw.Recipe(task="identity"))
    assert (job.bases.named, job.bases.open) == ("ge2e-speaker", ())
    [note] = job.bases.notes
    assert note.startswith("base: ge2e-speaker is chosen for 'clip', because identities are compared")


def test_few_shot_classes_are_no_voices(bases: Path) -> None:
    sound(bases, "ge2e-speaker")
    job = job_of(voices(), gw.Recipe(task="few-shot:way=2,shot=1,query=1", valid_share=0.4))
    assert job.bases.open == ("clip",)


def test_other_sounds_are_left_to_a_probe(bases: Path) -> None:
    for name in ("whisper-tiny.en", "ge2e-speaker", "whisper-base"):
        sound(bases, name)
    job = job_of(sounds(), gw.Recipe())
    assert job.bases.each["clip"].options == ("whisper-base", "whisper-tiny.en", "ge2e-speaker", "mel-cnn")
    assert job.bases.notes == ()
