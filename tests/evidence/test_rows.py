"""graftwork.evidence.rows: rows with their file, their values by column, small pictures and short sounds."""

from __future__ import annotations

import base64
import io

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from graftwork.data.table import Column, Schema, Table
from graftwork.evidence.rows import row_views
from tinysound import encoded, tone


def picture(width: int = 400, height: int = 200) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    return file.getvalue()


def table(**columns: list[object]) -> Table:
    kinds = {"text": "text", "price": "number", "city": "category", "photo": "image", "voice": "audio"}
    schema = Schema(tuple(Column(name, kinds[name]) for name in columns))  # type: ignore[arg-type]
    data = pa.table({name: pa.array(values) for name, values in columns.items()})
    return Table(data, schema, "homes.csv", np.arange(11, 11 + len(data)))


def test_values_stand_under_their_columns() -> None:
    found = row_views(table(text=["a\nb\x1b[31m"], price=[5858000.0], city=[None]), [11, 99])
    assert set(found) == {11}
    assert found[11].place == "homes.csv, row 11"
    assert [(cell.column, cell.text) for cell in found[11].cells] == [
        ("text", "a b\\x1b[31m"),
        ("price", "5,858,000"),
        ("city", ""),
    ]


@pytest.mark.parametrize(("value", "text"), [(1975, "1975"), (12000, "12,000"), (0.5, "0.5"), (None, "")])
def test_numbers_are_written_out(value: float | None, text: str) -> None:
    assert row_views(table(price=[value, 1.0]), [11])[11].cells[0].text == text


def test_pictures_are_small_and_their_bytes_are_capped() -> None:
    several = table(photo=[picture()] * 4)
    found = row_views(several, [11, 12, 13, 14], most_bytes=2_000)
    (cell,) = found[11].cells
    assert cell.text == ""  # a number of bytes says nothing to a reader who sees the picture
    kind, _, data = cell.media.partition(",")
    assert kind == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(data))).size == (112, 56)
    shown = [one.cells[0].media for one in found.values()]
    assert any(shown)
    assert not all(shown)
    assert found[14].cells[0].text.endswith("bytes")


def test_sounds_are_short() -> None:
    import soundfile

    long = encoded(tone(440.0, seconds=20.0))
    (cell,) = row_views(table(voice=[long]), [11])[11].cells
    kind, _, data = cell.media.partition(",")
    assert kind == "data:audio/mpeg;base64"
    assert soundfile.info(io.BytesIO(base64.b64decode(data))).duration == pytest.approx(8.0, abs=0.3)


def test_a_picture_that_cannot_be_read_is_left_out() -> None:
    (cell,) = row_views(table(photo=[b"no picture", picture()]), [11])[11].cells
    assert cell.media == ""
