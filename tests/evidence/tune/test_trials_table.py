"""Trials as a parquet file."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet
import pytest

from evidence.tune.made_trials import trial
from graftwork.evidence.tune.table import write_table

TRIALS = [
    trial(1, None, state="failed", failed="out of memory", name="=\x1b[31m"),
    trial(0, 0.9, base="minilm", techniques=("lora:rank=4",), params={"lr": 1e-3, "with mixup": True}, latency=0.002),
    trial(2, 0.95, origin="combined", members={0: 0.75, 1: 0.25}, recipe={"base": "\ud800"}),
]


def test_a_trial_is_a_row_in_the_order_of_numbers(tmp_path: Path) -> None:
    write_table(tmp_path / "trials.parquet", TRIALS, kept=2, front=(0, 2))
    rows = pyarrow.parquet.read_table(tmp_path / "trials.parquet").to_pylist()
    assert [row["number"] for row in rows] == [0, 1, 2]
    assert [row["kept"] for row in rows] == [False, False, True]
    assert [row["on_front"] for row in rows] == [True, False, True]
    assert rows[0]["rungs"] == [{"step": 90, "score": 0.9}]
    assert rows[0]["techniques"] == ["lora:rank=4"]
    assert json.loads(rows[0]["params"]) == {"lr": 1e-3, "with mixup": True}
    assert (rows[0]["latency"], rows[0]["size"], rows[0]["failed"]) == (0.002, None, None)
    assert (rows[1]["score"], rows[1]["failed"], rows[1]["rungs"]) == (None, "out of memory", [])
    assert json.loads(rows[2]["members"]) == {"0": 0.75, "1": 0.25}


def test_a_table_of_no_trial_has_its_columns(tmp_path: Path) -> None:
    write_table(tmp_path / "trials.parquet", [])
    found = pyarrow.parquet.read_table(tmp_path / "trials.parquet")
    assert found.num_rows == 0
    assert {"number", "score", "rungs", "recipe"} <= set(found.column_names)


def test_what_was_there_stays_where_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trials.parquet"
    write_table(path, TRIALS[:2])
    before = path.read_bytes()

    def full(_: object, where: Path) -> None:
        where.write_bytes(b"PAR1")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pyarrow.parquet, "write_table", full)
    with pytest.raises(OSError, match="No space left"):
        write_table(path, TRIALS)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["trials.parquet"]
