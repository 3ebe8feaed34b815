"""Tensors of a file that torch pickled (`.pth`, `.pt`): the only place where such a file is opened.

A pickle can run any program when it is opened. So it must be, byte for byte, the file that was looked at when its hash
was written down; and torch reads it with `weights_only`, which makes tensors and plain containers and runs nothing.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor


def tensors(file: Path, sha256: str) -> dict[str, Tensor]:
    """The tensors in `file` by name, on the processor; those in mappings and lists by the path to them: `model.weight`.

    sha256: that the file must have, in hexadecimal digits. What is no tensor is left out.
    Raises ModelError where the file can't be read, is another one, holds more than tensors and plain values, or holds
    two tensors of one name.
    """
    import torch

    content = _content(file, sha256)
    try:
        held = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError) as error:
        asked = re.search(r"GLOBAL (\S+)", str(error))  # torch's own message says how to open it all the same
        why = f"it asks for {asked[1]}" if asked else "it is cut or damaged"
        raise ModelError(
            f"{file} can't be read as a file of weights: {why}. Expected tensors and plain values alone."
        ) from None
    found: dict[str, Tensor] = {}
    for name, tensor in _named(held, ""):
        if name in found:
            raise ModelError(f"{file} holds two tensors of the name '{name}'. Expected each name once.")
        found[name] = tensor.detach().clone()
    return found


def _content(file: Path, sha256: str) -> bytes:
    """Read once, so that what is unpickled is what was checked."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ModelError(f"{file} can't be read: {error.strerror}.") from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256.lower():
        raise ModelError(
            f"{file} is not the file that was checked: expected SHA-256 {sha256}, found {found}. It was not opened, "
            "since a pickled file can run code. Fetch it again."
        )
    return content


def _named(held: Any, path: str) -> Iterator[tuple[str, Tensor]]:
    import torch

    if isinstance(held, torch.Tensor):
        yield path, held
        return
    if isinstance(held, Mapping):
        inside = list(held.items())
    else:
        inside = list(enumerate(held)) if isinstance(held, list | tuple) else []
    for key, value in inside:
        yield from _named(value, f"{path}.{key}" if path else str(key))
