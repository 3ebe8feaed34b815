"""graftwork.networks.manifest: what model.json says is checked while it is read, and nothing in it leads elsewhere."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command import graft, topics, write_rows
from graftwork.errors import GraftworkError, ModelError
from graftwork.model import Model, load
from graftwork.networks.manifest import is_model, is_replaceable, read_manifest
from made import TEXTS, make

WRONG: list[Any] = [None, True, -1, 10**9, 0.5, "x", "../x", [], {}, [[]], {"a": 1}]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("manifest")
    return make(folder).save(folder / "m")


@pytest.fixture
def folder(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "m"))


def told(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "model.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def tell(folder: Path, manifest: Any) -> None:
    """Without a checksum, as who means harm would write it."""
    manifest = {name: value for name, value in manifest.items() if name != "checksum"}
    (folder / "model.json").write_text(json.dumps(manifest), encoding="utf-8")


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in plain data, those that hold others included."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, (*path, name))
    if isinstance(value, list):
        for at, each in enumerate(value):
            yield from leaves(each, (*path, at))


def changed(manifest: dict[str, Any], path: tuple[Any, ...], wrong: Any) -> dict[str, Any]:
    new = copy.deepcopy(manifest)
    place: Any = new
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = wrong
    return new


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch's, of layers of no width
def test_a_wrong_value_anywhere_is_met_while_loading(folder: Path) -> None:
    """Every value in turn: an error that names the model, or a model that predicts; never an error at prediction."""
    manifest = told(folder)
    ways = [path for path in leaves(manifest) if path[:1] != ("files",)]
    assert len(ways) > 60
    for number, path in enumerate(ways):
        of_transformers = path[2:4] == ("config", "model")
        for wrong in WRONG[number % 4 :: 4]:
            if of_transformers and (wrong is None or isinstance(wrong, int | float)):
                continue  # transformers' own settings are checked for their type alone
            tell(folder, changed(manifest, path, wrong))
            loaded = loaded_or_refused(folder)
            if loaded is None:
                continue
            try:
                loaded.predict_proba(TEXTS)
            except Exception as error:
                raise AssertionError(f"{path} = {wrong!r} loads and fails at prediction: {error!r}") from error


def loaded_or_refused(folder: Path) -> Model | None:
    """The model, or None for an error that says which model is damaged."""
    try:
        return load(folder)
    except GraftworkError as error:
        said = str(error)
    assert str(folder) in said or "saved" in said, said
    return None


@pytest.mark.parametrize(
    ("path", "wrong", "words"),
    [
        (("temperature", "topic"), "hot", "temperature.topic is 'hot', expected float"),
        (("temperature", "topic"), -1.0, "temperature.topic is -1.0"),
        (("columns", "text"), "0", "columns.text is '0', expected int"),
        (("columns", "text"), 7, "encoder that is not there"),
        (("sources", "text"), ["other"], "not in the schema"),
        (("tasks", "topic", "state", "classes"), [1, 2, 3], "expected str"),
        (("tasks", "topic", "state", "type"), "int64", "damaged model"),
        (("schema", 0, "kind"), "smell", "kind is 'smell'"),
        (("encoders", 0), [], "expected an object"),
        (("encoders", 0, "config", "tokenizer", "pad"), "x", "tokenizer"),
        (("encoders", 0, "config", "tokenizer", "empty"), 10**6, "tokenizer"),
    ],
)
def test_what_is_wrong_is_said(path: tuple[Any, ...], wrong: Any, words: str, folder: Path, tmp_path: Path) -> None:
    tell(folder, changed(told(folder), path, wrong))
    with pytest.raises(ModelError, match=words):
        load(folder)
    graft("predict", folder, topics(tmp_path / "t.csv", 3), "--out", tmp_path / "p.csv").fails(1, "again|damaged")


# --- whose model.json it is ------------------------------------------------------------------------------------------
def test_other_programs_write_a_model_json_too(tmp_path: Path) -> None:
    tell(tmp_path, {"format": "layers-model", "generatedBy": "keras v2", "modelTopology": {}})
    assert not is_model(tmp_path)
    assert not is_replaceable(tmp_path)
    with pytest.raises(ModelError, match="written by something else"):
        read_manifest(tmp_path)
    (tmp_path / "model.json").write_text("{")
    assert is_model(tmp_path), "damaged, perhaps"
    assert not is_replaceable(tmp_path), "but not certainly ours"


def test_a_model_without_checksums_still_loads(folder: Path) -> None:
    manifest = told(folder)
    del manifest["files"]
    tell(folder, manifest)
    load(folder)


# --- checksums -------------------------------------------------------------------------------------------------------
def test_a_changed_number_in_the_manifest_itself(folder: Path) -> None:
    text = (folder / "model.json").read_text(encoding="utf-8")
    (folder / "model.json").write_text(json.dumps(json.loads(text)), encoding="utf-8")
    load(folder)  # laid out in another way, it says the same
    manifest = told(folder)
    manifest["encoders"][0]["config"]["model"]["layer_norm_eps"] = 0.5
    (folder / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelError, match="not as it was written"):
        load(folder)


@pytest.mark.parametrize("name", ["weights.safetensors", "encoder-0/tokenizer.json"])
def test_a_flipped_byte(name: str, folder: Path) -> None:
    content = bytearray((folder / name).read_bytes())
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} is not as it was written"):
        load(folder)
    ran = graft("fit", topics(folder.parent / "t.csv"), "--target", "label", "--base", folder, "--out", folder / "o")
    ran.fails(1, "is not as it was written")
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        load(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "encoder-0/../../secret"])
def test_checksums_of_files_elsewhere(name: str, folder: Path) -> None:
    (folder.parent / "secret").write_text("x")
    tell(folder, told(folder) | {"files": {name: "0"}})
    with pytest.raises(ModelError, match="no plain file name"):
        load(folder)


def labelled(folder: Path) -> Path:
    """A table that the model can be scored on."""
    return write_rows(folder / "labelled.csv", [("the cat", "animals"), ("bread", "food")], ("text", "topic"))


# --- nothing leads out -----------------------------------------------------------------------------------------------
def hostile(folder: Path, name: str) -> None:
    """A model whose tokenizer names a file elsewhere, with a checksum that holds."""
    manifest = told(folder)
    manifest["encoders"][0]["config"]["tokenizer"]["files"].append(name)
    del manifest["files"]
    tell(folder, manifest)
    (folder / "encoder-0" / Path(name).name).write_text("written by the model")


@pytest.mark.parametrize("use", ["predict", "fit --base", "export", "merge", "soup", "evaluate", "index"])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_tokenizer_that_names_a_file_elsewhere(use: str, absolute: bool, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious.txt"
    target.write_text("mine")
    hostile(folder, str(target) if absolute else "../../precious.txt")
    table = topics(tmp_path / "t.csv")
    twin = shutil.copytree(folder, tmp_path / "twin")
    commands: dict[str, list[str | Path]] = {
        "predict": ["predict", folder, table, "--out", tmp_path / "p.csv"],
        "fit --base": ["fit", table, "--target", "label", "--base", folder, "--with", "probe", "--out", tmp_path / "o"],
        "export": ["export", folder, "--to", "transformers", "--out", tmp_path / "e"],
        "merge": ["merge", folder, twin, "--out", tmp_path / "merged"],
        "soup": ["soup", folder, twin, "--method", "uniform", "--out", tmp_path / "soup"],
        "evaluate": ["evaluate", folder, labelled(tmp_path)],
        "index": ["index", folder, table],
    }
    graft(*commands[use]).fails(1, "no plain file name")
    assert target.read_text() == "mine"


@pytest.mark.parametrize("name", ["encoder-0", "encoder-0/tokenizer.json", "weights.safetensors", "model.json"])
def test_links_in_a_model_folder(name: str, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (folder / name).rename(outside)
    (folder / name).symlink_to(outside)
    with pytest.raises(ModelError, match="leads out of the folder"):
        load(folder)
    ran = graft("fit", topics(tmp_path / "t.csv"), "--target", "label", "--base", folder, "--out", tmp_path / "o")
    ran.fails(1, "leads out of the folder")


@pytest.mark.parametrize("name", ["export-transformers", "robustness"])
def test_folders_that_commands_make_in_a_model(name: str, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (folder / name).symlink_to(outside)
    command = {
        "export-transformers": ["export", folder, "--to", "transformers"],
        "robustness": ["evaluate", folder, labelled(tmp_path), "--robust"],
    }[name]
    graft(*command).fails(1, "leads out of the folder")
    assert list(outside.iterdir()) == []
