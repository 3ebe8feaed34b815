"""graftwork.data.read.archives: every broken or hostile zip is a clear error, and nothing is lost in silence."""

from __future__ import annotations

import contextlib
import zipfile
from pathlib import Path

import numpy as np
import pytest

from command import graft
from graftwork.data.read.source import notes_of, read
from graftwork.errors import DataError, GraftworkError
from pictures import encoded, picture

PICTURE = encoded(picture())


def zipped(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, held in members.items():
            archive.writestr(name, held)
    return path


def classes(**more: bytes) -> dict[str, bytes]:
    return {f"{name}/{at}.png": PICTURE for name in ("cat", "dog") for at in range(3)} | more


def test_other_files_are_named_as_for_a_folder(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", {f"photos/{k}": v for k, v in classes().items()} | {"photos/cat/notes.txt": b"x"})
    noted = notes_of(read(path)[0])
    assert noted == [f"left out of {path}, neither image nor sound by name: cat/notes.txt"]
    assert noted == notes_of(read(path)[0])


@pytest.mark.parametrize("packed", [True, False])
def test_formats_that_are_not_read_are_counted_by_class(tmp_path: Path, packed: bool) -> None:
    members = classes() | {f"dog/{at}.HEIC": b"x" for at in range(4)} | {"cat/a.psd": b"x", "cat/b.mp4": b"x"}
    path = zipped(tmp_path / "a.zip", members)
    if not packed:
        zipfile.ZipFile(path).extractall(tmp_path / "folder")
        path = tmp_path / "folder"
    noted = notes_of(read(path)[0])
    assert len(noted) == 1
    assert "4 .heic in dog" in noted[0]
    assert "1 .psd, 1 .mp4 in cat" in noted[0]
    assert "can't be read: " in noted[0]


@pytest.mark.parametrize("packed", [True, False])
def test_a_class_that_would_be_lost_stops(tmp_path: Path, packed: bool) -> None:
    members = classes() | {f"fox/{at}.HEIC": b"x" for at in range(4)}
    path = zipped(tmp_path / "a.zip", members)
    if not packed:
        zipfile.ZipFile(path).extractall(tmp_path / "folder")
        path = tmp_path / "folder"
    with pytest.raises(DataError, match=r"of the class fox no file can be read \(4 \.heic\)\. \.heic files can't be"):
        read(path)
    graft("fit", path, "--with", "none", "--out", tmp_path / "run").fails(1, "class fox", r"save them as \.jpg")
    split = zipped(tmp_path / "b.zip", {f"{part}/{k}": v for part in ("train", "test") for k, v in members.items()})
    with pytest.raises(DataError, match="of the class fox no file can be read"):
        read(split)


def test_nothing_that_is_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no image or sound that can be read, but 2 \.aac"):
        read(zipped(tmp_path / "a.zip", {"x/1.aac": b"x", "x/2.aac": b"y"}))
    with pytest.raises(DataError, match=r"no images or sounds, but photos\.zip\. Unpack that first"):
        read(zipped(tmp_path / "b.zip", {"photos.zip": b"PK"}))
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "1.heic").write_bytes(b"x")
    with pytest.raises(DataError, match=r"no image or sound that can be read, but 1 \.heic"):
        read(tmp_path / "c")


def test_a_zip_in_a_zip_is_named(tmp_path: Path) -> None:
    inner = zipped(tmp_path / "inner.zip", classes()).read_bytes()
    noted = notes_of(read(zipped(tmp_path / "a.zip", classes() | {"more.zip": inner}))[0])
    assert "more.zip" in noted[0]


def test_doubles(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    zipped(path, classes())
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("cat/0.png", PICTURE)
    assert len(read(path)[0]) == 6
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("cat/0.png", PICTURE + b"more")
    with pytest.raises(DataError, match=r"two members 'cat/0\.png' that differ"):
        read(path)
    with pytest.raises(DataError, match=r"'cat/0\.png' that is a file and a folder"):
        read(zipped(tmp_path / "b.zip", classes() | {"cat/0.png/1.png": PICTURE}))
    capitals = read(zipped(tmp_path / "c.zip", classes() | {"cat/A.png": PICTURE, "cat/a.png": PICTURE + b"x"}))[0]
    assert len(capitals) == 8


@pytest.mark.parametrize(
    ("name", "reason"),
    [("a/" + "x" * 300 + ".png", "no file can have"), ("a/" * 1200 + "b.png", "no file can have")],
)
def test_names_that_no_file_can_have(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read(zipped(tmp_path / "a.zip", classes() | {name: PICTURE}))


def test_terminal_escapes_in_names_are_not_shown(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", classes() | {"cat/\x1b[31mred.txt": b"x"})
    assert "\x1b" not in notes_of(read(path)[0])[0]
    with pytest.raises(DataError) as said:
        read(zipped(tmp_path / "b.zip", classes() | {"../\x1b[31m.png": b"x"}))
    assert "\x1b" not in str(said.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_broken_streams_name_the_member(tmp_path: Path, method: int) -> None:
    path = zipped(tmp_path / "a.zip", classes(), method)
    assert len(read(path)[0]) == 6
    content = bytearray(path.read_bytes())
    at = content.index(b"dog/1.png") + 9
    content[at + 20 : at + 60] = bytes(byte ^ 0xFF for byte in content[at + 20 : at + 60])
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"a\.zip, member 'dog/1\.png' can't be unpacked: .+ Pack it again"):
        read(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_changed_zips_are_read_or_refused(tmp_path: Path, method: int) -> None:
    whole = zipped(tmp_path / "whole.zip", classes() | {"猫/0.png": PICTURE}, method).read_bytes()
    rng = np.random.default_rng(method)
    for trial in range(60):
        changed = bytearray(whole)
        tail = rng.random() < 0.5
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(len(whole) * 3 // 4, len(whole))) if tail else int(rng.integers(0, len(whole)))
            changed[at] = int(rng.integers(0, 256))
        path = tmp_path / f"{trial}.zip"
        path.write_bytes(bytes(changed[: int(rng.integers(1, len(whole)))] if rng.random() < 0.2 else changed))
        with contextlib.suppress(GraftworkError):
            assert len(read(path)[0])


def test_encrypted(tmp_path: Path) -> None:
    content = bytearray(zipped(tmp_path / "a.zip", classes()).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(mark, at + 1)
    (tmp_path / "a.zip").write_bytes(bytes(content))
    with pytest.raises(DataError, match="it is encrypted"):
        read(tmp_path / "a.zip")


def test_a_bomb_stops_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_CACHE_LIMIT_GB", "0.01")
    path = zipped(tmp_path / "a.zip", {f"a/{at}.png": bytes(4_000_000) for at in range(20)})
    assert path.stat().st_size < 200_000
    with pytest.raises(DataError, match="unpacks to more than 0"):
        read(path)


def test_special_files_in_a_zip_become_plain_ones(tmp_path: Path) -> None:
    import stat

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, held in classes().items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFIFO | 0o4777) << 16
            archive.writestr(info, held)
    from graftwork.data.read.archives import unpacked

    file = unpacked(tmp_path / "a.zip") / "cat" / "0.png"
    assert file.read_bytes() == PICTURE
    assert not file.stat().st_mode & 0o7000


def test_predictions_of_a_zip_name_its_files(tmp_path: Path) -> None:
    from graftwork.data.read.archives import read_zip

    path = zipped(tmp_path / "a.zip", {"wrap/" + name: held for name, held in classes().items()})
    assert read_zip(path, "a.zip").column("image").to_pylist()[0] == "cat/0.png"
    assert notes_of(read_zip(path, "a.zip")) == []
