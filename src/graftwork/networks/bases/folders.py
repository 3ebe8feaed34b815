"""Whether a folder can be a base of a kind, before anything slow begins: its files, and what it reads."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from graftwork.data.table import Modality
from graftwork.errors import ModelError

_WORDS: dict[Modality, str] = {"text": "texts", "image": "images", "audio": "sounds", "table": "numbers and categories"}
_WEIGHTS = "*.safetensors"
_SHOWN = 6


def check_folder(folder: Path, wanted: Modality, found: Modality | None, names: Collection[str]) -> None:
    """Raise ModelError where `folder` is no base, or none for what is wanted.

    found: what its files say it reads; None where they don't. names: bases that read what is wanted.
    """
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} is no base: it has no config.json. {_inside(folder)}{_needed(wanted)}")
    if found is not None and found != wanted:
        raise ModelError(
            f"The base {folder} reads {_WORDS[found]}, and {_WORDS[wanted]} are to be read. These read them: "
            f"{', '.join(names)}."
        )


def _inside(folder: Path) -> str:
    """What the folder holds in its place, or where the model may be meant."""
    try:
        held = sorted(folder.iterdir())
    except OSError as error:
        return f"It can't be looked into ({error.strerror}). "
    models = [one for one in held if (one / "config.json").is_file()]
    if models:
        return f"Is {models[0]} meant? "
    listed = ", ".join(one.name for one in held[:_SHOWN]) + (", …" if len(held) > _SHOWN else "")
    return f"It holds {listed}. " if held else "It is empty. "


def _needed(wanted: Modality) -> str:
    beside = {"text": "tokenizer.json", "image": "preprocessor_config.json", "audio": "preprocessor_config.json"}
    files = ["config.json", _WEIGHTS, *filter(None, [beside.get(wanted)])]
    return (
        f"A base for {_WORDS[wanted]} is a folder that graft fit wrote, or a Hugging Face folder with "
        f"{', '.join(files[:-1])} and {files[-1]}."
    )
