"""graftwork.networks.hub.loading: one door to transformers: no code of a model runs, and no other file is read."""

from __future__ import annotations

import ast
import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import graftwork
from command import graft, topics
from fuzz.examine import within
from graftwork.errors import ModelError
from graftwork.networks.hub.loading import load_model, load_reader, read_config
from graftwork.networks.text.transformer import TransformerEncoder
from tiny import tiny_model

SOURCE = Path(graftwork.__file__).parent
OUR_OWN = {
    "cls",
    "TextTokenizer",
    "TransformerEncoder",
    "ImageModelEncoder",
    "PatchEncoder",
    "ASTEncoder",
    "WaveEncoder",
    "WhisperEncoder",
    "SpeakerEncoder",
}
"""Classes of the project whose `from_pretrained` goes through the hub module, or reads safetensors alone."""
PICKLED = "bases/pickled.py"
"""Reads weights that torch pickled, of files with a known hash; `tests/bases/test_pickled.py` looks at it."""
BEHIND_THE_DOOR = {"networks/hub/loading.py", "deploy/transformers/bundle_program.py"}
"""The second is a program for exports, which needs nothing of graftwork; its own test looks at its options."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "base", "bert")


def calls(tree: ast.AST) -> list[str]:
    """What a module calls or imports that opens files of other programs, as `receiver.name`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            receiver = node.value.id if isinstance(node.value, ast.Name) else "?"
            if node.attr in ("from_pretrained", "from_config") and receiver not in OUR_OWN:
                found.append(f"{receiver}.{node.attr}")
            if (receiver == "torch" and node.attr in ("load", "hub")) or node.attr == "torch_load":
                found.append(f"{receiver}.{node.attr}")
            if node.attr.startswith("Auto") and receiver in ("transformers", "library"):
                found.append(f"{receiver}.{node.attr}")
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in UNSAFE]
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [alias.name for alias in node.names]
            found += [name for name in names if name.startswith("Auto") and "transformers" in node.module]
            found += [node.module] if node.module.split(".")[0] in UNSAFE else []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
            found.append(node.func.id)
    return found


UNSAFE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}


def test_nothing_else_in_the_source_opens_models() -> None:
    for path in SOURCE.rglob("*.py"):
        name = path.relative_to(SOURCE).as_posix()
        found = calls(ast.parse(path.read_text(encoding="utf-8")))
        assert name in {*BEHIND_THE_DOOR, PICKLED} or not found, f"{name} opens a model by itself: {found}"


def test_the_search_finds_what_it_should() -> None:
    for line in (
        "import pickle",
        "torch.load('x')",
        "transformers.AutoModel.from_pretrained('x')",
        "getattr(t, 'AutoModel').from_pretrained('x')",
        "from transformers import AutoTokenizer",
        "eval('1')",
    ):
        assert calls(ast.parse(line)), line


@pytest.mark.parametrize("name", sorted(BEHIND_THE_DOOR))
def test_each_load_behind_the_door_is_closed_to_code(name: str) -> None:
    text = (SOURCE / name).read_text(encoding="utf-8")
    assert re.search(r"""trust_remote_code"?[=:] ?False""", text)
    assert not re.search(r"""trust_remote_code"?[=:] ?(True|None)""", text)
    assert "use_safetensors=True" in text
    assert "local_files_only" in text


# --- code in the repository ----------------------------------------------------------------------------------------
def with_code(folder: Path, mark: Path) -> None:
    """A model that asks for its own code, which would write `mark`."""
    for name in ("config.json", "tokenizer_config.json"):
        told = json.loads((folder / name).read_text())
        told["auto_map"] = {
            auto: f"own.{made}"
            for auto, made in (
                ("AutoConfig", "Own"),
                ("AutoModel", "Own"),
                ("AutoModelForSequenceClassification", "Own"),
                ("AutoTokenizer", "Own"),
            )
        }
        if name == "config.json":
            told["model_type"] = "own"
            told["architectures"] = ["OwnForSequenceClassification"]
        (folder / name).write_text(json.dumps(told))
    (folder / "own.py").write_text(f"open({str(mark)!r}, 'w').write('ran')\nclass Own: pass\n")


@pytest.mark.parametrize("use", ["--base", "--with"])
def test_yes_on_the_terminal_runs_no_code(use: str, folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with_code(folder, mark)
    table = topics(tmp_path / "t.csv")
    given = [use, str(folder) if use == "--base" else f"distil:teacher={folder}"]
    if use == "--with":
        given += ["--base", "cnn"]
    command = [sys.executable, "-m", "graftwork.cli", "fit", str(table), "--target", "label", *given]
    ran = subprocess.run(
        [*command, "--out", str(tmp_path / "out")], input="y\n" * 50, capture_output=True, text=True, timeout=300
    )
    assert ran.returncode in (1, 2)
    assert "never run here" in ran.stderr
    assert "architecture transformers has itself" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not mark.exists()


def test_code_beside_a_known_architecture_stays_unread(folder: Path, tmp_path: Path) -> None:
    told = json.loads((folder / "config.json").read_text())
    told["auto_map"] = {"AutoModel": "own.Own", "AutoConfig": "own.Own"}
    (folder / "config.json").write_text(json.dumps(told))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'mark')!r}, 'w').write('ran')\nclass Own: pass\n")
    TransformerEncoder.from_pretrained(folder)
    assert not (tmp_path / "mark").exists()


# --- weights -------------------------------------------------------------------------------------------------------
class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.mark), "w")


@pytest.mark.parametrize("left", [True, False])
def test_an_index_that_names_a_pickle(left: bool, folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (folder / "weights.bin").write_bytes(pickle.dumps(Bomb(mark)))
    index = {"metadata": {}, "weight_map": {"embeddings.word_embeddings.weight": "weights.bin"}}
    if not left:
        (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    for load in (TransformerEncoder.from_pretrained, lambda path: load_model("AutoModel", path)):
        with pytest.raises(ModelError, match="safetensors"):
            load(folder)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["../other.safetensors", "/tmp/other.safetensors", "a/../../b.safetensors", 7])
def test_an_index_that_leads_out(name: object, folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(ModelError, match="no plain file name"):
        load_model("AutoModel", folder)


def test_weights_that_the_configuration_names(folder: Path) -> None:
    told = json.loads((folder / "config.json").read_text())
    for name, why in (("adapter_model.bin", "run code"), ("../x.safetensors", "no plain file name")):
        (folder / "config.json").write_text(json.dumps(told | {"transformers_weights": name}))
        with pytest.raises(ModelError, match=why):
            read_config(folder)


def test_only_pickles(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"weights only as pytorch_model.bin.*convert it once"):
        load_model("AutoModelForSequenceClassification", folder)


def test_an_adapter_names_no_other_model(folder: Path) -> None:
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/elsewhere"}))
    with pytest.raises(ModelError, match="Merge the two first"):
        read_config(folder)


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "model.safetensors", "additional/template.jinja"])
def test_links_that_lead_out(name: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("{}")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / "secret")
    with pytest.raises(ModelError, match="leads out of the folder"):
        load_reader("AutoTokenizer", folder, "tokenizer")
    ran = graft("fit", topics(tmp_path / "t.csv"), "--target", "label", "--base", folder, "--out", tmp_path / "o")
    ran.fails(1, "leads out of the folder")


def test_modules_that_lead_out(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    modules = [{"type": "x.Transformer", "path": ""}, {"type": "x.Pooling", "path": "../elsewhere"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(ModelError, match="no plain file name"):
        TransformerEncoder.from_pretrained(folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("name", ["model.safetensors", "x.index.json", "modules.json", "tokenizer.json"])
def test_pipes_in_a_base(name: str, tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "base")
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    with within(20), pytest.raises(ModelError, match="a pipe"):
        TransformerEncoder.from_pretrained(folder)
