"""A folder as bytes: the same folder again, and nothing outside of it."""

from __future__ import annotations

import pytest

from graftwork.data.store.packed import pack, unpack
from graftwork.errors import ModelError


def test_there_and_back(tmp_path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "run").mkdir(parents=True)
    (first / "run" / "weights").write_bytes(b"\x00\x01")
    (first / "trial.json").write_text("{}")
    (first / "link").symlink_to("/etc/passwd")
    packed = pack(first)
    assert packed == {"run/weights": b"\x00\x01", "trial.json": b"{}"}
    (second / "old").mkdir(parents=True)
    unpack(packed, second)
    assert pack(second) == packed
    assert not (second / "old").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]
    assert pack(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "run/..", "a\\b", "c:x"])
def test_a_name_that_leads_out_is_refused_and_nothing_is_written(name: str, tmp_path) -> None:
    with pytest.raises(ModelError, match="no plain file name"):
        unpack({"good": b"1", name: b"2"}, tmp_path / "in" / "folder")
    assert list(tmp_path.iterdir()) == []
