"""Files that are missing, of another kind, in another encoding, or damaged."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather

from graftwork.data.read.decoding import with_encoding
from graftwork.data.read.source import read
from graftwork.errors import DataError


def _refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read(path)


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("text\na\n")
    with pytest.raises(DataError, match=r"There is no file .*trian.csv. Did you mean train.csv\?"):
        read(tmp_path / "trian.csv")
    with pytest.raises(DataError, match=r"The folder holds: train.csv\."):
        read(tmp_path / "xyz")
    with pytest.raises(DataError, match=r"the folder .*nowhere does not exist"):
        read(tmp_path / "nowhere" / "train.csv")
    with pytest.raises(DataError, match=r"is a folder, not a file. Name one file in it: train.csv"):
        read(tmp_path)


def test_a_pipe_is_not_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="is a pipe or a device"):
        read(tmp_path / "pipe.csv")


def test_a_text_is_not_a_file_name() -> None:
    with pytest.raises(DataError, match="put it into a list"):
        read("where is my card?")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "is empty"),
        (
            "a.csv",
            "t\nok\ncafé ole\n".encode("latin-1"),
            r"line 3 \(byte 8\): not UTF-8.*Windows-1252.*reads: café ole.*--encoding cp1252",
        ),
        (
            "a.csv",
            "t\n价格比较不错\n".encode("gbk"),
            r"line 2 \(byte 2\).*GB18030.*reads: 价格比较不错.*--encoding gb18030 \(in Python encoding='gb18030'\)",
        ),
        ("a.csv", ("价格比较不错\n" * 9).encode() + b"x\xffy\n", r"line 10 .*The rest is UTF-8.*iconv -c"),
        ("a.csv", "价格".encode()[:-1], "ends in the middle of a character"),
        ("a.csv", "text,label\na,b\n".encode("utf-16-be"), "is UTF-16-BE, not UTF-8. .*--encoding utf-16-be"),
        ("a.csv", "text,label\n价格,b\n".encode("utf-16-le"), "is UTF-16-LE, not UTF-8. .*--encoding utf-16-le"),
        ("a.csv.gz", b"text,label\n", "not a sound gzip file"),
        ("a.csv.gz", gzip.compress(b"text\n" + bytes(range(32, 127)) * 50, mtime=0)[:60], "is cut off"),
        (
            "a.csv.gz",
            gzip.compress("t\ncafé ole\n".encode("latin-1"), mtime=0),
            r"line 2.*--encoding cp1252",
        ),
        ("a.parquet", b"PAR1 nothing", "not a sound parquet file"),
        ("a.xlsx", b"PK\x03\x04....", "not a sound Excel workbook.*Save the sheet as 'CSV UTF-8'"),
        ("a.xls", b"\xd0\xcf\x11\xe0....", "an old Excel workbook.*Save the sheet as 'CSV UTF-8'"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0....", "an old Excel workbook .*or one with a password"),
        ("a.ods", b"PK\x03\x04....", "Save the sheet as 'CSV UTF-8'"),
        ("a.sav", b"$FL2@(#)\x00\x00", r"pandas.read_spss\('a.sav'\).to_csv\('a.csv'"),
        ("a.pkl", b"\x80\x04\x00\x00", "A pickle can run any program"),
        ("a.txt", b"only a text\n", "extension '.txt', and seems to hold plain text.*header line"),
        ("a.foo", b"text,label\na,b\n", "extension '.foo', and seems to hold csv.*Rename it to end in .csv"),
        ("a.foo", b"text\tlabel\n", "Rename it to end in .tsv"),
        ("a.foo", b'{"text": 1}\n', "Rename it to end in .jsonl"),
        ("a.arrow", b"ARROW1....", "not a sound Arrow file"),
        ("a", b"hello\n", "no extension, and seems to hold plain text.*header line"),
        ("a.bin", b"\x00\x01\x02", "binary data"),
        ("a.gz", gzip.compress(b"x", mtime=0), "no extension|extension"),
    ],
)
def test_refused_with_what_to_do(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    _refused(tmp_path, name, content, message)


def test_not_utf8_far_behind_the_first_block(tmp_path: Path) -> None:
    line = "价" * 50 + "\n"
    content = ("t\n" + line * 20_000).encode() + b"\xff\n"
    _refused(tmp_path, "a.csv", content, rf"line 20002 \(byte {len(content) - 2:,}\)")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", "text\tlabel\na, b\tx\nc\ty\n"),
        ("a.txt", 'text,label\n"a, b",x\nc,y\n'),
        ("a.dat", "text|label\na, b|x\nc|y\n"),
        ("a.tab", "text\tlabel\na, b\tx\nc\ty\n"),
        ("a.txt", '{"text": "a, b", "label": "x"}\n{"text": "c", "label": "y"}\n'),
    ],
)
def test_endings_that_say_nothing(tmp_path: Path, name: str, content: str) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):  # UTF-16: "Unicode Text" of Excel
        if encoding != "utf-16" or "{" not in content:
            (tmp_path / name).write_text(content, encoding=encoding)
            assert read(tmp_path / name)[0].to_pylist() == [{"text": "a, b", "label": "x"}, {"text": "c", "label": "y"}]


def test_arrow_and_feather(tmp_path: Path) -> None:
    table = pa.table({"text": ["a", "b"], "n": [1, 2]})
    feather.write_feather(table, tmp_path / "a.feather")
    with pa.OSFile(str(tmp_path / "b.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    with pa.OSFile(str(tmp_path / "c.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    for name in ("a.feather", "b.arrow", "c.arrow"):
        assert read(tmp_path / name)[0].to_pydict() == table.to_pydict()


def test_utf16_that_says_so_is_read(tmp_path: Path) -> None:
    for code in ("utf-16", "utf-32"):
        (tmp_path / "a.csv").write_bytes("text,label\n价格,b\n".encode(code))
        assert read(tmp_path / "a.csv")[0].to_pylist() == [{"text": "价格", "label": "b"}]


def test_a_named_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\n価格,良い\n".encode("cp932"))
    assert read(with_encoding(path, "shift_jis"))[0].to_pylist() == [{"text": "価格", "label": "良い"}]
    with pytest.raises(DataError, match=r"line 2 \(byte 1\d\): not utf-16, as --encoding says|not utf-16"):
        read(with_encoding(path, "utf-16"))
    with pytest.raises(DataError, match=r"line 2 \(byte 11\): not ascii, as --encoding says. It is probably Shift-JIS"):
        read(with_encoding(str(path), "ascii"))
    assert with_encoding({"text": ["a"]}, "cp1252") == {"text": ["a"]}
    assert with_encoding(path, None) is path


def test_utf8_is_not_read_as_something_else(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\n" + "café très agréable,bon\n" * 5, encoding="utf-8")
    with pytest.raises(DataError, match=r"is UTF-8 \(it holds éè\), not cp1252, as --encoding says. Leave"):
        read(with_encoding(path, "cp1252"))
    assert len(read(with_encoding(path, "utf-8"))[0]) == 5


def test_damaged_columns_of_an_arrow_file_do_not_end_the_process(tmp_path: Path) -> None:
    """Offsets and codes that lead out of memory: of a list, a struct of texts, a dictionary."""
    offsets = pa.py_buffer(np.array([0, 1 << 30, 2], np.int32).tobytes())
    items = pa.array([1, 2])
    lists = pa.ListArray.from_buffers(pa.list_(pa.int64()), 2, [None, offsets], children=[items])
    codes = pa.DictionaryArray.from_buffers(
        pa.dictionary(pa.int32(), pa.string()),
        2,
        [None, pa.py_buffer(np.array([0, 1 << 28], np.int32).tobytes())],
        pa.array(["a"]),
    )
    inner = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"ab"))
    for damaged in (lists, codes, pa.StructArray.from_arrays([inner], ["x"])):
        table = pa.table({"label": pa.array(["a", "b"]), "x": damaged})
        path = tmp_path / "d.arrow"
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        with pytest.raises(DataError, match="not a sound Arrow file"):
            read(path)
