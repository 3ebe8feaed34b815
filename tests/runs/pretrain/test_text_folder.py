"""A folder of text files as a corpus."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from command import graft
from graftwork.data.notes import notes_of
from graftwork.errors import DataError
from graftwork.runs.pretrain.text_folder import texts_of_folder
from tiny import tiny_rows


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


def test_a_row_is_a_paragraph_and_files_come_in_order(tmp_path: Path) -> None:
    found = texts_of_folder(
        written(tmp_path, b_txt="two\nlines\n\n \nthree\r\n\r\nfour", a_md="one", deep__c_txt="five", x_pdf="%"), None
    )
    assert isinstance(found, pa.Table)
    assert found.column("text").to_pylist() == ["one", "two lines", "three", "four", "five"]
    assert notes_of(found) == [f"{tmp_path}: 5 paragraphs of 3 text files; not read: x.pdf"]


def test_other_sources_stay_as_they_are(tmp_path: Path) -> None:
    photos = written(tmp_path, cat__1_jpg="", notes_txt="words")
    assert texts_of_folder(photos, None) is photos
    assert texts_of_folder("corpus.csv", None) == "corpus.csv"
    assert texts_of_folder([{"text": "one"}], None) == [{"text": "one"}]


def test_empty_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 text files, and all of them are empty"):
        texts_of_folder(written(tmp_path, a_txt=" \n", b_txt=""), None)


def test_files_in_another_encoding_say_so(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("déjà vu, élève".encode("cp1252"))
    with pytest.raises(DataError, match="not UTF-8"):
        texts_of_folder(tmp_path, None)
    assert texts_of_folder(tmp_path, "cp1252").column("text").to_pylist() == ["déjà vu, élève"]


def test_the_command_line_pretrains_on_it(tmp_path: Path) -> None:
    texts = [text for text, _ in tiny_rows(60)]
    folder = written(tmp_path / "letters", a_txt="\n\n".join(texts[:30]), b_txt="\n\n".join(texts[30:]))
    done = graft("pretrain", folder, "--base", "gru:width=8", "--set", "steps=2", "--set", "batch=8", "--out",
                 tmp_path / "base").works()  # fmt: skip
    assert "60 paragraphs of 2 text files" in " ".join(done.err.split())
    assert (tmp_path / "base" / "model.json").is_file()
