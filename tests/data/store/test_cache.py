"""The cache folder: keys, limits, and full disks."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from command import graft, topics
from graftwork.data.store import cache, ragged
from graftwork.data.store.cache import full_disk
from graftwork.errors import DataError, UsageError
from tiny import tiny_model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _fill(folder: Path, section: str, key: str, size: int, used: float) -> Path:
    entry = folder / section / key
    entry.mkdir(parents=True)
    (entry / "values.bin").write_bytes(bytes(size))
    os.utime(entry, (used, used))
    return entry


def test_the_folder_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRAFTWORK_CACHE", "~/here")
    assert cache.cache_dir() == Path.home() / "here"
    monkeypatch.delenv("GRAFTWORK_CACHE")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache.cache_dir() == tmp_path / "graftwork"
        monkeypatch.delenv("XDG_CACHE_HOME")
        assert cache.cache_dir() == Path.home() / ".cache" / "graftwork"


def test_prune_deletes_the_least_recently_used(folder: Path) -> None:
    old = _fill(folder, "prepared", "a", 100, 1000)
    new = _fill(folder, "frozen", "b", 100, 3000)
    middle = _fill(folder, "prepared", "c", 100, 2000)
    assert cache.prune(10_000) == 0
    assert cache.prune(200) == 100
    assert [path.exists() for path in (old, middle, new)] == [False, True, True]
    cache.entry("prepared", "c")  # used just now
    assert cache.prune(100) == 100
    assert [path.exists() for path in (middle, new)] == [True, False]


def test_prune_leaves_what_is_being_written_and_takes_what_was_left_behind(folder: Path) -> None:
    dead = _fill(folder, "prepared", "a.partial-1", 100, 1000)
    live = _fill(folder, "prepared", "b.partial-2", 100, time.time())
    cache.prune(0)
    assert not dead.exists()
    assert live.exists()


def test_prune_of_no_cache(folder: Path) -> None:
    assert cache.prune(0) == 0
    assert not folder.exists()


def test_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRAFTWORK_CACHE_LIMIT_GB", raising=False)
    assert cache.limit_bytes() == 5_000_000_000
    monkeypatch.setenv("GRAFTWORK_CACHE_LIMIT_GB", "0.5")
    assert cache.limit_bytes() == 500_000_000
    monkeypatch.setenv("GRAFTWORK_CACHE_LIMIT_GB", "5 GB")
    with pytest.raises(UsageError, match=r"GRAFTWORK_CACHE_LIMIT_GB is '5 GB'. Expected a number"):
        cache.limit_bytes()


def test_digest_tells_parts_types_and_shapes_apart() -> None:
    zeros = np.zeros(4, np.float32)
    keys = [
        cache.digest("ab", "c"),
        cache.digest("a", "bc"),
        cache.digest(zeros),
        cache.digest(zeros.reshape(2, 2)),
        cache.digest(zeros.astype(np.int32)),
    ]
    assert len(set(keys)) == len(keys)
    assert cache.digest(zeros) == cache.digest(np.zeros(8, np.float32)[::2])
    assert cache.digest("a") == cache.digest(b"a")


_TEXTS = st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=12)


@given(values=_TEXTS, cut=st.integers(0, 12), other=_TEXTS)
def test_column_digest_depends_on_values_only(values: list[str | None], cut: int, other: list[str | None]) -> None:
    whole = pa.chunked_array([values], pa.string())
    parts = pa.chunked_array([values[:cut], values[cut:]], pa.large_string())
    sliced = pa.chunked_array([pa.array(["x", None, *values, "y"], pa.string()).slice(2, len(values))])
    assert cache.column_digest(whole) == cache.column_digest(parts) == cache.column_digest(sliced)
    different = pa.chunked_array([other], pa.string())
    assert (cache.column_digest(whole) == cache.column_digest(different)) == (values == other)


def test_storing_names_the_way_out(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No space left.*set GRAFTWORK_CACHE"), cache.storing(folder / "prepared"):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(DataError, match=r"No space left.*choose a folder"), cache.storing(tmp_path / "runs"):
        raise OSError(errno.EDQUOT, "Quota exceeded")
    with pytest.raises(DataError, match="can't be written: Read-only"), cache.storing(folder):
        raise OSError(errno.EROFS, "Read-only file system")
    with pytest.raises(OSError, match="something else"), cache.storing(folder):
        raise OSError(errno.EIO, "something else")


def test_a_short_write_without_errno_on_a_full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "free_bytes", lambda _: 0)
    with pytest.raises(DataError, match="No space left"), cache.storing(folder):
        raise OSError("100 requested and 10 written")


def test_ragged_rows_are_whole_or_absent(folder: Path) -> None:
    rows = [np.arange(n, dtype=np.int32) for n in (3, 0, 5)]
    mapped = ragged.write(folder / "prepared" / "key", [rows[:2], rows[2:]], "int32")
    assert [row.tolist() for row in mapped.rows([0, 1, 2])] == [row.tolist() for row in rows]
    assert mapped.lengths.tolist() == [3, 0, 5]

    def broken() -> Iterator[Sequence[np.ndarray]]:
        yield rows
        raise ValueError("tokenizer failed")

    with pytest.raises(ValueError, match="tokenizer failed"):
        ragged.write(folder / "prepared" / "other", broken(), "int32")
    assert [path.name for path in (folder / "prepared").iterdir()] == ["key"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_ragged_on_a_full_disk(folder: Path) -> None:
    full = open("/dev/full", "wb", buffering=0)  # noqa: SIM115 - closed below
    with full, pytest.raises(DataError, match="No space left"), cache.storing(folder):
        ragged._write_all(full, b"x" * 100)


def test_room_for_rows_is_reserved_before_it_is_filled(folder: Path) -> None:
    folder.mkdir()
    room = ragged.allocate(folder, np.array([2, 0, 3]), "float32", (4,))
    room.values[:] = 1.0
    assert (folder / "values.bin").stat().st_blocks * 512 >= 5 * 4 * 4
    assert ragged.read(folder)[2].tolist() == [[1.0] * 4] * 3


def test_a_full_disk_anywhere() -> None:
    assert "GRAFTWORK_CACHE" in full_disk(OSError(errno.ENOSPC, "No space left on device", "/tmp/x"))
    assert "/tmp/x" in full_disk(OSError(errno.ENOSPC, "No space left on device", "/tmp/x"))
    assert "TMPDIR" in full_disk(FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"))
    assert full_disk(OSError(errno.EACCES, "Permission denied")) == ""
    assert full_disk(ValueError("x")) == ""


@pytest.mark.parametrize("name", ["temporary", "spool"])
def test_a_full_disk_at_the_command_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("graftwork.data.store.spool.MEMORY_BYTES", 0)
    monkeypatch.setattr("tempfile.mkdtemp" if name == "temporary" else "tempfile.mkstemp", full)
    base = tiny_model(tmp_path / "base", "bert")
    ran = graft("fit", topics(tmp_path / "t.csv"), "--target", "label", "--base", base, "--out", tmp_path / "o")
    ran.fails(1, "No space left", "GRAFTWORK_CACHE|Free some space")
