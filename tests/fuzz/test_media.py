"""Damaged images and sounds: each row is predicted or named as bad, in order, without a crash, a hang or a blow-up."""

from __future__ import annotations

import io
import resource
from pathlib import Path

import numpy as np
import pytest
import soundfile

from fuzz.examine import examine
from fuzz.mutations import damaged
from graftwork.model import Model
from pictures import encoded, picture

IMAGES = {
    "png": {},
    "jpeg": {"quality": 80},
    "gif": {},
    "bmp": {},
    "webp": {},
    "tiff": {"compression": "tiff_lzw"},
    "ppm": {},
}
SOUNDS = {
    "wav": "PCM_16",
    "flac": "PCM_16",
    "ogg": "VORBIS",
    "aiff": "PCM_24",
    "au": "ULAW",
    "caf": "PCM_16",
    "mp3": "MPEG_LAYER_III",
}
MOST_GROWTH = 1 << 30
"""Bytes that the process may grow by over all mutations of a kind."""


def sound(kind: str) -> bytes:
    file = io.BytesIO()
    samples = np.sin(np.arange(2400) * 0.3) * 0.5
    soundfile.write(file, np.stack([samples, 0.4 * samples], 1), 16_000, format=kind.upper(), subtype=SOUNDS[kind])
    return file.getvalue()


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    """One of images and one of sounds, with random weights."""
    return {kind: media_model(kind) for kind in ("image", "audio")}


@pytest.mark.parametrize("kind", IMAGES)
def test_damaged_images(kind: str, models: dict[str, Model], tmp_path: Path) -> None:
    whole = encoded(picture(3, 40, 30), kind.upper(), **IMAGES[kind])
    check(models["image"], "image", whole, tmp_path / f"a.{kind}")


@pytest.mark.parametrize("kind", SOUNDS)
def test_damaged_sounds(kind: str, models: dict[str, Model], tmp_path: Path) -> None:
    check(models["audio"], "audio", sound(kind), tmp_path / f"a.{kind}")


def check(model: Model, column: str, whole: bytes, path: Path) -> None:
    """Damaged bytes in a cell, and in a file that a cell names, beside a sound one."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def act(seed: int) -> None:
        content = damaged(whole, seed)
        value: bytes | str = content
        if seed % 2:
            path.write_bytes(content)
            value = str(path)
        found = model.predict_rows(
            [{column: whole}, {column: value}] if isinstance(value, bytes) else [{column: value}]
        )
        good = [answer is not None for answer in found.values]
        bad = {row.row for row in found.bad}
        assert good == [at + 1 not in bad for at in range(len(good))], "a row is neither predicted nor named as bad"
        assert all(len(row.reason) > 10 for row in found.bad)
        if len(good) == 2:
            assert good[0], "the row beside it is lost"

    examine(act).holds()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < MOST_GROWTH, f"{grown / 1e6:,.0f} MB for files of {len(whole):,} bytes"


def media_model(kind: str) -> Model:
    """Random weights, two classes."""
    import pyarrow as pa

    from graftwork.data.table import Column, Schema
    from graftwork.networks.base_settings import TrainingRows
    from graftwork.networks.bases.registry import parse_base
    from graftwork.networks.heads.rows import RowHead
    from graftwork.networks.network import Network
    from graftwork.recipe import Recipe
    from graftwork.tasks.classification import Classification

    spec = {"image": "small-cnn:width=8,blocks=1,size=16", "audio": "mel-cnn:width=4,layers=2,rate=8000,mels=16"}[kind]
    column = Column(kind, "image" if kind == "image" else "audio")
    encoder = parse_base(spec, column.kind).build(TrainingRows(list, (column,), None), 0)
    task = Classification().learn(pa.chunked_array([pa.array(["a", "b"])]), "made")
    network = Network({kind: encoder}, {"label": RowHead(encoder.width, task.outputs)}).eval()
    schema = Schema((column, Column("label", "category", "target")))
    return Model(recipe=Recipe(), schema=schema, network=network, tasks={"label": task}, temperature={"label": 1.0})
