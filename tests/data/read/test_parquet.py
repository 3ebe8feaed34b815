"""parquet: read in pieces; damaged and oversized values are errors that say where."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graftwork.data.read import parquet
from graftwork.data.read.source import read
from graftwork.errors import DataError


def _written(path: Path, columns: dict[str, object], **options: object) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def _not_utf8(texts: list[bytes]) -> pa.Array:
    binary = pa.array(texts, pa.binary())
    return pa.StringArray.from_buffers(len(texts), binary.buffers()[1], binary.buffers()[2])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    columns = {
        "text": ["a", None, "c", "a"] * 9000,
        "number": pa.array([1, 2, None, 4] * 9000, pa.int16()),
        "large": pa.array(["x", "y", "z", None] * 9000, pa.large_string()),
        "bytes": pa.array([b"1", None, b"3", b"1"] * 9000),
        "coded": pa.array(["x", "y", "x", None] * 9000).dictionary_encode(),
        "lists": [["a"], [], None, ["b", "c"]] * 9000,
    }
    for path in (_written(tmp_path / "a.parquet", columns), tmp_path / "b.parquet.gz"):
        if path.suffix == ".gz":
            path.write_bytes(gzip.compress((tmp_path / "a.parquet").read_bytes(), mtime=0))
        table = read(path)[0]
        assert table.to_pydict() == pa.table(columns).to_pydict()
        assert table.schema.field("text").type == pa.string()
        assert table.schema.field("large").type == pa.large_string()


@pytest.mark.parametrize("dictionary", [True, False])
def test_a_text_that_is_not_utf8_names_its_row(tmp_path: Path, dictionary: bool) -> None:
    texts = _not_utf8([b"ok", b"caf\xe9", b"ok", b"caf\xe9"])
    path = _written(tmp_path / "a.parquet", {"text": texts}, use_dictionary=dictionary)
    with pytest.raises(DataError, match=r"row 2 and 1 more rows, column 'text': a text that is not UTF-8.*str\.decode"):
        read(path)


def test_a_value_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MAX_VALUE", 1000)
    path = _written(tmp_path / "a.parquet", {"text": ["x" * 1001, "y"]})
    with pytest.raises(DataError, match=r"column 'text': a value of 0 MiB\. Expected at most"):
        read(path)


def test_one_long_value_in_every_row_is_unpacked_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MAX_PIECE", 4000)
    path = _written(tmp_path / "a.parquet", {"text": ["x" * 1500] * 50, "n": list(range(50))})
    table = read(path)[0]
    assert table.column("n").to_pylist() == list(range(50))
    assert set(table.column("text").to_pylist()) == {"x" * 1500}
    assert max(len(chunk) for chunk in table.column("text").chunks) == 2


def test_a_packed_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "MAX_PACKED", 100)
    path = tmp_path / "a.parquet.gz"
    path.write_bytes(gzip.compress(b"\0" * 1000, mtime=0))
    with pytest.raises(DataError, match=r"unpacks to more than 0 MiB\. Unpack it first: gunzip"):
        read(path)
