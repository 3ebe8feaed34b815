"""graftwork.runs.tune.study.starts: a trial that ends its process again and again without coming further has failed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

from graftwork.cluster.work import KILLS
from graftwork.core.training.checkpoint import NAME
from graftwork.errors import NumericalError
from graftwork.runs.tune.study.starts import FILE, check_starts, started, starts_in_vain


def ended_process(folder: Path) -> None:
    """What a process leaves that is ended in the midst of a trial."""
    with started(folder):
        left = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(left)


def test_starts_in_vain_are_counted_in_a_row(tmp_path: Path) -> None:
    for times in range(KILLS):
        assert starts_in_vain(tmp_path) == times
        check_starts(tmp_path)
        ended_process(tmp_path)
    with pytest.raises(NumericalError, match="It ended its process 3 times in a row"):
        check_starts(tmp_path)


@pytest.mark.parametrize("name", [f"run/run/{NAME}", "judged-9.safetensors"])
def test_one_that_came_further_is_counted_anew(tmp_path: Path, name: str) -> None:
    for _ in range(KILLS):
        ended_process(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    assert starts_in_vain(tmp_path) == 0
    ended_process(tmp_path)
    assert starts_in_vain(tmp_path) == 1
    os.utime(tmp_path / name, ns=(1, 1))  # another checkpoint in its place
    assert starts_in_vain(tmp_path) == 0


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, MemoryError])
def test_what_ends_without_its_process_is_no_start_in_vain(tmp_path: Path, error: type[BaseException] | None) -> None:
    for _ in range(2 * KILLS):
        with suppress(KeyboardInterrupt, MemoryError), started(tmp_path):
            if error is not None:
                raise error
    assert starts_in_vain(tmp_path) == 0
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("text", ["", "{}", '{"times": "9", "came": []}', "[" * 10_000])
def test_a_damaged_note_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert starts_in_vain(tmp_path) == 0
