"""Files that go to another machine in pieces: the same there, whole or not at all, and none leads out of its folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graftwork.cluster import carried
from graftwork.cluster.carried import bring, carry, files_below
from graftwork.errors import ModelError


def whole(piece):
    """Stands for Ray's store: a piece is where it is."""
    return piece


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(carried, "PIECE", 10)
    found = tmp_path / "from"
    (found / "run").mkdir(parents=True)
    (found / "run" / "large").write_bytes(bytes(range(35)))
    (found / "empty").touch()
    (found / f".large.graft-{'0' * 16}").write_text("being written")
    (found / "link").symlink_to("empty")
    return found


def test_files_are_the_same_there(folder: Path, tmp_path: Path) -> None:
    names = files_below(folder)
    assert names == ["empty", "run/large"]  # what is being written stays, and so does a link
    sent = carry(folder, names, whole)
    assert [len(piece) for piece in sent["run/large"]] == [10, 10, 10, 5]
    bring(sent, tmp_path / "to", whole)
    assert files_below(tmp_path / "to") == names
    assert (tmp_path / "to" / "run" / "large").read_bytes() == bytes(range(35))


def test_a_file_that_gets_lost_on_the_way_leaves_what_was_there(folder: Path, tmp_path: Path) -> None:
    place = tmp_path / "to" / "run"
    place.mkdir(parents=True)
    (place / "large").write_text("before")
    given = []

    def get(piece: np.ndarray) -> np.ndarray:
        given.append(piece)
        if len(given) == 3:
            raise ConnectionError("its machine is gone")
        return piece

    with pytest.raises(ConnectionError):
        bring(carry(folder, ["run/large"], whole), tmp_path / "to", get)
    assert (place / "large").read_text() == "before"
    assert [one.name for one in place.iterdir()] == ["large"]


@pytest.mark.parametrize("name", ["../out", "/etc/out", "run/../../out", "run/o\nut", ""])
def test_a_name_that_leads_out_is_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        bring({"fine": [np.zeros(3, np.uint8)], name: [np.zeros(3, np.uint8)]}, tmp_path / "to", whole)
    assert not (tmp_path / "to").exists()


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "run").symlink_to(tmp_path)
    with pytest.raises(ModelError, match="leads out"):
        bring({"run/out": [np.zeros(3, np.uint8)]}, tmp_path / "to", whole)
