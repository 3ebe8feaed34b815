"""graftwork.bases.pickled: files that torch pickled are opened only where they are known, and give tensors alone."""

from __future__ import annotations

import ast
import hashlib
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
import torch

import graftwork
from graftwork.bases import pickled
from graftwork.errors import ModelError


class Bomb:
    """Writes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def saved(tmp_path: Path, held: Any, **settings: Any) -> tuple[Path, str]:
    file = tmp_path / "weights.pth"
    torch.save(held, file, **settings)
    return file, hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_by_the_path_to_them(tmp_path: Path, zipped: bool) -> None:
    weight = torch.arange(6.0).view(2, 3)
    held = {
        "step": 3,
        "model": {"layer.weight": weight, "layer.bias": torch.nn.Parameter(weight[0])},
        "optimizer": {"state": {0: {"seen": torch.tensor(5)}}, "groups": [weight[1], "text", None]},
    }
    file, digest = saved(tmp_path, held, _use_new_zipfile_serialization=zipped)
    found = pickled.tensors(file, digest.upper())
    assert set(found) == {"model.layer.weight", "model.layer.bias", "optimizer.state.0.seen", "optimizer.groups.0"}
    assert torch.equal(found["model.layer.weight"], weight)
    assert all(type(tensor) is torch.Tensor and not tensor.requires_grad for tensor in found.values())
    found["optimizer.groups.0"].zero_()  # a tensor of its own, not a part of another
    assert torch.equal(found["model.layer.weight"], weight)


def test_another_file_is_refused_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, digest = saved(tmp_path, {"a": torch.zeros(3)})
    changed = file.read_bytes()
    file.write_bytes(changed[:-1] + bytes([changed[-1] ^ 1]))

    def opened(*_: Any, **__: Any) -> None:
        raise AssertionError("it was opened")

    monkeypatch.setattr(torch, "load", opened)
    with pytest.raises(ModelError, match=f"expected SHA-256 {digest}, found .*Fetch it again"):
        pickled.tensors(file, digest)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_refused(tmp_path: Path, zipped: bool) -> None:
    mark = tmp_path / "ran"
    file, digest = saved(tmp_path, {"a": torch.zeros(3), "b": Bomb(mark)}, _use_new_zipfile_serialization=zipped)
    with pytest.raises(ModelError, match=r"can't be read as a file of weights: it asks for getattr\. Expected"):
        pickled.tensors(file, digest)
    assert not mark.exists()


def test_a_plain_pickle_is_refused(tmp_path: Path) -> None:
    mark, file = tmp_path / "ran", tmp_path / "weights.pt"
    file.write_bytes(pickle.dumps(Bomb(mark), 2))
    with pytest.raises(ModelError, match="can't be read as a file of weights"):
        pickled.tensors(file, hashlib.sha256(file.read_bytes()).hexdigest())
    assert not mark.exists()


@pytest.mark.parametrize("kept", [0, 10, 300])
def test_a_cut_file_of_a_known_hash(tmp_path: Path, kept: int) -> None:
    file, _ = saved(tmp_path, {"a": torch.zeros(300)})
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ModelError, match="it is cut or damaged"):
        pickled.tensors(file, hashlib.sha256(file.read_bytes()).hexdigest())


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="can't be read: No such file"):
        pickled.tensors(tmp_path / "weights.pt", "0" * 64)


def test_two_of_one_name(tmp_path: Path) -> None:
    file, digest = saved(tmp_path, {"a.b": torch.zeros(3), "a": {"b": torch.ones(3)}})
    with pytest.raises(ModelError, match=r"two tensors of the name 'a\.b'"):
        pickled.tensors(file, digest)


def test_the_load_is_closed_to_code() -> None:
    text = (Path(graftwork.__file__).parent / "bases" / "pickled.py").read_text(encoding="utf-8")
    loads = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "load"
    ]
    assert [ast.unparse(load) for load in loads] == [
        "torch.load(io.BytesIO(content), weights_only=True, map_location='cpu')"
    ]
    assert not re.search(r"weights_only=(False|None)|pickle\.loads?\(|Unpickler\(", text)
