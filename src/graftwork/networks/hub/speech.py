"""The encoder of a transformers model that hears speech and writes it; its decoder is neither built nor read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from graftwork.errors import ModelError
from graftwork.networks.hub.loading import build_model, config_of, explained, load_model

_AUTO = "AutoModelForAudioClassification"
"""The class with nothing but the encoder, under a head of its own, which is thrown away."""


def load_encoder(folder: Path, config: Any) -> nn.Module:
    """In float32, in eval mode. Raises ModelError unless every weight comes from the file."""
    model, info = load_model(_AUTO, folder, config=config)
    lacking = {*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])}
    missing = sorted(key for key in lacking if key.startswith("encoder."))
    if missing:
        rest = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise ModelError(
            f"The weights in {folder} don't fit its config.json: {', '.join(missing[:3])}{rest} are missing or of "
            "another shape. They would be random. Is the file whole, and of this architecture?"
        )
    encoder: nn.Module = model.encoder
    return encoder.eval()


def empty_encoder(config: dict[str, Any]) -> nn.Module:
    """The encoder that `config` (a transformers configuration as plain data) describes; its weights are not set."""
    from transformers.initialization import no_init_weights

    known = config_of(config)
    with explained("The configuration of the saved base can't be used"), no_init_weights():
        encoder: nn.Module = build_model(_AUTO, known).encoder
    return encoder.eval()
