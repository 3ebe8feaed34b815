"""graftwork.data.media.media: cells that hold or name files, and what is said of those that can't be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from graftwork.data.load import load, load_like
from graftwork.data.media import images, media
from graftwork.data.media.media import MediaError, content
from graftwork.errors import DataError
from pictures import encoded, picture


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Four rows: two good images, one cut off, one missing."""
    (tmp_path / "photos").mkdir()
    whole = encoded(picture(), "PNG")
    for name, held in (("a", whole), ("b", whole), ("cut", whole[:400])):
        (tmp_path / "photos" / f"{name}.png").write_bytes(held)
    rows = [
        "photos/a.png,x",
        "photos/b.png,y",
        "photos/cut.png,x",
        "photos/none.png,y",
        "photos/a.png,y",
        "photos/b.png,x",
    ]
    (tmp_path / "rows.csv").write_text("photo,label\n" + "\n".join(rows) + "\n")
    return tmp_path / "rows.csv"


def test_paths_start_at_the_tables_folder_and_bad_files_are_listed(table: Path) -> None:
    with pytest.raises(DataError) as said:
        load(table)
    message = str(said.value)
    assert "2 rows of 6 can't be used" in message
    assert "row 3, photo: " in message
    assert "photos/cut.png: an image that is damaged or cut off" in message
    assert "row 4, photo: there is no file " in message
    assert "photos/none.png" in message
    loaded = load(table, on_bad_rows="skip")
    assert loaded.table.rows.tolist() == [1, 2, 5, 6]
    kept = load_like(table, loaded.table.schema, with_target=False, on_bad_rows="keep")
    assert [bad.row for bad in kept.bad] == [3, 4]


def test_files_are_decoded_for_the_check_once_and_again_when_they_change(table: Path, monkeypatch) -> None:
    seen: list[int] = []
    real = images.examine
    monkeypatch.setattr(images, "examine", lambda held: (seen.append(1), real(held))[1])
    load(table, on_bad_rows="skip")
    first = len(seen)
    load(table, on_bad_rows="skip")
    assert first == 5
    assert len(seen) == first
    (table.parent / "photos" / "cut.png").write_bytes(encoded(picture(3)))
    assert load(table, on_bad_rows="skip").table.rows.tolist() == [1, 2, 3, 5, 6]


def test_mixed_kinds_name_the_rows_that_are_none(table: Path) -> None:
    mixed = {"photo": ["photos/a.png", "photos/b.png", "a nice red car", "photos/a.png"], "label": ["x", "y", "x", "y"]}
    with pytest.raises(DataError, match=r"row 3, photo: there is no file .*a nice red car"):
        load({**mixed, "photo": [str(table.parent / v) if "/" in v else v for v in mixed["photo"]]})


def test_an_empty_column_is_no_input() -> None:
    rows = {"photo": [None] * 4, "text": ["one a", "two b", "three c", "four d"], "label": ["x", "y"] * 2}
    with pytest.raises(DataError, match="column 'photo' has no value in any row"):
        load(rows, inputs=["photo"], target="label")
    with pytest.raises(DataError, match="can't be used"):
        load({"photo": [encoded(picture()), None] * 2, "label": ["x", "y"] * 2}, target="label")


def test_content(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"held")
    assert content("a.png", tmp_path) == content(str(tmp_path / "a.png"), None) == b"held"
    assert content({"bytes": None, "path": "a.png"}, tmp_path) == content({"bytes": b"held", "path": "x"}, None)
    assert content("", tmp_path) is content(None, None) is content(b"", None) is None
    with pytest.raises(MediaError, match="address on the web"):
        content("https://example.org/a.png", tmp_path)
    for strange in ("a\0b.png", "x" * 5000):
        with pytest.raises(MediaError, match="can't be read"):
            content(strange, tmp_path)


def test_images_in_memory_are_rows() -> None:
    arrays = np.zeros((4, 6, 5), np.uint8)
    for photos in (arrays, list(arrays), [picture()] * 4):
        loaded = load({"photo": photos, "label": ["x", "y"] * 2})
        assert [column.kind for column in loaded.table.schema.inputs] == ["image"]
        assert images.decode(content(loaded.table.values("photo")[0], None) or b"").mode == "RGB"
    schema = loaded.table.schema
    assert len(load_like(arrays, schema, with_target=False).table) == 4
    assert len(load_like([picture()], schema, with_target=False).table) == 1
    with pytest.raises(DataError, match=r"row 2, column 'photo': an array of complex64"):
        load({"photo": [arrays[0], arrays[0].astype(np.complex64)], "label": ["x", "y"]})


def test_digest_follows_the_files(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"one")
    column = pa.chunked_array([pa.array(["a.png", None])])
    before = media.content_digest(column, tmp_path)
    assert media.content_digest(column, tmp_path) == before
    (tmp_path / "a.png").write_bytes(b"three")
    assert media.content_digest(column, tmp_path) != before


def test_what_a_reader_sees() -> None:
    cells = pa.array([{"bytes": b"abc", "path": "a.png"}, {"bytes": b"abcd", "path": None}, None])
    assert media.described(pa.chunked_array([cells])) == ["a.png", "4 bytes", ""]
    assert media.described(pa.chunked_array([pa.array([b"abc", None])])) == ["3 bytes", ""]
    assert media.described(pa.chunked_array([pa.array(["a.png", None])])) == ["a.png", ""]


def test_images_of_one_colour_are_said(tmp_path: Path) -> None:
    for name, image in (("a", picture(1)), ("b", Image.new("RGB", (64, 48), "white")), ("c", picture(2))):
        (tmp_path / f"{name}.jpg").write_bytes(encoded(image, "JPEG"))
    dotted = Image.new("L", (64, 48), 255)
    dotted.putpixel((9, 9), 200)
    (tmp_path / "d.png").write_bytes(encoded(dotted, "PNG"))
    deep = Image.fromarray(np.full((8, 8), 3000, np.uint16))
    (tmp_path / "e.png").write_bytes(encoded(deep, "PNG"))
    names = [f"{name}.{'png' if name in 'de' else 'jpg'}" for name in "abcde"] * 2
    (tmp_path / "rows.csv").write_text("photo,label\n" + "".join(f"{name},x\n{name},y\n" for name in names))
    [note] = [note for note in load(tmp_path / "rows.csv").notes if "one colour" in note]
    assert note == (
        "photo: 8 of 20 images have one colour all over, so that they show nothing "
        "(rows 3, 4, 9, 10, 13, 14, 19, 20); look at them, and leave out what is broken"
    )


def test_a_line_in_a_white_page_is_no_plain_image() -> None:
    page = Image.new("RGB", (800, 800), "white")
    page.putpixel((401, 3), (250, 250, 250))
    assert not images.examine(encoded(page, "PNG"))
    page.paste("black", (100, 100, 700, 103))
    assert not images.examine(encoded(page, "JPEG"))
    assert images.examine(encoded(Image.new("RGB", (800, 800), "white"), "JPEG"))
