"""graftwork.data.read.folders and archives: folders and zips of classes as tables."""

from __future__ import annotations

import os
import stat
import unicodedata
import zipfile
from pathlib import Path

import pytest

from graftwork.data.load import load, load_like
from graftwork.data.read.source import folder_of, notes_of, read
from graftwork.errors import DataError
from pictures import encoded, folder_of_classes, picture


def test_folders_are_classes(tmp_path: Path) -> None:
    folder = folder_of_classes(tmp_path / "photos")
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "x.png").touch()
    (folder / "dark" / "Thumbs.db").touch()
    (folder / "dark" / "deeper").mkdir()
    (folder / "dark" / "0.png").rename(folder / "dark" / "deeper" / "0.png")
    (folder / "notes.txt").touch()
    loaded = load(folder)
    table = loaded.table
    assert len(table) == 12
    assert table.folder == folder
    assert table.values("image")[5:7] == ["dark/deeper/0.png", "light/0.png"]
    assert table.values("label") == ["dark"] * 6 + ["light"] * 6
    assert {(c.name, c.kind, c.role) for c in table.schema.columns} == {
        ("image", "image", None),
        ("label", "category", "target"),
    }
    assert any("notes.txt" in note and "left out" in note for note in loaded.notes)
    assert not any("Thumbs" in note or "hidden" in note for note in loaded.notes)


def test_splits_get_their_role_by_themselves(tmp_path: Path) -> None:
    for part in ("train", "val", "test"):
        folder_of_classes(tmp_path / "photos" / part)
    schema = load(tmp_path / "photos").table.schema
    split = schema.role("split")
    assert split is not None
    assert split.name == "split"
    assert load(tmp_path / "photos", ignore=["split"]).table.schema.role("split") is None
    folder_of_classes(tmp_path / "photos" / "extra")
    with pytest.raises(DataError, match="splits test, train, val beside extra"):
        read(tmp_path / "photos")


def test_sounds_and_what_is_neither(tmp_path: Path) -> None:
    for name in ("a/1.wav", "b/2.flac"):
        (tmp_path / "sounds" / name).parent.mkdir(parents=True)
        (tmp_path / "sounds" / name).touch()
    assert read(tmp_path / "sounds")[0].to_pydict() == {"audio": ["a/1.wav", "b/2.flac"], "label": ["a", "b"]}
    (tmp_path / "sounds" / "a" / "1.jpg").touch()
    with pytest.raises(DataError, match="1 images and 2 sounds"):
        read(tmp_path / "sounds")
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"a folder without images or sounds. Expected"):
        read(tmp_path / "none")


def test_a_flat_folder_is_a_table_to_predict(tmp_path: Path) -> None:
    trained = load(folder_of_classes(tmp_path / "photos")).table.schema
    flat = load_like(tmp_path / "photos" / "dark", trained, with_target=False).table
    assert flat.values("image")[0] == "0.png"
    table = tmp_path / "photos" / "table.csv"
    table.write_text("photo,kind\n" + "".join(f"{c}/{n}.png,{c}\n" for c in ("dark", "light") for n in range(6)))
    named = load(table, target="kind").table.schema
    scored = load_like(tmp_path / "photos", named, with_target=True).table
    assert scored.values("kind")[0] == "dark"
    assert scored.values("photo")[0] == "dark/0.png"


def zipped(folder: Path, name: str = "photos.zip") -> Path:
    path = folder.parent / name
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder.parent))
    return path


def test_a_zip_is_a_folder(tmp_path: Path) -> None:
    path = zipped(folder_of_classes(tmp_path / "photos"))
    data, _ = read(path)
    assert data.column("image").to_pylist()[0] == "dark/0.png"
    folder = folder_of(path)
    assert folder is not None
    assert (folder / "dark" / "0.png").is_file()
    assert load(path).table.folder == folder


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "/etc/out.png", "C:\\out.png", "..\\out.png"])
def test_a_member_that_climbs_out_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/fine.png", b"x")
        archive.writestr(name, b"x")
    with pytest.raises(DataError, match=r"leads out of the folder. Nothing was unpacked"):
        read(path)
    assert not (tmp_path.parent / "out.png").exists()


def test_links_and_what_is_too_much_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("a/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(DataError, match=r"'a/link.png', which is a link"):
        read(path)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/zeros.png", bytes(3_000_000))
    monkeypatch.setenv("GRAFTWORK_CACHE_LIMIT_GB", "0.001")
    with pytest.raises(DataError, match=r"unpacks to more than .*GRAFTWORK_CACHE_LIMIT_GB"):
        read(bomb)
    (tmp_path / "no.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match="can't be unpacked"):
        read(tmp_path / "no.zip")


def test_names_that_are_not_utf_8_are_said(tmp_path: Path) -> None:
    folder = folder_of_classes(tmp_path / "photos")
    strange = os.fsencode(folder) + b"/dark/caf\xe9.png"
    with open(strange, "wb") as file:
        file.write((folder / "dark" / "0.png").read_bytes())
    data, _ = read(folder)
    assert len(data) == 12
    assert "1 file whose name is not UTF-8 (dark/caf" in notes_of(data)[0]
    assert "convmv" in notes_of(data)[0]
    os.mkdir(os.fsencode(folder) + b"/B\xe4r")
    os.rename(strange, os.fsencode(folder) + b"/B\xe4r/0.png")
    with pytest.raises(DataError, match=r"a class would be lost with 1 file whose name is not UTF-8"):
        read(folder)


def test_pipes_and_devices_in_a_folder_are_bad_rows(tmp_path: Path) -> None:
    folder = folder_of_classes(tmp_path / "photos")
    os.mkfifo(folder / "dark" / "pipe.png")
    (folder / "dark" / "zero.png").symlink_to("/dev/zero")
    with pytest.raises(DataError, match=r"2 rows of 14 can't be used"):
        load(folder)
    loaded = load(folder, on_bad_rows="skip")
    assert len(loaded.table) == 12


def test_class_folders_with_parted_accents_are_one_class(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        (tmp_path / "photos" / unicodedata.normalize(form, "été")).mkdir(parents=True)
        for at in range(2):
            name = tmp_path / "photos" / unicodedata.normalize(form, "été") / f"{form}{at}.png"
            name.write_bytes(encoded(picture()))
    assert set(read(tmp_path / "photos")[0].column("label").to_pylist()) == {unicodedata.normalize("NFC", "été")}
