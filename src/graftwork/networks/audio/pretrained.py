"""Which encoder reads the audio model of a folder, found out from its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from graftwork.errors import ModelError
from graftwork.networks.audio.ast import ASTEncoder
from graftwork.networks.audio.ge2e import KIND as SPEAKER
from graftwork.networks.audio.ge2e import SpeakerEncoder
from graftwork.networks.audio.patches import FRONTEND, PatchEncoder
from graftwork.networks.audio.wave import KINDS, WaveEncoder
from graftwork.networks.audio.whisper import KIND as WHISPER
from graftwork.networks.audio.whisper import LONGEST, WhisperEncoder
from graftwork.networks.audio.windows import Pooling
from graftwork.networks.encoder import Encoder
from graftwork.networks.hub.loading import locate, read_config


def load(path: str, layers: int, pooling: Pooling, seconds: float | None) -> Encoder:
    """The encoder of a folder or hub id. seconds: None for the class's own bound.

    Raises ModelError where the folder is no audio model that is known here, or is incomplete.
    """
    folder = locate(path)
    longest = {} if seconds is None else {"seconds": seconds}
    if is_speaker(folder):
        return SpeakerEncoder.from_pretrained(folder, pooling, layers, **longest)
    kind = read_config(folder).model_type
    if (folder / FRONTEND).is_file():
        return PatchEncoder.from_pretrained(folder, pooling, layers, **longest)
    if kind in ASTEncoder.kinds:
        return ASTEncoder.from_pretrained(folder, pooling, layers, **longest)
    if kind in KINDS:
        return WaveEncoder.from_pretrained(folder, layers, **longest)
    if kind == WHISPER:
        return WhisperEncoder.from_pretrained(folder, pooling, layers, seconds or LONGEST)
    if kind in PatchEncoder.kinds:
        raise ModelError(f"{folder} has no {FRONTEND}: it can't be told how a sound becomes patches for the {kind}.")
    known = ", ".join(sorted({*KINDS, *ASTEncoder.kinds, WHISPER, SPEAKER}))
    raise ModelError(
        f"{folder} is a model of the type '{kind}', which reads no sound here. Expected one of: {known}; or a "
        f"MobileNet with {FRONTEND} beside it."
    )


def is_speaker(folder: Path) -> bool:
    """Whether it holds a speaker encoder, of which transformers knows nothing."""
    try:
        told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and told.get("model_type") == SPEAKER


def most_layers(path: str) -> int:
    """Blocks above the stem."""
    folder = locate(path)
    if is_speaker(folder):
        return 1
    config: Any = read_config(folder)
    told = getattr(config, "num_hidden_layers", None)
    return 13 if told is None else int(told)
