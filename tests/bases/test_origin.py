"""Whose the weights of a base are: by source.json, the catalogue, a card or a licence beside them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graftwork.bases import origin as origins
from graftwork.bases.catalogue import Entry
from graftwork.bases.origin import Origin, origin_of

WEIGHTS = b"weights"
HASH = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    made.mkdir()
    (made / "model.safetensors").write_bytes(WEIGHTS)
    return made


def entry(**changes: Any) -> Entry:
    plain = Entry(
        name="known",
        summary="",
        reads="text",
        uses=(),
        languages="",
        parameters=1,
        size=1,
        licence="Apache-2.0",
        commercial=True,
        hub="org/known",
        form="whole",
        packages=(),
        convert=lambda *_: None,
        revision="abc",
    )
    return replace(plain, **changes)


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "known", lambda: {"known": entry(), "faces": entry(name="faces", commercial=False)})


def source(folder: Path, **changes: Any) -> None:
    told = {"name": "known", "licence": "Apache-2.0", "hub": "org/known", "revision": "abc", "form": "whole"}
    told |= {"files": {}, "packages": []} | changes  # type: ignore[dict-item]
    (folder / "source.json").write_text(json.dumps(told), encoding="utf-8")


def package(by: str) -> dict[str, str]:
    return {"registry": "pypi", "name": "p", "version": "1", "sha256": "0" * 64, "by": by}


def test_a_folder_that_says_nothing(folder: Path) -> None:
    assert origin_of(None, folder) == Origin(name="mine", sha256=HASH)
    assert origin_of(None, folder, hashed=False).sha256 is None
    assert origin_of("mpnet", folder).name == "mpnet"


def test_its_card(folder: Path) -> None:
    (folder / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    assert origin_of(None, folder) == Origin(name="mine", licence="MIT", commercial=True, sha256=HASH)


def test_several_files_have_one_hash(folder: Path) -> None:
    (folder / "more.safetensors").write_bytes(b"more")
    lines = f"{HASH}  model.safetensors\n{hashlib.sha256(b'more').hexdigest()}  more.safetensors\n"
    assert origin_of(None, folder).sha256 == hashlib.sha256(lines.encode()).hexdigest()


@pytest.mark.usefixtures("catalogue")
def test_what_fetching_wrote_counts_first(folder: Path) -> None:
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n", encoding="utf-8")
    source(folder, files={"model.safetensors": "0" * 64}, packages=[package("somebody"), package("somebody")])
    expected = Origin(
        name="known",
        licence="Apache-2.0",
        commercial=True,
        hub="org/known",
        revision="abc",
        sha256="0" * 64,
        by="somebody",
    )
    assert origin_of(None, folder) == expected
    assert origin_of("known", folder) == expected


@pytest.mark.usefixtures("catalogue")
def test_the_catalogue_says_what_a_licence_leaves_open(folder: Path) -> None:
    source(folder, name="faces")
    assert not origin_of("faces", folder).commercial
    source(folder, name="faces", licence="MIT")  # by somebody else, under another one
    assert origin_of("faces", folder).commercial
    assert origin_of("faces", folder / "gone") == Origin(
        name="faces", licence="Apache-2.0", commercial=False, hub="org/known", revision="abc"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"licence": 3}',
        b'{"licence": "MIT", "files": 3, "packages": {"by": 1}}',
        b"\xff",
        b"[" * 9999,
    ],
)
def test_a_source_that_is_damaged_is_no_source(folder: Path, content: bytes) -> None:
    (folder / "source.json").write_bytes(content)
    found = origin_of(None, folder)
    assert (found.name, found.sha256) == ("mine", HASH)


def test_nothing_of_a_source_acts_on_a_terminal(folder: Path) -> None:
    source(folder, name="a\x1b[2J", hub="b\x1b[2J", licence="c\x1b[2J", packages=[package("d\x1b[2J")])
    assert origin_of(None, folder) == Origin(name="mine", revision="abc", sha256=HASH)


@pytest.mark.usefixtures("catalogue")
def test_a_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert origin_of(None, "org/known").licence == "Apache-2.0"
    assert origin_of(None, "org/other") == Origin(name="org/other", hub="org/other")
    import huggingface_hub

    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(WEIGHTS)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: str(tmp_path / "config.json"))
    assert origin_of(None, "org/other") == Origin(
        name="org/other", licence="CC-BY-NC-4.0", hub="org/other", sha256=HASH
    )
