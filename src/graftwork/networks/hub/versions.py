"""Whether transformers here knows the architecture of a folder, or is too old for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graftwork.errors import ModelError


def check_known(folder: Path, config: Mapping[str, Any]) -> None:
    """Raise ModelError where transformers does not have the architecture that config.json names.

    A newer version's configuration of a known architecture is tried: most can be read.
    """
    import transformers
    from transformers import CONFIG_MAPPING

    kind = config.get("model_type")
    if not isinstance(kind, str) or kind in CONFIG_MAPPING or "auto_map" in config:
        return
    here, written = str(transformers.__version__), str(config.get("transformers_version") or "")
    if is_newer(written, here):
        raise ModelError(
            f"The base in {folder} was written by transformers {written}, and {here} is installed, which does not know "
            f"its architecture '{kind}'. Run: pip install --upgrade transformers. Or choose another base: graft list "
            "bases."
        )
    raise ModelError(
        f"The base in {folder} has an architecture that transformers {here} does not know: '{kind}'. Is model_type "
        "in its config.json right? A newer transformers may know it: pip install --upgrade transformers. Or choose "
        "another base: graft list bases."
    )


def newer_note(config: Mapping[str, Any]) -> str:
    """For a message on a folder that can't be loaded: that a newer transformers wrote it; "" where none did."""
    import transformers

    here, written = str(transformers.__version__), str(config.get("transformers_version") or "")
    if not is_newer(written, here):
        return ""
    return f" (transformers {written} wrote it, and {here} is installed: pip install --upgrade transformers may help)"


def is_newer(one: str, other: str) -> bool:
    """Whether a version is newer than another; no where one of them can't be read.

    >>> is_newer("5.23.1", "5.23.0"), is_newer("4.57.0.dev0", "5.1"), is_newer("", "5.1")
    (True, False, False)
    """
    first, second = _numbers(one), _numbers(other)
    return bool(first and second) and first > second


def _numbers(version: str) -> list[int]:
    parts = []
    for part in version.split(".")[:3]:
        if not part.isdigit():
            break
        parts.append(int(part))
    return parts
