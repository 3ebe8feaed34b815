"""graftwork.predicting_parts.work_folder: only parts of the same model, rows and settings are taken, and nothing else
that lies there is touched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from graftwork.data.load import load_like
from graftwork.errors import UsageError
from graftwork.predicting import Kept
from graftwork.predicting_parts.kept_files import write_kept
from graftwork.predicting_parts.work_folder import WorkFolder, key_of
from made import TEXTS, make

KEPT = Kept({"label": np.zeros((2, 3), np.float32)}, None, ({},))


def test_parts_stay_for_the_same_key_and_go_for_another(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path / "out.csv.parts")
    assert work.begin("one") == 0
    write_kept(work.path(4), KEPT, 2)
    assert WorkFolder(work.folder).begin("one") == 1
    assert work.read(4, 2) is not None
    assert work.read(4, 3) is None, "it is of another number of rows"
    assert work.read(5, 2) is None
    assert WorkFolder(work.folder).begin("two") == 0
    assert work.read(4, 2) is None
    (work.folder / "parts.json").write_text("{")
    write_kept(work.path(4), KEPT, 2)
    assert WorkFolder(work.folder).begin("two") == 0, "of which prediction they are is not known"
    work.remove()
    assert not work.folder.exists()


def test_what_a_killed_worker_left_half_written_is_removed(tmp_path: Path) -> None:
    work = WorkFolder(tmp_path / "parts")
    work.begin("one")
    half = work.folder / f".{work.path(1).name}.graft-0123456789abcdef"
    half.write_bytes(b"half")
    assert work.begin("one") == 0
    assert not half.exists()


@pytest.mark.parametrize("name", ["mine.txt", "part-1.parquet", "part-0000001.safetensors.bak"])
def test_a_folder_with_something_else_is_refused_and_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / name).write_text("mine")
    with pytest.raises(UsageError, match=f"it holds {name}. Move that"):
        WorkFolder(tmp_path / "parts").begin("one")
    assert (tmp_path / "parts" / name).read_text() == "mine"
    with pytest.raises(UsageError, match="it is a file"):
        WorkFolder(tmp_path / "parts" / name).begin("one")


def test_the_key_changes_with_all_that_parts_depend_on(tmp_path: Path) -> None:
    model = make(tmp_path / "a")
    folder = model.save(tmp_path / "model")
    table = load_like(TEXTS, model.schema, with_target=False).table
    other = load_like([*TEXTS[1:], TEXTS[0]], model.schema, with_target=False).table
    heated = replace(model, temperature=dict.fromkeys(model.tasks, 2.0)).save(tmp_path / "heated")
    keys = [
        key_of(folder, table, False),
        key_of(folder, table, True),
        key_of(folder, other, False),
        key_of(heated, table, False),
        key_of(folder, table, False, ["TTA(views=4)"]),
    ]
    assert len(set(keys)) == len(keys)
    assert key_of(folder, load_like(TEXTS, model.schema, with_target=False).table, False) == keys[0]
