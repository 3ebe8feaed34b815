"""Models of the hub by their ids: one commit, safetensors, no code; from a hub that this test plays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from graftwork.bases.home import fetched_from_hub, folder_of, hub_folder, is_hub_id
from graftwork.bases.source import read_source
from graftwork.errors import FetchError, UsageError
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.hub.loading import locate
from tiny import tiny_bert
from tinypackages import DATA, entry, left_behind, offer, pinned, sha256, wheel
from tinyserver import Answer, Server, serving

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "someone/tiny"


class Hub:
    """What the hub answers: files by name, of one commit. wrong: says another hash of a file than it has."""

    def __init__(self, files: Mapping[str, bytes], licence: str = "apache-2.0", wrong: str = "") -> None:
        self.files, self.licence, self.wrong = dict(files), licence, wrong

    def __call__(self, method: str, path: str) -> Answer:
        del method
        path = path.partition("?")[0]
        if path.startswith(f"/api/models/{NAME}"):
            revision = path.removeprefix(f"/api/models/{NAME}").removeprefix("/revision/") or "main"
            if revision not in ("main", "v1", COMMIT):
                return Answer(b"{}", 404, {"X-Error-Code": "RevisionNotFound"})
            return Answer(json.dumps(self._told()).encode(), headers={"Content-Type": "application/json"})
        found = self.files.get(path.removeprefix(f"/{NAME}/resolve/{COMMIT}/"))
        if found is None:
            return Answer(b"{}", 404, {"X-Error-Code": "RepoNotFound"})
        headers = {"ETag": f'"{sha256(found)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        return Answer(found, headers=headers)

    def _told(self) -> dict[str, Any]:
        siblings = []
        for name, content in self.files.items():
            held = sha256(b"other") if name == self.wrong else sha256(content)
            lfs = {"sha256": held, "size": len(content), "pointerSize": 130}
            extra = {"lfs": lfs} if name.endswith(".safetensors") else {}
            siblings.append({"rfilename": name, "size": len(content), "blobId": "1" * 40, **extra})
        return {"id": NAME, "sha": COMMIT, "siblings": siblings, "cardData": {"license": self.licence}, "tags": []}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tiny_bert(tmp_path_factory.mktemp("hub") / "bert")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def served() -> Iterator[Any]:
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda hub: stack.enter_context(serving(hub))


def graft(server: Server | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`graft` in a process of its own: the hub's client reads where the hub is when it is imported."""
    offline = "1" if server is None else "0"
    surroundings = {**os.environ, "HF_HUB_OFFLINE": offline, "HF_HUB_DISABLE_TELEMETRY": "1"}
    surroundings |= {"HF_ENDPOINT": server.address} if server else {}
    command = [sys.executable, "-m", "graftwork.cli", *arguments]
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=240)


def fails(server: Server | None, name: str, *words: str) -> None:
    ran = graft(server, "bases", "get", name)
    assert ran.returncode == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    for word in ("could not be fetched", "--base FOLDER", *words):
        assert word in ran.stderr, ran.stderr
    assert fetched_from_hub(name) is None
    assert not hub_folder(name).exists()
    assert left_behind(hub_folder(name).parent) == []


def test_ids() -> None:
    assert [is_hub_id(name) for name in (NAME, f"{NAME}@v1", "mpnet", "./a/b", "a/b/c", "a/b@", "../x")] == [
        *(True, True, False, False, False, False, False)
    ]


@pytest.mark.slow
def test_a_model_is_fetched_at_a_commit_and_then_found_by_its_id(model: dict[str, bytes], served: Any) -> None:
    others = {"modeling_own.py": b"raise SystemExit", "pytorch_model.bin": b"pickled", "onnx/model.onnx": b"other"}
    modules = {"1_Pooling/config.json": b"{}", "deep/er/config.json": b"{}", "LICENSE": b"text"}
    server = served(Hub({**model, **others, **modules}))
    ran = graft(server, "bases", "get", NAME)
    assert ran.returncode == 0, ran.stderr
    assert f"graft fit TABLE --base {NAME}" in ran.stdout
    folder = hub_folder(NAME)
    held = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert held == {*model, "1_Pooling/config.json", "LICENSE", "source.json"}
    source = read_source(folder)
    assert (source.name, source.hub, source.revision, source.licence) == (NAME, NAME, COMMIT, "Apache-2.0")
    assert source.files["model.safetensors"] == sha256(model["model.safetensors"])
    assert left_behind(folder.parent) == []
    assert locate(NAME) == folder  # without a network, as all that follows
    base = parse_base(NAME)
    assert (base.spec, base.modality) == (NAME, "text")
    listed = json.loads(graft(None, "bases", "list", "--json").stdout)
    line = next(one for one in listed if one["base"] == NAME)
    assert (line["reads"], line["licence"], line["here"]) == ("text", "Apache-2.0", str(folder))
    assert line["source"] == f"the hub: {NAME} at {COMMIT[:8]}; whole"
    again = graft(None, "bases", "get", f"{NAME}@{COMMIT[:10]}")
    assert again.returncode == 0, again.stderr
    assert graft(None, "bases", "remove", NAME).returncode == 0
    assert not folder.exists()


@pytest.mark.slow
def test_what_the_hub_does_not_have(model: dict[str, bytes], served: Any) -> None:
    fails(None, NAME, "HF_HUB_OFFLINE")
    server = served(Hub(model))
    fails(server, "someone/other", "can't be had from the hub")
    fails(server, f"{NAME}@v2", "can't be had from the hub")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"model.safetensors": None, "pytorch_model.bin": b"pickled"},
            "no safetensors weights: found pytorch_model.bin",
        ),
        ({"config.json": b"{}"}, "names no model_type"),
        ({"config.json": None}, "is no model of transformers"),
        ({"..\\evil.json": b"{}"}, "no plain file name"),
        ({"../evil.json": b"{}"}, "no plain file name"),
    ],
)
def test_what_is_no_base(
    changed: dict[str, bytes | None], words: str, model: dict[str, bytes], served: Any, own_home: Path
) -> None:
    files = {name: content for name, content in {**model, **changed}.items() if content is not None}
    fails(served(Hub(files)), NAME, words)
    assert not list(own_home.rglob("*evil*"))


def test_a_file_that_is_not_what_the_hub_says(model: dict[str, bytes], served: Any) -> None:
    fails(served(Hub(model, wrong="model.safetensors")), NAME, "model.safetensors of someone/tiny came damaged or cut")


def test_a_licence_that_is_not_known(model: dict[str, bytes], served: Any) -> None:
    assert graft(served(Hub(model, licence="other")), "bases", "get", f"{NAME}@v1").returncode == 0
    assert read_source(hub_folder(NAME)).licence == "unknown"


def test_the_authors_own_in_place_of_packages(
    model: dict[str, bytes], served: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`--source hub`: under the base's own name, with its licence, at the commit that the catalogue names."""
    import huggingface_hub
    from huggingface_hub import HfApi, constants

    import graftwork as gw

    package = pinned(wheel(tmp_path, "tiny", {"tiny/data.bin": DATA}), "tiny", {"tiny/data.bin": DATA})
    offer(monkeypatch, entry("tiny", package, hub=NAME, revision="v1"), entry("local", package, hub=None))
    server = served(Hub(model))
    monkeypatch.setattr(huggingface_hub, "HfApi", partial(HfApi, endpoint=server.address))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    folder = gw.bases.get("tiny", source="hub")
    assert folder == folder_of("tiny")
    source = read_source(folder)
    assert (source.name, source.hub, source.revision, source.licence) == ("tiny", NAME, COMMIT, "MIT")
    assert source.packages == ()
    assert any("/revision/v1" in path for path in server.paths)
    line = next(one for one in gw.bases.listed() if one.name == "tiny")
    assert (line.folder, line.source) == (folder, f"the hub: {NAME} at {COMMIT[:8]}")
    gw.bases.remove("tiny")
    monkeypatch.setattr(huggingface_hub, "HfApi", partial(HfApi, endpoint="http://127.0.0.1:9"))
    with pytest.raises(
        FetchError, match=r"could not be fetched: .*Its packages are another source: graft bases get tiny;"
    ):
        gw.bases.get("tiny", source="hub")
    with pytest.raises(UsageError, match=r"'local' is on no hub. Its packages have it: graft bases get local"):
        gw.bases.get("local", source="hub")
