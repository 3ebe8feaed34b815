"""Where it computes: one setting, said on the command line, in Python or in the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import graftwork as gw
from command import QUICK, Ran, graft, topics
from graftwork import devices
from graftwork.core.settings import resolve_precision
from graftwork.errors import UsageError


def gpus(patch: pytest.MonkeyPatch, count: int) -> None:
    """A machine with so many GPUs, as torch tells of them."""
    patch.setattr(torch.cuda, "is_available", lambda: count > 0)
    patch.setattr(torch.cuda, "device_count", lambda: count)


def test_auto_takes_cuda_where_there_is_any(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 0)
    assert devices.chosen() == torch.device("cpu")
    gpus(monkeypatch, 2)
    assert devices.chosen() == torch.device("cuda")
    assert devices.there()[:3] == ("cpu", "cuda:0", "cuda:1")


def test_what_is_named_counts_the_last_first(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 2)
    monkeypatch.setenv("GRAFTWORK_DEVICE", "cpu")
    assert devices.chosen() == torch.device("cpu")
    first, second = gw.use_device("cuda:1"), gw.use_device("cpu")
    assert devices.chosen() == torch.device("cpu")
    second()
    assert devices.chosen() == torch.device("cuda:1")
    first()
    assert devices.chosen() == torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cuda", r"The device 'cuda' is not there\. Here are: cpu\."),
        ("mps", "'mps' is not there"),
        ("gpu", r"There is no device 'gpu'\. .*Known: auto, cpu, cuda, mps"),
        ("cuda:x", "There is no device"),
        ("", "There is no device"),
    ],
)
def test_what_is_not_there(monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    gpus(monkeypatch, 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UsageError, match=said):
        gw.use_device(name)
    if name:
        monkeypatch.setenv("GRAFTWORK_DEVICE", name)
        with pytest.raises(UsageError, match=said):
            devices.chosen()


def test_precision_is_that_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus(monkeypatch, 1)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert resolve_precision("auto") == "bf16"
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    back = gw.use_device("cpu")
    assert resolve_precision("auto") == "fp32"
    back()


def test_every_command_that_computes_has_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And says what is there before anything is read."""
    gpus(monkeypatch, 0)
    table = topics(tmp_path / "t.csv")
    given: list[tuple[str | Path, ...]] = [
        ("fit", table),
        ("plan", table),
        ("predict", "m", table, "--out", "x.csv"),
        ("evaluate", "m", table),
        ("adapt", "m", table, "--out", "x"),
        ("verify", "m", "a", "b"),
        ("enroll", "m", table, "--out", "x"),
        ("identify", "m", "g", "a"),
        ("index", "m", table),
        ("search", "m", "a"),
        ("run", "steps.yaml", "--out", "x"),
    ]
    for arguments in given:
        graft(*arguments, "--device", "cuda").fails(2, "'cuda' is not there. Here are: cpu")
    assert devices.chosen() == torch.device("cpu"), "a command leaves no trace"


def test_it_is_no_part_of_a_recipe(tmp_path: Path) -> None:
    table = topics(tmp_path / "t.csv")
    fitted: list[Ran] = []
    for at, device in enumerate(("auto", "cpu")):
        out = ("--out", tmp_path / f"m{at}", "--device", device)
        fitted.append(graft("fit", table, "--base", "gru:width=16", *out, *QUICK).works())
    recipes = [(tmp_path / f"m{at}" / "recipe.yaml").read_text(encoding="utf-8") for at in range(2)]
    assert recipes[0] == recipes[1]
    assert "device" not in recipes[0]
    assert "--device" not in gw.load(tmp_path / "m1").recipe.to_yaml()
    weights = [gw.load(tmp_path / f"m{at}").network.state_dict() for at in range(2)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    graft("predict", tmp_path / "m1", table, "--out", tmp_path / "p.csv", "--device", "cpu").works()


def test_a_model_moves(tmp_path: Path) -> None:
    from made import TEXTS, make

    model = make(tmp_path)
    moved = model.on("cpu")
    assert list(moved.predict(TEXTS)) == list(model.predict(TEXTS))
    with pytest.raises(UsageError, match="There is no device"):
        model.on("tpu")
