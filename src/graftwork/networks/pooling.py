"""Token states to one vector a row: mean, max, first or last token, and which of them a base was trained with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from graftwork.data.store.names import inside, plain_name
from graftwork.errors import ModelError

How = Literal["mean", "cls", "max", "last"]

# Names in the files of sentence-transformers, the older ones as flags.
_NAMES: dict[str, How] = {
    "mean": "mean",
    "cls": "cls",
    "max": "max",
    "lasttoken": "last",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "last",
}


@dataclass(frozen=True)
class Pooling:
    """How token states become features; `normalise` scales each row to length 1."""

    how: How
    normalise: bool = False

    def __call__(self, states: Tensor, mask: Tensor) -> Tensor:
        """states (B, length, width), mask (B, length) of 1 and 0, padded on the right -> (B, width), float32."""
        pooled = pool(states.float(), mask, self.how)
        return functional.normalize(pooled, dim=1) if self.normalise else pooled


def pool(states: Tensor, mask: Tensor, how: How) -> Tensor:
    """One vector a row (B, width) from states (B, length, width); what the mask leaves out has no influence."""
    if how == "mean":
        valid = mask.unsqueeze(-1).to(states.dtype)
        return (states * valid).sum(1) / valid.sum(1).clamp(min=1e-9)
    if how == "max":
        return states.masked_fill(mask.unsqueeze(-1) == 0, float("-inf")).amax(1)
    if how == "last":
        return states[torch.arange(len(states), device=states.device), mask.sum(1) - 1]
    return states[:, 0]


@dataclass(frozen=True)
class Trained:
    """What a sentence-transformers folder says about its base; None where it says nothing."""

    pooling: Pooling | None = None
    max_length: int | None = None
    left_out: tuple[str, ...] = ()
    """Modules behind the pooling that are not loaded (a dense projection)."""


def as_trained(folder: Path) -> Trained:
    """Read `modules.json` and what it names; an empty answer for a folder without it."""
    if not (folder / "modules.json").is_file():
        return Trained()
    pooling, normalise, left_out = None, False, []
    for module in _read(folder / "modules.json"):
        kind = str(module.get("type", "")).rpartition(".")[2]
        if kind == "Pooling":
            pooling = _how(inside(folder, plain_name(module.get("path"), folder / "modules.json"), "config.json"))
        elif kind == "Normalize":
            normalise = True
        elif pooling is not None:
            left_out.append(kind)
    settings = folder / "sentence_bert_config.json"
    length = _read(settings).get("max_seq_length") if settings.is_file() else None
    return Trained(Pooling(pooling, normalise) if pooling else None, length, tuple(left_out))


def _how(file: Path) -> How:
    config = _read(file)
    mode = config.get("pooling_mode") or [key for key, on in config.items() if key.startswith("pooling_mode_") and on]
    modes = [mode] if isinstance(mode, str) else list(mode)
    if len(modes) != 1 or modes[0] not in _NAMES:
        raise ModelError(
            f"{file} asks for the pooling {' + '.join(map(str, modes)) or 'none'}, which is not supported. "
            f"Choose one yourself with the setting pooling: {', '.join(get_args(How))}."
        )
    return _NAMES[modes[0]]


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} can't be read: {error}.") from None
