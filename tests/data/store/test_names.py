"""graftwork.data.store.names: a name out of a manifest leads nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.data.store.names import check_links, inside, plain_name
from graftwork.errors import ModelError

LEADING_OUT = [
    "../x",
    "/etc/passwd",
    "a/b",
    "..",
    ".",
    "",
    "a\\b",
    "C:x",
    "x\0",
    "a\nb",
    "x" * 256,
    "\ud800",
    "\udc80",
    7,
    None,
    ["a"],
]


@pytest.mark.parametrize("name", LEADING_OUT)
def test_names_that_could_lead_out(name: object) -> None:
    with pytest.raises(ModelError, match="no plain file name"):
        plain_name(name, "model.json")


@given(st.text(max_size=40))
def test_whatever_passes_is_a_file_in_the_folder(name: str) -> None:
    try:
        passed = plain_name(name, "model.json")
    except ModelError:
        return
    assert Path("/some/where", passed).resolve().parent == Path("/some/where")


def test_links(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "own").write_text("x")
    (folder / "to-own").symlink_to("own")
    assert inside(folder, "to-own") == folder / "to-own"
    check_links(folder)
    (folder / "out").symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match="leads out of the folder"):
        inside(folder, "out")
    with pytest.raises(ModelError, match="leads out of the folder"):
        check_links(folder)
    (tmp_path / "alias").symlink_to(folder)
    assert inside(tmp_path / "alias", "own"), "the folder itself may be a link"


def test_links_of_the_hub(tmp_path: Path) -> None:
    snapshot = tmp_path / "models--a--b" / "snapshots" / "rev"
    snapshot.mkdir(parents=True)
    blobs = tmp_path / "models--a--b" / "blobs"
    blobs.mkdir()
    (blobs / "0").write_text("x")
    (snapshot / "config.json").symlink_to("../../blobs/0")
    check_links(snapshot)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "0").write_text("x")
    (blobs / "1").symlink_to(tmp_path / "elsewhere" / "0")
    (snapshot / "weights").symlink_to("../../blobs/1")
    with pytest.raises(ModelError, match="leads out"):
        check_links(snapshot)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_in_a_folder_are_refused_before_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").write_text("x")
    check_links(tmp_path)
    os.mkfifo(tmp_path / "sub" / "model.safetensors")
    for act in (lambda: check_links(tmp_path), lambda: inside(tmp_path, "sub", "model.safetensors")):
        with pytest.raises(ModelError, match="a device, a pipe"):
            act()
