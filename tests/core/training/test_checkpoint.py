from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from graftwork.core.training.checkpoint import (
    NAME,
    Checkpointing,
    Snapshot,
    load_optimizer,
    optimizer_tensors,
    prefixed,
    read,
    write,
    write_tensors,
)
from graftwork.errors import DataError


def test_what_is_written_is_read(tmp_path: Path):
    shared = torch.arange(6.0)
    tensors = {
        **prefixed("network", {"a.weight": torch.randn(2, 3), "b": torch.tensor(3)}),
        **prefixed("best", {"x": shared, "same": shared, "part": shared[2:], "across": torch.randn(4, 2).T}),
        "empty.none": torch.zeros(0, 3),
    }
    meta = {"fingerprint": "f", "step": 3, "losses": [0.1, 1 / 3], "score": None}
    write(tmp_path / "new", Snapshot(tensors, meta))
    found = read(Checkpointing(tmp_path / "new", "f"))
    assert found is not None
    assert found.meta == meta
    assert found.tensors.keys() == tensors.keys()
    assert all(torch.equal(value, tensors[name]) for name, value in found.tensors.items())
    assert list(found.group("network")) == ["a.weight", "b"]
    assert [path.name for path in (tmp_path / "new").iterdir()] == [NAME]


def test_nothing_there_is_none(tmp_path: Path):
    assert read(Checkpointing(tmp_path / "none", "f")) is None


def test_the_old_one_stays_where_the_new_one_can_not_be_written(tmp_path: Path):
    """In a process of its own, whose files may not grow beyond some bytes: as a full disk."""
    write(tmp_path, Snapshot({"a": torch.ones(2)}, {"fingerprint": "f"}))
    code = f"""
import resource, torch
from pathlib import Path
from graftwork.core.training.checkpoint import Snapshot, write
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
write(Path({str(tmp_path)!r}), Snapshot({{"a": torch.zeros(10_000)}}, {{"fingerprint": "f"}}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "graftwork.errors.DataError: No space left to write" in done.stderr
    found = read(Checkpointing(tmp_path, "f"))
    assert found is not None
    assert torch.equal(found.tensors["a"], torch.ones(2))


def test_a_folder_that_is_a_file_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="file can't be written"):
        write(tmp_path / "file", Snapshot({"a": torch.ones(1)}, {}))


def test_errors_without_a_number_are_errors_of_the_disk(tmp_path: Path):
    with pytest.raises(OSError, match="No such file"):
        write_tensors({"a": torch.ones(1)}, tmp_path / "no" / "folder")


def test_the_optimizer_goes_on(tmp_path: Path):
    def make() -> tuple[torch.nn.Linear, torch.optim.AdamW]:
        torch.manual_seed(0)
        layer = torch.nn.Linear(3, 2)
        return layer, torch.optim.AdamW([{"params": [layer.weight]}, {"params": [layer.bias], "lr": 0.1}], fused=True)

    def step(layer: torch.nn.Linear, optimizer: torch.optim.AdamW) -> None:
        optimizer.zero_grad()
        layer(torch.ones(4, 3)).square().sum().backward()
        optimizer.step()

    first, optimizer = make()
    step(first, optimizer)
    second, other = make()
    second.load_state_dict(first.state_dict())
    write(tmp_path, Snapshot(optimizer_tensors(optimizer), {"fingerprint": "f"}))
    found = read(Checkpointing(tmp_path, "f"))
    assert found is not None
    load_optimizer(other, found.tensors)
    for _ in range(3):
        step(first, optimizer)
        step(second, other)
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(first.bias, second.bias)
