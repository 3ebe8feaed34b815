"""model.json: what it must hold, of which types, and which other files it vouches for. Nothing in it is trusted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict

from graftwork.bases.cyclonedx import from_cyclonedx
from graftwork.bases.provenance import NOT_KNOWN, Provenance
from graftwork.data.store.cache import digest
from graftwork.data.store.entries import checksum
from graftwork.data.store.locks import settled
from graftwork.data.store.names import inside, plain_name
from graftwork.data.store.staging import STAGED
from graftwork.data.store.typed import misfit
from graftwork.data.table import Column, Schema
from graftwork.errors import DataError, ModelError, RefusedError, UsageError, nearest
from graftwork.networks.migrations import migrated

MANIFEST, WEIGHTS, PROVENANCE = "model.json", "weights.safetensors", "provenance.json"
MOST_MEMBERS = 100
"""Models in an ensemble, at most."""
LOOKED_AT = 100
"""Files beside a folder that is not there, at most, among which a message looks for models."""


class _FromPackage(TypedDict, total=False):
    package: str


class EncoderEntry(_FromPackage):
    """package: that its class comes from, where that is another than graftwork; so in the next two."""

    architecture: str
    config: dict[str, Any]


class TaskEntry(_FromPackage):
    name: str
    state: dict[str, Any]


class HeadEntry(_FromPackage):
    outputs: int
    spec: str


class _Later(TypedDict, total=False):
    files: dict[str, str]
    checksum: str


class _Described(_Later):
    """What every model has. files: by path in the folder, the checksum of each file; checksum: of all else in it; older
    versions wrote none."""

    format: int
    graftwork: str
    recipe: dict[str, Any]
    schema: list[Column]
    tasks: dict[str, TaskEntry]


class Manifest(_Described):
    """The whole of it, of a model with one network."""

    encoders: list[EncoderEntry]
    columns: dict[str, int]
    sources: dict[str, list[str]]
    fusion: dict[str, Any]
    film: dict[str, int] | None
    lacked: list[str]
    heads: dict[str, HeadEntry]
    precision: Literal["fp32", "bf16"]
    temperature: dict[str, float]


class MemberEntry(TypedDict):
    """weight: the member's share in the mean. Its folder is called by its place in the list (`member_folder`)."""

    weight: float


class EnsembleManifest(_Described):
    """The whole of it, of an ensemble, whose members are models in folders of their own."""

    members: list[MemberEntry]


def is_model(folder: Path) -> bool:
    """True for a folder with a model of graftwork, be it damaged; not for the model.json of other programs."""
    return any(_is_ours(path, damaged=True) for path in _manifests(folder))


def is_replaceable(folder: Path) -> bool:
    """True for a folder whose model.json was certainly written by graftwork, so that a new model may take its place."""
    return any(_is_ours(path, damaged=False) for path in _manifests(folder))


def moment(folder: Path) -> tuple[int, int] | None:
    """Changes whenever another model takes the place of the one in `folder`; None while that is going on."""
    try:
        found = (folder / MANIFEST).stat()
    except OSError:
        return 0, 0
    return None if (folder / STAGED).is_dir() else (found.st_mtime_ns, found.st_ino)


def _manifests(folder: Path) -> tuple[Path, Path]:
    """Where it may lie: in its place, or in a set of files that was not moved to its places yet."""
    return folder / MANIFEST, folder / STAGED / MANIFEST


def _is_ours(path: Path, *, damaged: bool) -> bool:
    if not path.is_file():
        return False
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return damaged
    if not isinstance(told, dict):
        return False
    named = ("graftwork" in told, isinstance(told.get("format"), int))
    return any(named) if damaged else all(named)


def read_manifest(folder: Path) -> dict[str, Any]:
    """What model.json says, as if this version had written it, every type checked; `format` is that of the file.

    Raises ModelError where it is missing, foreign, damaged or newer, and where it is a link that leads out of the
    folder."""
    path = folder / MANIFEST
    if not is_model(folder):
        why = "its model.json was written by something else" if path.is_file() else f"it has no {MANIFEST}"
        if not path.is_file() and (folder / "policy.json").is_file():
            why = "it holds a policy of graft rl. Load it with gw.load_policy; graft evaluate FOLDER --env ID plays it"
        raise ModelError(f"{folder} is not a model of graftwork: {why}.")
    try:
        settled(folder, MANIFEST)
        told = json.loads(inside(folder, MANIFEST).read_text(encoding="utf-8"))
        json.dumps(told, ensure_ascii=False).encode()  # half a character could not be written again
    except (DataError, UsageError) as error:
        raise ModelError(
            f"{folder} was being saved when that was stopped, and can't be put in order: {error}"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged ({error}). Copy or train the model again.") from None
    if not isinstance(told, dict):
        raise ModelError(f"{path} is damaged (it holds no object). Copy or train the model again.")
    if "checksum" in told and sealed(told) != told:
        raise ModelError(f"{path} is damaged: it is not as it was written. Copy or train the model again.")
    told = migrated(told, folder)
    if is_ensemble(told):
        wrong = misfit(told, EnsembleManifest) or _misfit_members(told)
    else:
        wrong = misfit(told, Manifest) or _misfit_within(told)
    if wrong:
        raise ModelError(f"{path} is damaged: {wrong}. Copy or train the model again.")
    return told


def is_ensemble(manifest: Mapping[str, Any]) -> bool:
    """Whether it is of an ensemble, which has no network of its own."""
    return "members" in manifest


def member_folder(at: int) -> str:
    """The name of the folder in which a member of an ensemble lies. at: its place in the list of members."""
    return f"member-{at}"


def read_network_manifest(folder: Path) -> dict[str, Any]:
    """`read_manifest`, for who needs one network. Raises RefusedError for an ensemble."""
    return one_network(folder, read_manifest(folder))


def one_network(folder: Path, told: dict[str, Any]) -> dict[str, Any]:
    """The manifest of a folder, where it is of one network. Raises RefusedError for an ensemble."""
    if is_ensemble(told):
        raise RefusedError(
            f"{folder} is an ensemble of {len(told['members'])} models and has no network of its own to start from or "
            f"to read. Name a member, which is a whole model: {folder / member_folder(0)}"
        )
    return told


def weights_in(files: Mapping[str, str]) -> str | None:
    """What tells the weights of a model from others. files: as its manifest has them; None where they say nothing."""
    held = [files[name] for name in sorted(files) if name.split("/")[-1] == WEIGHTS]
    return digest(*held) if len(held) > 1 else next(iter(held), None)


def weights_key(folder: Path) -> str | None:
    """The same of what lies in `folder`."""
    held = [folder / WEIGHTS, *folder.glob(f"{member_folder(0)[:-1]}*/{WEIGHTS}")]
    return weights_in({path.relative_to(folder).as_posix(): checksum(path) for path in held if path.is_file()})


def sealed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with a checksum of what it says, however that is laid out in the file."""
    content = {name: value for name, value in manifest.items() if name != "checksum"}
    plain = json.loads(json.dumps(content))
    return content | {"checksum": digest(json.dumps(plain, sort_keys=True))}


def read_manifest_of(folder: Path) -> dict[str, Any]:
    """The same of a folder that a user named: a folder that is not there is said with what may be meant."""
    advice = "Name the folder that graft fit wrote (--out)."
    if folder.is_dir():
        return read_manifest(folder)
    if folder.exists():
        raise ModelError(f"{folder} is a file, and a model is a folder. {advice}")
    beside = list(folder.parent.iterdir())[:LOOKED_AT] if folder.parent.is_dir() else []
    models = [path.name for path in beside if is_model(path)]
    raise ModelError(
        f"There is no model folder {folder}. {f'{nearest(folder.name, models)} ' if models else ''}{advice}"
    )


def provenance_in(folder: Path, manifest: Mapping[str, Any]) -> Provenance:
    """Where the model comes from, by the file that the manifest vouches for; earlier versions wrote none.

    Raises ModelError where it is damaged."""
    if PROVENANCE not in manifest.get("files", {}):
        return NOT_KNOWN
    path = inside(folder, PROVENANCE)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged ({error}). Copy or train the model again.") from None
    return from_cyclonedx(told, str(path))


def schema_of(manifest: Mapping[str, Any]) -> Schema:
    """The columns of the training table."""
    return Schema(tuple(_column(about) for about in manifest["schema"]))


def _column(about: dict[str, Any]) -> Column:
    """A column of the manifest; pairs and lists come back from json as lists."""
    scale = about.get("scale")
    pair = (float(scale[0]), float(scale[1])) if scale else None
    lists = {"levels": tuple(about["levels"]), "join": tuple(about.get("join", ()))}
    return Column(**about | lists | {"scale": pair})


def check_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Raise ModelError where a file that the manifest vouches for is missing or not as it was written."""
    for name, known in manifest.get("files", {}).items():
        parts = [plain_name(part, folder / MANIFEST) for part in name.split("/")]
        path = inside(folder, *parts)
        if not path.is_file():
            raise ModelError(f"{folder} is a damaged model: {name} is missing. Copy or train it again.")
        if checksum(path) != known:
            raise ModelError(f"{folder} is a damaged model: {name} is not as it was written. Copy or train it again.")


def checksums(folder: Path, names: Iterable[str] | None = None) -> dict[str, str]:
    """What a manifest says of the files that are in `folder` already. names: of these alone, plain ones."""
    if names is None:
        found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    else:
        found = [inside(folder, plain_name(name, folder)) for name in names]
    return {path.relative_to(folder).as_posix(): checksum(path) for path in found}


def _misfit_members(told: Mapping[str, Any]) -> str:
    """What is wrong with the list of an ensemble's members."""
    weights = [member["weight"] for member in told["members"]]
    if not 1 < len(weights) <= MOST_MEMBERS:
        return f"it has {len(weights)} members, expected 2 to {MOST_MEMBERS}"
    if min(weights) <= 0 or abs(sum(weights) - 1) > 1e-6:
        return f"the weights of its members are {weights}, expected numbers above 0 that sum to 1"
    return ""


def _misfit_within(told: Mapping[str, Any]) -> str:
    """What contradicts something else in the manifest."""
    known, inputs = {column["name"] for column in told["schema"]}, told["columns"].keys()
    for column in told["schema"]:
        join = column.get("join", ())
        if join and (column["name"] not in join or column["kind"] != "text" or not known.issuperset(join)):
            return f"the column {column['name']} is joined with columns that are not in the schema"
    for name, index in told["columns"].items():
        if not 0 <= index < len(told["encoders"]):
            return f"the input {name} names an encoder that is not there"
        if not told["sources"].get(name):
            return f"the input {name} reads no columns"
    for name, read in told["sources"].items():
        if name not in inputs or not known.issuperset(read):
            return f"the input {name} reads columns that are not in the schema"
    if not inputs or told["tasks"].keys() != told["heads"].keys():
        return "tasks, heads and columns don't belong together"
    for name, value in told["temperature"].items():
        if name not in told["tasks"] or value <= 0:
            return f"temperature.{name} is {value}, expected a target and a number above 0"
    return ""
