"""graftwork.runs.stored: finished runs come back whole, or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from graftwork.data.store import writing
from graftwork.data.store.ragged import Ragged
from graftwork.errors import DataError
from graftwork.runs import finished_store as stored
from graftwork.runs.finished_store import prune, store
from graftwork.runs.stored import Finished, keep, predictions, recall

RUN = Finished(0.9, 60, 240, 3.5, 0.25, 1024, 33)
VALUES = {"label": np.arange(12, dtype=np.float32).reshape(6, 2)}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path))


def test_a_run_comes_back_with_its_predictions() -> None:
    assert recall("k1") is None
    keep("k1", RUN, VALUES, {"arm": "all"})
    assert recall("k1") == RUN
    found = predictions("k1")
    assert found is not None
    np.testing.assert_array_equal(found["label"], VALUES["label"])
    assert json.loads((stored.folder() / "k1" / "run.json").read_text())["about"] == {"arm": "all"}


def test_predictions_of_unequal_length_come_back() -> None:
    spans = Ragged(np.array([3, 1, 2], np.int64), np.array([0, 1, 1, 3], np.int64))
    keep("k1", RUN, {"spans/of": spans, "label": VALUES["label"]}, {})
    found = predictions("k1")
    assert found is not None
    assert [row.tolist() for row in found["spans/of"]] == [[3], [], [1, 2]]
    assert set(found) == {"spans/of", "label"}


def test_the_same_key_is_replaced() -> None:
    keep("k1", RUN, VALUES, {})
    keep("k1", Finished(0.5, 60, 240, 3.5, 0.25, 1024, 33), VALUES, {})
    found = recall("k1")
    assert found is not None
    assert found.score == 0.5


@pytest.mark.parametrize("name", ["run.json", "predictions.safetensors"])
def test_a_damaged_one_is_not_there(name: str) -> None:
    keep("k1", RUN, VALUES, {})
    file = stored.folder() / "k1" / name
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    from graftwork.data.store import entries

    entries._known.clear()  # as in another process
    assert recall("k1") is None
    assert predictions("k1") is None


def test_a_stop_before_any_rename_or_removal_leaves_nothing_half(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    for stop in range(10):
        calls = 0

        def act(call: object, *paths: Path, at: int = stop) -> None:
            nonlocal calls
            calls += 1
            if calls > at:
                raise Killed
            call(*paths)  # type: ignore[operator]

        with monkeypatch.context() as patch:
            patch.setattr(writing, "act", act)
            try:
                keep(f"k{stop}", RUN, VALUES, {})
            except Killed:
                assert recall(f"k{stop}") in (None, RUN)
            else:
                assert recall(f"k{stop}") == RUN
                break
    else:
        raise AssertionError("it was never written")


def test_the_least_used_go_first() -> None:
    for at, name in enumerate(("old", "new")):
        keep(name, RUN, VALUES, {})
        os.utime(stored.folder() / name, (at + 1, at + 1))
    held = store()
    assert held.entries == 2
    assert prune(held.size - 1) > 0
    assert recall("old") is None
    assert recall("new") == RUN
    prune()
    assert store().entries == 0


def test_a_home_that_can_not_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match="can't be written"):
        keep("k1", RUN, VALUES, {})
