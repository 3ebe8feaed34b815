"""graftwork.data.read.zip_names: class names in zips come out as they were written, whatever system packed them."""

from __future__ import annotations

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from command import graft
from graftwork.data.read.source import notes_of, read
from pictures import encoded, picture

PICTURE = encoded(picture())


def packed(path: Path, names: Sequence[str], encoding: str, *, rows: int = 2, slash: str = "/") -> Path:
    """A zip of pictures in folders of these names, in an encoding that it does not tell."""
    return raw_zip(path, [f"{name}{slash}{at}.png".encode(encoding) for name in names for at in range(rows)])


def raw_zip(path: Path, names: Sequence[bytes], held: bytes = PICTURE) -> Path:
    """A zip of members whose names are these bytes, without a flag."""
    with zipfile.ZipFile(path, "w") as archive:
        for at in range(len(names)):
            archive.writestr(zipfile.ZipInfo(f"{at:08d}" + "x" * (len(names[at]) - 8)), held)
    content = path.read_bytes()
    for at, name in enumerate(names):
        given = (f"{at:08d}" + "x" * (len(name) - 8)).encode()
        assert len(given) == len(name), "names of 8 bytes or more, please"
        content = content.replace(given, name)
    path.write_bytes(content)
    return path


WRITTEN = {
    "utf-8": [["猫", "狗狗"], ["Bär", "Möwe"], ["кошка", "собака"]],
    "gb18030": [["猫猫", "狗"], ["苹果", "香蕉"], ["正常", "异常"], ["玫瑰", "蒲公英"], ["楷书", "隶书"]],
    "cp932": [["猫猫", "犬"], ["ねこ", "いぬ"], ["表面", "裏"], ["ソニー", "シャープ"], ["正常", "異常"]],
    "big5": [["貓貓", "狗"], ["蘋果", "香蕉"], ["正常", "異常"]],
    "cp949": [["고양이", "강아지"], ["사과", "바나나"], ["정상", "불량"]],
    "cp1252": [["Bär", "Möwe"], ["café", "thé"], ["niño", "niña"], ["Äpfel", "Öle"]],
    "cp850": [["Bär", "Möwe"], ["café", "thé"], ["niño", "niña"]],
    "cp1250": [["żaba", "kůň"], ["łoś", "żaba"]],
    "cp1251": [["кошка", "собака"], ["Яблоко", "Груша"]],
    "cp866": [["кошка", "собака"], ["Яблоко", "Груша"]],
    "cp1253": [["γάτα", "σκύλος"]],
    "cp437": [["Bär", "Möwe"]],
}


@pytest.mark.parametrize(("encoding", "names"), [(e, names) for e, lists in WRITTEN.items() for names in lists])
def test_names_are_what_they_were(tmp_path: Path, encoding: str, names: list[str]) -> None:
    made = [f"{name}-class" if len(name.encode(encoding)) < 3 else name for name in names]
    table, _ = read(packed(tmp_path / "a.zip", made, encoding))
    assert sorted(set(table.column("label").to_pylist())) == sorted(made)
    assert "names that don't say their encoding are read as" in notes_of(table)[0]
    assert any(name in notes_of(table)[0] for name in made)


def test_backslashes_separate_folders_and_not_within_a_character(tmp_path: Path) -> None:
    table, _ = read(packed(tmp_path / "a.zip", ["cat", "dogs"], "ascii", slash="\\"))
    assert table.column("label").to_pylist() == ["cat"] * 2 + ["dogs"] * 2
    assert notes_of(table) == []
    table, _ = read(packed(tmp_path / "b.zip", ["表面", "ソフト"], "cp932", slash="\\"))
    assert sorted(set(table.column("label").to_pylist())) == sorted(["表面", "ソフト"])


def test_names_that_say_what_they_are(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("猫/0.png", PICTURE)
        archive.writestr(unicodedata.normalize("NFD", "été/0.png"), PICTURE)
    table, _ = read(tmp_path / "a.zip")
    assert table.column("label").to_pylist() == sorted([unicodedata.normalize("NFC", "été"), "猫"])
    assert notes_of(table) == []
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:  # a field with the name in UTF-8, as Info-ZIP writes it
        for name in ("cat", "dog"):
            old = f"{name}/0.png".encode()
            new = f"{name}-é/0.png".encode()
            info = zipfile.ZipInfo(old.decode())
            info.extra = struct.pack("<HHBI", 0x7075, 5 + len(new), 1, zlib.crc32(old)) + new
            archive.writestr(info, PICTURE)
    assert read(tmp_path / "b.zip")[0].column("label").to_pylist() == ["cat-é", "dog-é"]


def test_names_that_nobody_can_tell_are_said(tmp_path: Path) -> None:
    table, _ = read(raw_zip(tmp_path / "a.zip", [b"\xb2\x95\xf7\xd7\xd7/0.png", b"\xb2\x95\xf7\xd7\xd7/1.png"]))
    assert "if these are no words, pack the files again with UTF-8 names" in notes_of(table)[0]


def test_what_a_mac_leaves_in_a_zip_is_passed_over(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("photos/cat/0.png", "__MACOSX/photos/cat/._0.png", "photos/.DS_Store", "photos/dog/0.png"):
            archive.writestr(name, PICTURE)
    table, _ = read(tmp_path / "a.zip")
    assert table.column("image").to_pylist() == ["cat/0.png", "dog/0.png"]
    assert notes_of(table) == []


def test_the_command_line_says_how_names_were_read(tmp_path: Path) -> None:
    ran = graft("plan", packed(tmp_path / "a.zip", ["猫猫", "狗狗"], "gb18030", rows=10), "--with", "none").works()
    assert "are read as GB18030 (Chinese: GBK, GB2312): 猫猫, 狗狗" in ran.out + ran.err
