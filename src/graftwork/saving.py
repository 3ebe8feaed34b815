"""A model as a folder: model.json (what it is), weights.safetensors, provenance.json (where it comes from), files of
each encoder; reference.safetensors (what its training rows were like), calibration.safetensors if known. No pickle.
An ensemble has a folder for each member, which is a model by itself, in place of weights and encoders.

All of it appears at once, with checksums in model.json: a folder without it is no model, a folder with it is whole.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from graftwork.data.store.cache import storing
from graftwork.data.store.entries import checksum
from graftwork.data.store.locks import claimed
from graftwork.data.store.names import inside
from graftwork.data.store.staging import staged
from graftwork.data.store.writing import is_own, remove, write_text
from graftwork.errors import MissingPackageError, ModelError, UsageError
from graftwork.evidence.strange.stored import REFERENCE
from graftwork.evidence.sure.files import CALIBRATION
from graftwork.network_files import (
    DAMAGE,
    described,
    read_beside,
    read_network,
    read_tasks,
    what_is_damaged,
    write_beside,
    write_network,
)
from graftwork.networks.manifest import (
    MANIFEST,
    WEIGHTS,
    check_files,
    checksums,
    is_ensemble,
    is_replaceable,
    member_folder,
    moment,
    read_manifest_of,
    read_network_manifest,
    sealed,
    weights_key,
)
from graftwork.networks.several import Several
from graftwork.saved import Member as Member
from graftwork.saved import Saved as Saved
from graftwork.saved import recipe_text, why_not_together

REPORTS = ("report.html", "README.md", "metrics.json", "mixed.json")
"""What is written of a run beside its model."""


def save(model: Saved, folder: Path, also: Callable[[Path], None] | None = None) -> Path:
    """Write `model` to `folder`; replaces a model that is there, and nothing else. Returns the folder.

    also: writes further files that belong to it into the folder that it is given; they appear together.
    """
    with claimed(folder), storing(folder):
        others = [path for path in folder.iterdir() if not is_own(path.name)] if folder.is_dir() else []
        if (others and not is_replaceable(folder)) or (os.path.lexists(folder) and not folder.is_dir()):
            raise UsageError(f"{folder} holds something that is not a model of graftwork. Choose another folder.")
        kept = [name for name in REPORTS if also is None and (folder / name).is_file()]
        before = weights_key(folder) if kept else None
        put(model, folder, also)
        if before is not None and before != weights_key(folder):
            warnings.warn(f"{folder} keeps {', '.join(kept)} of the model that was there before.", stacklevel=3)
    return folder


def put(model: Saved, folder: Path, also: Callable[[Path], None] | None = None) -> None:
    """`save` for who holds the folder's lock and has looked at what is in it."""
    with staged(folder, MANIFEST) as place:
        _write(model, place, also)
        new = {path.name for path in place.iterdir()}
    members = [name for name in _numbered(folder, "member-") if is_replaceable(folder / name)]
    before = [WEIGHTS, REFERENCE, CALIBRATION, *_numbered(folder, "encoder-"), *members]
    for name in before:  # of a model with more of them
        if name not in new:
            remove(folder / name)


def _numbered(folder: Path, start: str) -> list[str]:
    names = [path.name for path in folder.glob(f"{start}*")]
    return [name for name in names if name.removeprefix(start).isdecimal()]


def _write(model: Saved, folder: Path, also: Callable[[Path], None] | None = None) -> None:
    """A whole model into a new folder. also: see `save`."""
    told = described(model)
    if model.members:
        write_beside(model, folder)
        files = checksums(folder)
        for at, member in enumerate(model.members):
            (folder / member_folder(at)).mkdir()
            _write(member.model, folder / member_folder(at))
            # A member vouches for its files itself; this says that it is the one that was put here.
            files[f"{member_folder(at)}/{WEIGHTS}"] = checksum(folder / member_folder(at) / WEIGHTS)
        told |= {"members": [{"weight": member.weight} for member in model.members], "files": files}
    else:
        told |= write_network(model, folder)
        write_beside(model, folder)
        told |= {"files": checksums(folder)}
    write_text(folder / "recipe.yaml", recipe_text(model))
    if also is not None:
        also(folder)
    write_text(folder / MANIFEST, json.dumps(sealed(told), ensure_ascii=False, indent=1))


def load(folder: str | os.PathLike[str]) -> Saved:
    """Read what `Model.save` or `graft fit --out` wrote: offline, without pickle.

    Where the model is replaced meanwhile, it is read again, so that no old part meets a new one.
    Raises ModelError for a folder that is missing, foreign, half copied or of a newer version.
    """
    path = Path(folder)
    for last in (False, False, True):
        before = moment(path)
        try:
            loaded = _load(path)
        except ModelError:
            if last or before is None or moment(path) == before:
                raise
        else:
            if last or moment(path) == before:
                return loaded
    raise AssertionError("unreachable")


def _load(path: Path, *, alone: bool = False) -> Saved:
    """alone: it must be one network, as a member is."""
    manifest = read_network_manifest(path) if alone else read_manifest_of(path)
    check_files(path, manifest)
    try:
        return _ensemble(path, manifest) if is_ensemble(manifest) else read_network(path, manifest)
    except MissingPackageError as error:
        raise MissingPackageError(f"{path} can't be loaded. {error}") from None
    except UsageError as error:  # of the recipe, a head or a technique in it
        raise ModelError(f"{path} is a damaged model, or of another version: {error}") from None
    except DAMAGE as error:
        raise ModelError(f"{path} is a damaged model: {what_is_damaged(error)}. Copy or train it again.") from None


def _ensemble(path: Path, manifest: Mapping[str, Any]) -> Saved:
    """The ensemble that a manifest describes, with its members."""
    each = manifest["members"]
    members = tuple(
        Member(entry["weight"], _load(inside(path, member_folder(at)), alone=True)) for at, entry in enumerate(each)
    )
    network = Several([member.model.network for member in members])
    found = replace(read_beside(path, manifest, network, read_tasks(manifest)), members=members)
    wrong = why_not_together(found)
    if wrong:
        raise ValueError(wrong)
    return found
