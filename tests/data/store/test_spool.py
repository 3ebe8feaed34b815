"""Large tables lie on disk; a full or closed cache folder says so."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from graftwork.data.store import spool
from graftwork.errors import DataError

TABLE = pa.table({"text": [f"text {i}" for i in range(1000)], "n": list(range(1000))})


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path))
    monkeypatch.setattr(spool, "MEMORY_BYTES", 100)
    return tmp_path


@pytest.mark.parametrize("limit", [100, 10**9])
@pytest.mark.usefixtures("cache")
def test_take_is_the_same_in_memory_and_on_disk(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(spool, "MEMORY_BYTES", limit)
    monkeypatch.setattr(spool, "SLICE_ROWS", 7)
    indices = np.random.default_rng(0).integers(0, 1000, 500)
    assert spool.take(TABLE, indices).to_pylist() == TABLE.take(pa.array(indices)).to_pylist()
    assert len(spool.take(TABLE, indices[:0])) == 0


def test_slices_cover_a_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "SLICE_ROWS", 3)
    column = pa.chunked_array([list(range(5)), [], list(range(5, 12))], pa.int64())
    parts = list(spool.slices(column))
    assert max(map(len, parts)) == 3
    assert [value for part in parts for value in part.to_pylist()] == list(range(12))


def test_a_full_disk_names_the_folder_and_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def write_batch(self, batch: object) -> None:  # noqa: ARG002
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(pa.ipc, "new_file", lambda *_: Full())
    with pytest.raises(DataError, match=r"No space left to write .*spool \(.* MB free\).*GRAFTWORK_CACHE"):
        spool.take(TABLE, np.arange(1000))
    assert list((cache / "spool").iterdir()) == []


@pytest.mark.usefixtures("cache")
def test_a_cache_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert spool.take(TABLE, np.arange(1000)).equals(TABLE.take(pa.array(range(1000)))), "among the temporary files"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.raises(DataError, match="can't be written"):
        spool.take(TABLE, np.arange(1000))
