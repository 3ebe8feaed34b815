"""A run in a folder: its policy, and run.json with its scores, which a resumed call reads back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from graftwork.bases.hashes import sha256_of_files
from graftwork.data.store.cache import digest, storing
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import remove, write_text
from graftwork.evidence.rl.scored import Scored
from graftwork.rl.recipe import RLRecipe
from graftwork.rl.world.environments import World
from graftwork.rl.world.observations import to_json

RUN, CHECKPOINT, POLICY_FOLDER = "run.json", "checkpoint.safetensors", "policy"
_EXTENDED = ("steps", "evaluate_every", "seed")
"""What of a recipe may differ in a call that goes on with a run."""


class ScoredEntry(TypedDict):
    step: int
    seconds: float
    cpu: float
    returns: list[float]
    lengths: list[int]
    successes: list[bool] | None


class RunEntry(TypedDict):
    """The whole of run.json."""

    fingerprint: str
    env: str
    recipe: dict[str, Any]
    seed: int
    scored: list[ScoredEntry]
    final: ScoredEntry | None
    failed: str
    interrupted: bool


@dataclass(frozen=True)
class RunFile:
    """What run.json says."""

    scored: tuple[Scored, ...]
    final: Scored | None
    failed: str
    interrupted: bool

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return not self.failed and not self.interrupted and bool(self.scored)


def fingerprint_of(recipe: RLRecipe, world: World, seed: int) -> str:
    """Changes with whatever makes a run another one; not with how long it is."""
    plain = {name: value for name, value in recipe.to_dict().items() if name not in _EXTENDED}
    told = [plain, to_json(world.parts), world.actions.to_json(), seed, demonstrations_digest(recipe)]
    return digest("rl run", json.dumps(told, sort_keys=True))


def demonstrations_digest(recipe: RLRecipe) -> str:
    """Changes with the files that are learned from first."""
    if recipe.demonstrations is None:
        return ""
    place = Path(recipe.demonstrations).expanduser()
    files = [one for one in place.rglob("*") if one.is_file()] if place.is_dir() else [place]
    return sha256_of_files(files, place if place.is_dir() else place.parent) if all(map(Path.is_file, files)) else ""


def write_run(
    folder: Path,
    *,
    fingerprint: str,
    env: str,
    recipe: Mapping[str, Any],
    seed: int,
    scored: Sequence[Scored],
    final: Scored | None,
    failed: str,
    interrupted: bool,
) -> None:
    """Put run.json in its place."""
    told = {
        "fingerprint": fingerprint,
        "env": env,
        "recipe": dict(recipe),
        "seed": seed,
        "scored": [one.to_json() for one in scored],
        "final": None if final is None else final.to_json(),
        "failed": failed,
        "interrupted": interrupted,
    }
    with storing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / RUN, json.dumps(told, ensure_ascii=False, indent=1))


def read_run(folder: Path, fingerprint: str) -> RunFile | None:
    """What run.json says of this very run; None where it is missing, damaged, or of another."""
    try:
        told = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if misfit(told, RunEntry) or told["fingerprint"] != fingerprint:
        return None
    final = None if told["final"] is None else Scored.from_json(told["final"])
    scored = tuple(Scored.from_json(one) for one in told["scored"])
    return RunFile(scored, final, told["failed"], told["interrupted"])


def start_afresh(folder: Path) -> None:
    """Remove what an earlier run left in the folder, and nothing else."""
    for name in (RUN, CHECKPOINT):
        remove(folder / name)
    for path in folder.glob("buffer-*.npz"):
        remove(path)
