"""What the benchmarks' numbers rest on: results that are not measured twice, equal draws, curves, paired intervals."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import few_shot
import tables
from harness import data, measure, results, text
from harness.figure import Curve
from harness.options import Options
from harness.results import Results

QUICK = Options(quick=False, seeds=1, fresh=None)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    return tmp_path / "some.jsonl"


def test_a_result_is_measured_once_for_a_name_and_seed(store: Path) -> None:
    asked: list[int] = []

    def one() -> dict[str, float]:
        asked.append(1)
        return {"cpu": float(len(asked))}

    for _ in range(2):
        assert Results("some", QUICK).measure("a", 0, "numpy", one)["cpu"] == 1.0
    assert Results("some", QUICK).measure("a", 1, "numpy", one)["cpu"] == 2.0
    assert len(results.read(store)) == 2


def test_a_record_says_what_its_processes_cost(store: Path) -> None:
    program = "import time\nwhile time.process_time() < 0.3: pass"
    record = Results("some", QUICK).measure(
        "a", 0, "numpy", lambda: {"wall": measure.run([sys.executable, "-c", program]).wall}
    )
    assert record["spent"] >= 0.3
    assert results.read(store) == [record]


def test_a_line_that_a_stopped_run_left_unfinished_is_passed_over(store: Path) -> None:
    Results("some", QUICK).measure("a", 0, "numpy", lambda: {"cpu": 1.0})
    with store.open("a") as file:
        file.write('{"name": "b", "se')
    Results("some", QUICK).measure("c", 0, "numpy", lambda: {"cpu": 1.0})
    assert [record["name"] for record in results.read(store)] == ["a", "c"]


def test_fresh_forgets_all_or_only_our_side(store: Path) -> None:
    for package in ("numpy", "graftwork"):
        Results("some", QUICK).measure(package, 0, package, lambda: {"cpu": 1.0})
    Results("some", Options(quick=False, seeds=1, fresh="ours"))
    assert [record["name"] for record in results.read(store)] == ["numpy"]
    Results("some", Options(quick=False, seeds=1, fresh="all"))
    assert results.read(store) == []


def test_a_process_has_one_thread_no_network_and_a_new_cache_and_its_cpu_time_is_counted() -> None:
    program = (
        "import json, os, time\n"
        "while time.process_time() < 0.3: pass\n"
        "held = bytearray(60 << 20)\n"
        "time.sleep(0.2)\n"
        "print(json.dumps(dict(os.environ)))"
    )
    spent = measure.run([sys.executable, "-c", program], watch_memory=True)
    seen = json.loads(spent.output)
    assert seen["OMP_NUM_THREADS"] == "1"
    assert seen["HF_HUB_OFFLINE"] == "1"
    assert not Path(seen["GRAFTWORK_CACHE"]).exists()
    assert 0.3 <= spent.cpu < spent.wall
    assert 60 << 20 <= spent.memory < 200 << 20


def test_a_command_that_fails_says_what_it_said() -> None:
    with pytest.raises(RuntimeError, match="no such thing"):
        measure.run([sys.executable, "-c", "import sys; sys.exit('no such thing')"])


def test_draws_of_a_few_rows_a_class_are_repeatable_and_whole() -> None:
    rows = [{"text": str(at), "label": "ab"[at % 2]} for at in range(40)]
    drawn = data.few(rows, 8, seed=3)
    assert drawn == data.few(rows, 8, seed=3) != data.few(rows, 8, seed=4)
    assert len({row["text"] for row in drawn}) == 16
    assert [row["label"] for row in drawn] == ["a"] * 8 + ["b"] * 8


def test_a_written_table_reads_back(tmp_path: Path) -> None:
    rows = [{"text": 'two\nlines, "quoted"', "label": "a"}, {"text": "中文", "label": "b"}]
    assert data.read(data.write(tmp_path / "table.csv", rows)) == rows


def test_a_curve_is_the_best_so_far_over_log_seconds() -> None:
    curve = Curve("a", ((10.0, 0.5), (100.0, 0.7), (1000.0, 0.6)))
    assert curve.at(9.0) == 0.0
    assert curve.at(10**1.5) == pytest.approx(0.6)
    assert curve.at(5000.0) == 0.7


def test_the_interval_is_paired_and_holds_the_difference() -> None:
    draw = np.random.default_rng(0)
    peer = draw.random((5, 400)) < 0.6
    ours = peer.copy()
    wrong = np.argwhere(~peer)
    for seed, row in wrong[: len(wrong) // 10]:
        ours[seed, row] = True
    sets = [{few_shot.OURS: ours, "SetFit": peer}]
    value, low, high = few_shot.interval(sets, "SetFit")
    assert value == pytest.approx(ours.mean() - peer.mean())
    assert 0.0 <= low <= value <= high < 0.15


def test_a_table_and_claims_are_markdown() -> None:
    assert text.table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"
    assert "**no**" in text.claims([text.Claim("quick", "slow", False)])


def test_every_section_can_be_written_before_anything_is_measured() -> None:
    for part in tables.PARTS:
        assert "Not measured yet." in tables.written(part, [])


def test_a_table_holds_one_version_of_each_name() -> None:
    versions = [("a", "1"), ("b", "1"), ("a", "2")]
    records = [{"name": name, "version": version} for name, version in versions]
    assert results.latest(records) == records[1:]
