"""graftwork.saving: a folder appears whole or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from graftwork import network_files, saving
from graftwork.data.store import writing
from graftwork.errors import DataError, UsageError
from graftwork.model import Model, load
from graftwork.networks.manifest import is_model
from graftwork.runs.workspace import check_free
from made import TEXTS, make


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return make(tmp_path)


def test_what_a_folder_holds(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "m")
    assert {path.name for path in folder.iterdir()} == {
        "model.json",
        "weights.safetensors",
        "provenance.json",
        "recipe.yaml",
        "encoder-0",
    }
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".json", ".safetensors", ".yaml"}
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in folder.rglob("*") if path.is_file())
    weights, state = load_file(folder / "weights.safetensors"), model.network.state_dict()
    assert weights.keys() == state.keys()
    assert all(weights[name].equal(state[name]) for name in state)


def test_a_model_is_replaced_and_nothing_else(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "m")
    (folder / "encoder-7").mkdir()
    model.save(folder)
    assert not (folder / "encoder-7").exists(), "nothing of the old one stays"
    (tmp_path / "file").write_text("mine")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "other"):
        with pytest.raises(UsageError, match="not a model of graftwork"):
            model.save(place)
    (tmp_path / "empty").mkdir()
    model.save(tmp_path / "empty")
    assert {path.name for path in tmp_path.iterdir()} == {"base", "m", "file", "other", "empty"}


def test_a_full_disk_leaves_the_old_model(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model.save(tmp_path / "m")
    before = (folder / "weights.safetensors").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(network_files, "write_tensors", full)
    with pytest.raises(DataError, match="No space left"):
        model.save(folder)
    assert (folder / "weights.safetensors").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"base", "m"}


def test_every_kind_of_head_comes_back(tmp_path: Path) -> None:
    for head in ("linear", "mlp:width=8", "kernel"):
        place = tmp_path / head.partition(":")[0]
        model = make(place, head=head)
        loaded = load(model.save(place / "m"))
        assert torch.equal(torch.as_tensor(loaded.predict_proba(TEXTS)), torch.as_tensor(model.predict_proba(TEXTS)))
        assert not any(parameter.requires_grad for parameter in loaded.network.parameters())


# --- what else is in the folder --------------------------------------------------------------------------------------
def test_other_peoples_files_stay(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "m")
    (folder / "notes.txt").write_text("mine")
    (folder / "report.html").write_text("report")
    (folder / "photos").mkdir()
    (folder / "photos" / "a.png").write_text("x")
    (folder / "member-1").mkdir()
    (folder / "member-1" / "letter.txt").write_text("dear member")
    load(folder).save(folder)
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "report.html").read_text() == "report"
    assert (folder / "photos" / "a.png").read_text() == "x"
    assert (folder / "member-1" / "letter.txt").read_text() == "dear member"
    load(folder)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_another_programs_model_is_not_replaced(model: Model, tmp_path: Path) -> None:
    folder = tmp_path / "tfjs"
    folder.mkdir()
    (folder / "model.json").write_text('{"format": "layers-model", "modelTopology": {}}')
    (folder / "group1-shard1of1.bin").write_text("weights")
    for content in (None, "{"):
        if content is not None:
            (folder / "model.json").write_text(content)
        before = {path.name: path.read_bytes() for path in folder.iterdir()}
        with pytest.raises(UsageError, match="not a model of graftwork"):
            model.save(folder)
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_links_and_the_folder_one_is_in(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    model.save(tmp_path / "link")
    model.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    load(tmp_path / "real")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    model.save(".")
    load(".").save(".")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "here", "link", "real"]


def test_the_umask_decides_who_may_read_a_model(model: Model, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        folder = model.save(tmp_path / "m")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "encoder-0")} == {0o700}


def test_a_model_of_before_is_replaced(model: Model, tmp_path: Path) -> None:
    """A folder as the last version wrote it: no checksums."""
    folder = model.save(tmp_path / "m")
    manifest = json.loads((folder / "model.json").read_text())
    del manifest["files"], manifest["checksum"]
    (folder / "model.json").write_text(json.dumps(manifest))
    load(folder).save(folder)
    assert "files" in json.loads((folder / "model.json").read_text())


# --- stops -----------------------------------------------------------------------------------------------------------
class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("after", [False, True])
def test_a_stop_at_any_rename_or_removal(
    after: bool, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever the process ends, there is a whole model under the name: the old one or the new one."""
    other = replace(model, temperature={"topic": 3.0})
    for count in range(1, 100):
        folder = model.save(tmp_path / f"m{count}")
        calls = 0

        def act(call: Callable[..., None], *paths: Path) -> None:
            nonlocal calls
            calls += 1
            if calls < count or (calls == count and after):  # noqa: B023  used within this turn
                call(*paths)
            if calls >= count:  # noqa: B023
                raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(writing, "act", act)
            try:
                other.save(folder)
            except Killed:
                pass
            else:
                break
        assert load(folder).temperature["topic"] in (1.7, 3.0)
        other.save(folder)
        assert load(folder).temperature["topic"] == 3.0
        assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "no weights are left over"
        assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert 6 < count < 90


def test_a_model_and_its_report_appear_together(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A merge that is stopped before its end can be repeated: what is there has its report, or is no model."""

    def report(folder: Path) -> None:
        writing.write_text(folder / "report.html", "report")

    for count in range(1, 100):
        folder, calls = tmp_path / f"m{count}", 0

        def act(call: Callable[..., None], *paths: Path) -> None:
            nonlocal calls
            calls += 1
            if calls >= count:  # noqa: B023
                raise Killed
            call(*paths)

        with monkeypatch.context() as patched:
            patched.setattr(writing, "act", act)
            try:
                saving.save(model, folder, also=report)
            except Killed:
                pass
            else:
                break
        assert not is_model(folder) or (folder / "report.html").is_file()
        if not is_model(folder):
            check_free(folder)
    assert 4 < count < 90


# --- readers while a model is replaced -------------------------------------------------------------------------------
def test_a_model_that_is_replaced_while_it_is_read(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second model comes between the manifest and the weights of the first: what is read is one of the two."""
    folder = model.save(tmp_path / "m")
    other = replace(model, temperature={"topic": 3.0})
    with torch.no_grad():
        next(other.network.parameters()).add_(1.0)
    plain, turns = network_files.load_file, []

    def load_file_late(path: Path) -> dict[str, torch.Tensor]:
        if not turns:
            turns.append(1)
            other.save(folder)
        return plain(path)

    monkeypatch.setattr(network_files, "load_file", load_file_late)
    loaded = load(folder)
    assert loaded.temperature == {"topic": 3.0}
    expected, found = other.network.state_dict(), loaded.network.state_dict()
    assert all(found[name].equal(expected[name]) for name in expected)


def test_a_report_of_another_model_is_said(model: Model, tmp_path: Path) -> None:
    folder = model.save(tmp_path / "m")
    (folder / "report.html").write_text("report")
    model.save(folder)
    with torch.no_grad():
        next(model.network.parameters()).add_(1.0)
    with pytest.warns(UserWarning, match=r"keeps report.html of the model that was there before"):
        model.save(folder)
