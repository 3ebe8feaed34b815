"""policy.json: what it must hold, of which types. Nothing in it is trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, TypedDict

from graftwork.data.store.locks import settled
from graftwork.data.store.names import inside
from graftwork.data.store.typed import misfit
from graftwork.errors import DataError, ModelError, UsageError
from graftwork.networks.manifest import sealed

POLICY, WEIGHTS = "policy.json", "weights.safetensors"
FORMAT = 1
"""Of policy.json; a newer one is refused."""


class PartEntry(TypedDict):
    name: str
    kind: Literal["image", "map", "numbers", "category", "text"]
    path: list[str]
    shape: list[int]
    first: bool
    sizes: list[int]
    starts: list[int]


class ActionsEntry(TypedDict):
    kind: Literal["one", "several", "flags", "numbers"]
    shape: list[int]
    sizes: list[int]
    starts: list[int]
    low: list[float]
    high: list[float]


class InputEntry(TypedDict):
    """encoder: which of the encoders reads it. parts: their names. places: of a map that tells where things are; 0 for
    none."""

    name: str
    parts: list[str]
    encoder: int
    trained: bool
    places: int


class NetworkEntry(TypedDict):
    hidden: list[int]
    activation: Literal["tanh", "relu"]
    spread: Literal["none", "fixed", "seen"]


class Manifest(TypedDict):
    """The whole of policy.json."""

    format: int
    graftwork: str
    about: dict[str, Any]
    parts: list[PartEntry]
    actions: ActionsEntry
    inputs: list[InputEntry]
    encoders: list[dict[str, Any]]
    fusion: dict[str, Any] | None
    network: NetworkEntry
    squashed: bool
    explore: float
    scaled: list[str]
    files: dict[str, str]
    checksum: str


def is_policy(folder: Path) -> bool:
    """Whether a folder holds a policy that graftwork wrote, be it damaged."""
    try:
        told = json.loads((folder / POLICY).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return (folder / POLICY).is_file()
    return isinstance(told, dict) and "graftwork" in told


def read_manifest(path: Path) -> dict[str, Any]:
    """What policy.json says, every type checked. Raises ModelError where it is missing, foreign, damaged or newer."""
    if not (path / POLICY).is_file() and not path.is_dir():
        raise ModelError(f"There is no policy folder {path}. Name the folder that graft rl wrote (--out).")
    try:
        settled(path, POLICY)
        if not is_policy(path):
            raise ModelError(f"{path} is not a policy of graftwork: it has no {POLICY}, or one of something else.")
        told = json.loads(inside(path, POLICY).read_text(encoding="utf-8"))
        json.dumps(told, ensure_ascii=False).encode()  # half a character could not be written again
    except (DataError, UsageError, OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path / POLICY} is damaged ({error}). Copy or learn the policy again.") from None
    if not isinstance(told, dict) or "checksum" not in told or sealed(told) != told:
        raise ModelError(f"{path / POLICY} is damaged: it is not as it was written. Copy or learn the policy again.")
    if isinstance(told.get("format"), int) and told["format"] > FORMAT:
        raise ModelError(f"{path} was written by a newer version of graftwork. Update: pip install -U graftwork.")
    wrong = misfit(told, Manifest)
    if wrong:
        raise ModelError(f"{path / POLICY} is damaged: {wrong}. Copy or learn the policy again.")
    return told
