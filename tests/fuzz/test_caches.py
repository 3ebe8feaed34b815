"""A damaged cache costs time and nothing else: the same answers come, to the bit, and the entry is made anew."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

import graftwork as gw
from fuzz.examine import examine
from fuzz.mutations import damaged
from graftwork.data.store import entries
from tiny import tiny_bert, tiny_rows

PICTURES, TEXTS = "pictures", "texts"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own; tables are spooled to it however small they are."""
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.slow
def test_damaged_entries(cache: Path, tmp_path: Path) -> None:
    """Any file of any entry, cut, emptied, zeroed or turned, between two fits of one table."""
    base, table = tiny_bert(tmp_path / "base"), {"text": [], "label": []}
    for text, label in tiny_rows(40):
        table["text"].append(text)
        table["label"].append(label)
    recipe = gw.Recipe(
        base=str(base),
        techniques=[gw.Partial(1), gw.WarmStart()],
        training=gw.Training(steps=2, batch=8, precision="fp32"),
    )
    whole = tmp_path / "whole"

    def probabilities() -> np.ndarray:
        entries._known.clear()  # as a new process begins
        return np.asarray(gw.fit(table, target="label", recipe=recipe).predict_proba(table["text"]))

    expected = probabilities()
    shutil.copytree(cache, whole)
    files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file())
    assert files, "nothing was cached"

    def act(seed: int) -> None:
        shutil.rmtree(cache)
        shutil.copytree(whole, cache)
        draw = random.Random(seed)
        path = cache / draw.choice(files)
        content = path.read_bytes()
        path.write_bytes(draw.choice((b"", b"\0" * len(content), content[: len(content) // 2], damaged(content, seed))))
        if draw.random() < 0.1:
            path.unlink()
        np.testing.assert_array_equal(probabilities(), expected)

    examine(act).holds()


def test_damaged_zips_of_the_cache(cache: Path, tmp_path: Path) -> None:
    """The unpacked files of a zip."""
    from fuzz.test_archives import CLASSES, archive
    from graftwork.data.load import load
    from pictures import encoded, picture

    path = tmp_path / "photos.zip"
    path.write_bytes(archive(CLASSES, encoded(picture(1, 12, 10))))
    names = load(path).table.values("image")
    files = sorted(file.relative_to(cache) for file in cache.rglob("*.png"))
    assert len(files) == 6

    def act(seed: int) -> None:
        draw = random.Random(seed)
        file = cache / draw.choice(files)
        content = file.read_bytes()
        if draw.random() < 0.5:
            file.unlink()
        else:
            file.write_bytes(draw.choice((b"", b"\0" * len(content), damaged(content, seed))))
        entries._known.clear()
        found = load(path)
        assert found.table.values("image") == names
        assert len(found.table) == 6

    examine(act).holds()
