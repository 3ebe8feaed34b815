"""A model of the hub as a folder of its own: its safetensors and plain files at one commit, no code, each as the hub
says that it is."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graftwork.bases.catalogue import Entry
from graftwork.bases.source import Source, file_digest, read_source
from graftwork.data.store.cache import free_bytes
from graftwork.data.store.names import plain_name
from graftwork.errors import FetchError, ModelError
from graftwork.progress import Screen

_ENDINGS = (".json", ".safetensors", ".txt", ".model")
_TEXTS = ("LICENSE", "LICENSE.txt", "LICENSE.md", "README.md", "NOTICE")
_OTHERS = (".bin", ".pt", ".pth", ".h5", ".msgpack", ".onnx", ".gguf")
_LEAST = 7
"""Signs of a commit that name it."""
MB = 1_000_000
LOOK = 0.3
"""Seconds between two looks at how much is there."""


def fill(
    folder: Path, work: Path, name: str, revision: str | None, shown: Screen, entry: Entry | None = None
) -> Source:
    """Fetch the model `name` into the empty `folder`. revision: a commit, a branch or a tag; None for the newest.

    work: an empty folder beside it, for what is not whole yet. entry: the base that it is to be. Raises FetchError
    where it can't be had, or holds no safetensors.
    """
    api, info = _looked_up(name, revision)
    wanted = {one.rfilename: one for one in info.siblings or () if _is_wanted(one.rfilename, name)}
    if not any(file.endswith(".safetensors") for file in wanted):
        others = [one.rfilename for one in info.siblings or () if one.rfilename.endswith(_OTHERS)][:4]
        found = f"found {', '.join(others)}, which can run code or are for other programs" if others else "found none"
        raise FetchError(f"{name} on the hub has no safetensors weights: {found}")
    total = sum(one.size or 0 for one in wanted.values())
    free = free_bytes(folder)
    if free is not None and free < total * 1.05:
        raise FetchError(f"No space left: {name} takes {total / 1e6:,.0f} MB, and {free / 1e6:,.0f} MB are free")
    try:
        with _watched(work, lambda held: shown.show(name, min(held, total) // MB, total // MB, "MB")):
            for file, one in wanted.items():
                got = _downloaded(api, name, file, info.sha, work)
                _check(got, one, name)
                (folder / file).parent.mkdir(exist_ok=True)
                shutil.move(got, folder / file)
    finally:
        shown.forget(name)
    _check_is_model(folder, name)
    licence = entry.licence if entry else _licence(info)
    return Source(name=entry.name if entry else name, licence=licence, form="whole", hub=name, revision=info.sha)


def is_revision(folder: Path, revision: str) -> bool:
    """Whether what lies in `folder` was fetched at this commit."""
    held = read_source(folder).revision or ""
    return len(revision) >= _LEAST and held.startswith(revision)


def _looked_up(name: str, revision: str | None) -> tuple[Any, Any]:
    from huggingface_hub import HfApi

    api = HfApi()
    with _refused(name):
        return api, api.model_info(name, revision=revision, files_metadata=True)


def _downloaded(api: Any, name: str, file: str, revision: str, folder: Path) -> Path:
    import huggingface_hub.utils

    bars: Any = huggingface_hub.utils
    quiet = bars.are_progress_bars_disabled()
    bars.disable_progress_bars()
    try:
        with _refused(name):
            return Path(api.hf_hub_download(name, file, revision=revision, local_dir=folder))
    finally:
        if not quiet:
            bars.enable_progress_bars()


@contextmanager
def _refused(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of the hub's client, of http, of the system
        if "No space left" in str(error):
            raise
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise FetchError(
            f"{name} can't be had from the hub (is the id right, is there a network, is HF_HUB_OFFLINE set?): {reason}"
        ) from error


def _is_wanted(file: str, name: str) -> bool:
    """Weights and plain files beside them, and the configuration of a module in a folder, as sentence-transformers
    has it. Raises FetchError for a name that leads elsewhere."""
    parts = file.split("/")
    try:
        for part in parts:
            plain_name(part, f"{name} on the hub")
    except ModelError as error:
        raise FetchError(str(error)) from error
    if len(parts) == 1:
        return file.endswith(_ENDINGS) or file in _TEXTS
    return len(parts) == 2 and parts[1] == "config.json"


def _check(got: Path, told: Any, name: str) -> None:
    """Raise FetchError where a file is not what the hub says that it has at that commit."""
    expected = getattr(told.lfs, "sha256", None) if told.lfs else None
    cut = told.size is not None and got.stat().st_size != told.size
    if cut or (expected and file_digest(got) != expected):
        raise FetchError(f"{told.rfilename} of {name} came damaged or cut: it is not what the hub says. Try again")


def _check_is_model(folder: Path, name: str) -> None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or not config.get("model_type"):
        raise FetchError(f"{name} on the hub is no model of transformers: its config.json names no model_type")


def _licence(info: Any) -> str:
    told = getattr(info.card_data, "license", None) if info.card_data else None
    told = told[0] if isinstance(told, list) and told else told
    return _SPDX.get(str(told).lower(), str(told)) if told and str(told) != "other" else "unknown"


_SPDX = {
    spdx.lower(): spdx
    for spdx in (
        *("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC0-1.0"),
        *("CC-BY-NC-SA-4.0", "CC-BY-NC-ND-4.0", "AFL-3.0", "MPL-2.0", "GPL-3.0", "AGPL-3.0", "LGPL-3.0"),
    )
}
"""The hub writes them in small letters."""


@contextmanager
def _watched(folder: Path, progress: Callable[[int], None]) -> Iterator[None]:
    """Meanwhile, `progress` is told how many bytes lie in `folder`, or have left it again."""
    end = threading.Event()
    most = [0]

    def look() -> None:
        while not end.wait(LOOK):
            files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
            most[0] = max(most[0], sum(_size(path) for path in files))
            progress(most[0])

    watcher = threading.Thread(target=look, name="graftwork hub", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        end.set()
        watcher.join()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # moved meanwhile
        return 0
