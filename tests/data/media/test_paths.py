"""graftwork.data.media.paths: what a text names is told by its look and by the files that are there."""

from __future__ import annotations

import os
import time
import unicodedata
from pathlib import Path

import pytest

from command import QUICK, graft
from graftwork.data.load import load
from graftwork.data.media.media import MediaError, content
from graftwork.data.media.opening import formats
from graftwork.data.media.paths import kind_of, located, media_kind, refusal, shown_kind
from graftwork.errors import DataError
from pictures import encoded, picture
from tinysound import encoded as sound
from tinysound import tone

FORMS = {
    "a.jpg": "image",
    "photos/cat/1.JPEG": "image",
    "a.jfif": "image",
    "a.jpe": "image",
    "a.avif": "image",
    "a.jp2": "image",
    "a.pbm": "image",
    "my photos/cat/IMG_4000.HEIC": "image",
    "IMG 4000 (1).jpg": "image",
    "scan [2].tif": "image",
    "héllo/été.webp": "image",
    "猫/图片 1.png": "image",
    r"C:\Users\me\My Pictures\cat.PNG": "image",
    r"photos\dog\2.bmp": "image",
    r"\\server\share\x.gif": "image",
    "file:///home/me/a%20b.jpg": "image",
    "file://localhost/home/me/c.png": "image",
    "https://site.org/a/b.jpg": "image",
    "https://site.org/a/b.jpg?w=100&h=20": "image",
    "http://site.org/pic.PNG#top": "image",
    "s3://bucket/key/pic.webp": "image",
    "www.site.org/pic.png": "image",
    "//cdn.site.org/pic.png?v=2": "image",
    "img/logo.png?raw=true": "image",
    "./a.jpg": "image",
    "../other/a.jpg": "image",
    "~/pictures/a.jpg": "image",
    "  a.jpg  ": "image",
    '"a.jpg"': "image",
    "a.b.c.tiff": "image",
    "logo.svg": "image",
    "layers.psd": "image",
    "shot.DNG": "image",
    "camera/001.raw": "image",
    "icon.ico": "image",
    "game.tga": "image",
    "clip.mp4": "image",
    "phone/clip.MOV": "image",
    "data:image/png;base64,iVBORw0KGgo=": "image",
    "a.wav": "audio",
    "talks/Track 01.FLAC": "audio",
    "a.opus": "audio",
    "voice.m4a": "audio",
    "voice/1.aac": "audio",
    "song.WMA": "audio",
    "note.amr": "audio",
    "sounds/1.au": "audio",
    "file:///x/y.mp3": "audio",
    "https://site.org/a.ogg?dl=1": "audio",
    "tune.mid": None,
    "site.com.au": None,
    "https://firm.ai": None,
    "me@firm.com.au": None,
    "https://site.org/": None,
    "https://site.org/page.html": None,
    "https://[broken/x": None,
    "report.pdf": None,
    "script.py": None,
    ".png": None,
    "png": None,
    "3.14": None,
    "": None,
    "I like it.": None,
    "first line\nsecond.jpg": None,
    "x" * 5000 + ".jpg": None,
    "x" * 300 + ".jpg": None,
}


@pytest.mark.parametrize("text", FORMS, ids=lambda text: text[:30])
def test_what_the_look_of_a_text_tells(text: str) -> None:
    assert shown_kind(text) == FORMS[text]
    if text.strip():
        assert media_kind([text] * 3, None) == FORMS[text]


def test_most_values_decide() -> None:
    assert media_kind(["a.jpg", "b.heic", "none"], None) == "image"
    assert media_kind(["a.jpg", "none"], None) is None
    assert media_kind(["a.jpg", "b.wav"], None) is None
    assert media_kind([], None) is None


def test_files_without_an_ending_are_told_by_what_they_hold(tmp_path: Path) -> None:
    (tmp_path / "IMG1").write_bytes(encoded(picture()))
    (tmp_path / "CLIP").write_bytes(sound(tone(300, 0.1, 8000), 8000))
    (tmp_path / "words").write_text("some words")
    os.mkfifo(tmp_path / "pipe")
    assert media_kind(["IMG1"] * 3, tmp_path) == "image"
    assert media_kind(["CLIP"] * 3, tmp_path) == "audio"
    for nothing in ("words", "pipe", "none", "a\0b", "."):
        assert media_kind([nothing] * 3, tmp_path) is None
    assert media_kind(["IMG1"] * 3, None) is None


def test_every_way_to_write_a_path_finds_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    name = unicodedata.normalize("NFD", "café 1.png")
    (tmp_path / "my photos").mkdir()
    file = tmp_path / "my photos" / name
    file.write_bytes(b"held")
    composed = unicodedata.normalize("NFC", name)
    for text in (
        f"my photos/{name}",
        f"my photos/{composed}",
        f" ./my photos/{composed} ",
        f"my photos\\{composed}",
        f"~/my photos/{name}",
        str(file),
        f"{tmp_path}/my photos/{composed}",
        (tmp_path / "my photos").as_uri() + "/caf%C3%A9%201.png",
        f"file://localhost{tmp_path}/my photos/{name}",
        f"file:{tmp_path}/my%20photos/{name}",
        f'"my photos/{name}"',
        "my%20photos/caf%C3%A9%201.png",
    ):
        assert located(text, tmp_path).samefile(file), text
        assert content(text, tmp_path) == b"held"
    assert located("none.png", tmp_path) == tmp_path / "none.png"
    assert located("~nobody-of-this-name/x.png", tmp_path) == tmp_path / "~nobody-of-this-name/x.png"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("none.jpg", r"there is no file .*none\.jpg$"),
        ("there.JPG", r"there is no file .*there\.JPG\. Did you mean there\.jpg\?"),
        ("inside.jpg", r"no file .*inside\.jpg\. Did you mean deeper/inside\.jpg \(relative paths start at"),
        ("none.HEIC", r"no file .*none\.HEIC; and \.heic files can't be read: save them as \.jpg or \.png first"),
        ("none.m4a", r"\.m4a files can't be read: make them \.wav"),
        (r"C:\me\1.png", r"it is a path of Windows; put the files beside the table"),
        ("https://a.org/b.jpg?w=1", r"an address on the web or of a store; download it first"),
        ("s3://bucket/b.jpg", r"download it first"),
        ("a\0b.png", r"can't be read: embedded null"),
        ("x/" * 3000 + "a.png", r"can't be read: File name too long"),
        ("there.jpg/a.png", r"can't be read: Not a directory"),
        ("data:image/png;base64,@@", r"is no sound base64"),
    ],
)
def test_why_nothing_can_be_read(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "there.jpg").write_bytes(b"x")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "inside.jpg").write_bytes(b"x")
    with pytest.raises(MediaError, match=reason):
        content(text, tmp_path)


def test_what_acts_on_a_terminal_is_not_shown(tmp_path: Path) -> None:
    for text in ("a\x1b[31m.png", "a\x07.heic", "C:\\\x1b[2J.png", "https://a.org/\x1b[31m.png"):
        with pytest.raises(MediaError) as said:
            content(text, tmp_path)
        assert str(said.value).isprintable()


def test_endings_that_are_read_are_read_here(tmp_path: Path) -> None:
    for ending, form in {"jfif": "JPEG", "jp2": "JPEG2000", "avif": "AVIF", "pnm": "PPM", "apng": "PNG"}.items():
        if form not in formats():
            continue
        (tmp_path / f"a.{ending}").write_bytes(encoded(picture(), form))
        assert kind_of(f"a.{ending}") == "image"
        assert refusal(f"a.{ending}") is None
    assert refusal("a.psd") == ".psd files can't be read: save them as .png or .jpg first"
    assert "ffmpeg" in (refusal("a.mp4") or "")


NEVER_THERE = {
    "photo": ["my photos/cat/IMG_{}.HEIC", "a/{}.jfif", "{}.avif", "IMG ({}).jpg", "https://a.org/{}.jpg?w=100"],
    "clip": ["voice {}.aac", "talk/{}.m4a", "{}.wma", "{}.opus", "C:\\sounds\\{}.wav"],
}


@pytest.mark.parametrize(("name", "form"), [(name, form) for name, forms in NEVER_THERE.items() for form in forms])
@pytest.mark.parametrize("beside", [False, True])
def test_file_names_are_never_learned_as_words(tmp_path: Path, name: str, form: str, beside: bool) -> None:
    rows = [(form.format(at), "cat" if at % 2 else "dog", at * 7 % 13) for at in range(60)]
    lines = [f'"{path}",{label}' + (f",{age}" if beside else "") for path, label, age in rows]
    table = tmp_path / "rows.csv"
    table.write_text(f"{name},label" + (",age" if beside else "") + "\n" + "\n".join(lines) + "\n")
    ran = graft("fit", table, "--target", "label", *QUICK, "--out", tmp_path / "run")
    ran.fails(1, "60 rows of 60 can't be used", "there is no file|download it first")
    if beside:
        ran.fails(1, f"--ignore {name}")
    else:
        assert "--ignore" not in ran.err
    if form.endswith((".HEIC", ".aac", ".m4a", ".wma")):
        ran.fails(1, r"files can't be read: (save|make) them")
    ran = graft("fit", table, "--target", "label", *QUICK, "--on-bad-rows", "skip", "--out", tmp_path / "run")
    ran.fails(1, "none of the 60 rows can be used")


def test_names_beside_bytes_are_left_out(tmp_path: Path) -> None:
    held = encoded(picture())
    rows = {
        "image": [{"bytes": held, "path": f"{at}.png"} for at in range(20)],
        "file_name": [f"{at}.png" for at in range(20)],
        "label": ["cat", "dog"] * 10,
    }
    for cells in (rows["image"], [held] * 20):
        loaded = load({**rows, "image": cells}, target="label")
        assert [column.name for column in loaded.table.schema.inputs] == ["image"]
        assert "ignored: file_name (names of the files in image)" in loaded.notes
    there = tmp_path / "0.png"
    there.write_bytes(held)
    second = load({**rows, "file_name": [str(there)] * 20}, target="label")
    assert [column.name for column in second.table.schema.inputs] == ["image", "file_name"]
    named = {**rows, "clip": ["a.wav"] * 20}
    with pytest.raises(DataError, match=r"no file a\.wav"):
        load(named, target="label")


def test_a_class_that_goes_with_bad_rows_is_said(tmp_path: Path) -> None:
    for at in range(8):
        (tmp_path / f"{at}.png").write_bytes(encoded(picture(at)))
    rows = {
        "photo": [str(tmp_path / f"{at}.png") for at in range(8)] + ["gone/1.png", "gone/2.png"],
        "label": ["cat", "dog"] * 4 + ["fox"] * 2,
    }
    notes = load(rows, target="label", on_bad_rows="skip").notes
    assert any("no row is left of 1 of 3 in label: fox (2)" in note for note in notes)


def test_many_missing_files_cost_little(tmp_path: Path) -> None:
    for at in range(2000):
        (tmp_path / f"{at}.png").touch()
    began = time.process_time()
    for at in range(2000):
        with pytest.raises(MediaError):
            content(f"none{at}.png", tmp_path)
    assert time.process_time() - began < 2
