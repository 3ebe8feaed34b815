"""One table, from every kind of source."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graftwork.data.read.source import folder_of, is_collection, read
from graftwork.data.store import spool
from graftwork.errors import DataError
from pictures import encoded, picture

ROWS = [{"text": "a b", "label": "x"}, {"text": "c", "label": "y"}, {"text": "d, e", "label": None}]


def _write(folder: Path, name: str) -> Path:
    path = folder / name
    frame = pd.DataFrame(ROWS)
    plain = path.with_suffix("") if name.endswith(".gz") else path
    if plain.suffix in (".csv", ".tsv"):
        frame.to_csv(plain, index=False, sep="," if plain.suffix == ".csv" else "\t")
    elif plain.suffix == ".parquet":
        frame.to_parquet(plain)
    elif plain.suffix == ".json":
        frame.to_json(plain, orient="records")
    else:
        frame.to_json(plain, orient="records", lines=True)
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(plain.read_bytes()))
    return path


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("extension", ["csv", "tsv", "json", "jsonl", "ndjson", "parquet", "CSV"])
def test_all_file_formats_hold_the_same_table(tmp_path: Path, extension: str, packed: str) -> None:
    path = _write(tmp_path, f"data.{extension.lower()}{packed}")
    path = path.rename(tmp_path / f"data.{extension}{packed}")
    table, name = read(str(path))
    assert table.to_pylist() == ROWS
    assert name == str(path)


def test_name_replaces_the_path_in_messages(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,text\na,b\n")
    with pytest.raises(DataError, match=r"^the training table has more than one column"):
        read(path, name="the training table")


def test_large_files_are_mapped_and_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(spool, "MEMORY_BYTES", 1000)
    rows = [{"text": f"text number {i}", "label": str(i % 3)} for i in range(20_000)]
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"{r['text']},{r['label']}\n" for r in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    before = pa.total_allocated_bytes()
    for name in ("a.csv", "a.parquet"):
        table, _ = read(tmp_path / name)
        assert table.to_pylist() == rows
    assert pa.total_allocated_bytes() - before < 200_000
    assert list((tmp_path / "cache" / "spool").iterdir()) == []


def test_parquet_with_doubled_names_or_without_rows(tmp_path: Path) -> None:
    pq.write_table(pa.table([pa.array(["a"]), pa.array(["b"])], names=["text", "text"]), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="more than one column named 'text'"):
        read(tmp_path / "a.parquet")
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="no rows"):
        read(tmp_path / "b.parquet")


def test_a_single_picture_is_a_row(tmp_path: Path) -> None:
    photo = tmp_path / "a b.PNG"
    photo.write_bytes(encoded(picture()))
    data, _ = read(photo)
    assert data.to_pydict() == {"image": ["a b.PNG"]}
    assert folder_of(photo) == tmp_path
    assert is_collection(photo)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a.tar.gz", "is an archive. Unpack it"),
        ("a.tgz", "is an archive"),
        ("a.rar", "is an archive"),
        ("a.7z", "is an archive"),
        ("a.heic", r"is no table, and \.heic files can't be read: save them"),
        ("a.mp4", r"is no table, and \.mp4 files can't be read"),
    ],
)
def test_archives_and_other_media_say_what_to_do(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b"x") if name.endswith("gz") else b"some bytes")
    with pytest.raises(DataError, match=reason):
        read(tmp_path / name)
