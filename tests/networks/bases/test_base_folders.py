"""graftwork.networks.bases.folders: a folder that is no base, or one for something else, is said before all else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import graftwork as gw
from command import graft
from graftwork.errors import ModelError, UsageError
from jobs import job_of
from pictures import encoded, picture

TEXTS = pd.DataFrame({"text": [f"row {row} of some" for row in range(8)], "label": ["a", "b"] * 4})


def folder(place: Path, **config: object) -> str:
    place.mkdir(parents=True, exist_ok=True)
    (place / "config.json").write_text(json.dumps(config))
    return str(place)


@pytest.fixture
def photos(tmp_path: Path) -> pd.DataFrame:
    (tmp_path / "a.png").write_bytes(encoded(picture(1)))
    return pd.DataFrame({"photo": [str(tmp_path / "a.png")] * 8, "label": ["a", "b"] * 4})


def test_a_base_for_images_reads_no_texts(tmp_path: Path) -> None:
    base = folder(tmp_path / "vit", model_type="vit")
    with pytest.raises(ModelError) as said:
        job_of(TEXTS, gw.Recipe(base=base))
    first, _, names = str(said.value).partition("These read them: ")
    assert first == f"The base {base} reads images, and texts are to be read. "
    assert {"minilm", "gru", "cnn", "a folder"} <= set(names.split(", "))


def test_a_base_for_texts_reads_no_images(tmp_path: Path, photos: pd.DataFrame) -> None:
    base = folder(tmp_path / "bert", model_type="bert")
    (tmp_path / "bert" / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match=r"reads texts, and images are to be read\. These read them: .*small-cnn"):
        job_of(photos, gw.Recipe(base=base))
    with pytest.raises(ModelError, match="reads texts, and images"):
        job_of(photos, gw.Recipe(base={"photo": base}))


def test_names_say_which_read_it(photos: pd.DataFrame) -> None:
    with pytest.raises(UsageError, match=r"'gru' reads text, but the table has image to read\. These read image"):
        job_of(photos, gw.Recipe(base="gru"))


def test_a_folder_that_is_no_base(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    with pytest.raises(ModelError, match=r"notes is no base: it has no config\.json\. It is empty\. A base for"):
        job_of(TEXTS, gw.Recipe(base=str(tmp_path / "notes")))
    (tmp_path / "notes" / "readme.txt").write_text("hello")
    with pytest.raises(ModelError, match=r"It holds readme\.txt\..*config\.json, \*\.safetensors and tokenizer\.json"):
        job_of(TEXTS, gw.Recipe(base=str(tmp_path / "notes")))
    inner = folder(tmp_path / "notes" / "model", model_type="bert")
    with pytest.raises(ModelError, match=f"Is {inner} meant"):
        job_of(TEXTS, gw.Recipe(base=str(tmp_path / "notes")))


def test_the_command_line_says_it_in_one_line(tmp_path: Path) -> None:
    TEXTS.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "empty").mkdir()
    ran = graft("fit", tmp_path / "t.csv", "--target", "label", "--base", tmp_path / "empty", "--out", tmp_path / "m")
    ran.fails(1, "is no base: it has no config.json")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("gone", "said"),
    [("tokenizer.json", "has no tokenizer: there is no tokenizer.json"), ("model.safetensors", "has no weights")],
)
def test_the_file_that_misses_is_named(gone: str, said: str, tmp_path: Path) -> None:
    from graftwork.networks.text.bases import MiniLM

    shutil.copytree(MiniLM().folder(), tmp_path / "m")
    for name in {gone, "vocab.txt"} if gone == "tokenizer.json" else {gone}:
        (tmp_path / "m" / name).unlink()
    with pytest.raises(ModelError, match=said):
        gw.fit(TEXTS, target="label", recipe=gw.Recipe(base=str(tmp_path / "m")), verbose=False)


def test_auto_in_a_mapping_is_the_default(photos: pd.DataFrame) -> None:
    assert job_of(photos, gw.Recipe(base={"photo": "auto"})).bases.named == "small-cnn"
