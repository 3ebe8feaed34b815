"""What is said of a package whose files are not laid out as they were when their reader was written."""

from __future__ import annotations

from graftwork.errors import ModelError


def changed(name: str, expected: object, found: object) -> ModelError:
    """name: of the file."""
    return ModelError(
        f"The layout of {name} changed: expected {expected}, found {found}. This version of graftwork can't read it: "
        "take the authors' own weights where they are on the hub (graft bases get NAME --source hub), or a local "
        "folder with such a model (--base FOLDER)."
    )
