"""The encoders that a saved model may name, and how one comes back from what was saved of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.data.store.typed import misfit
from graftwork.discovery.places import OWN
from graftwork.discovery.registry import Registry
from graftwork.discovery.room import classes
from graftwork.errors import ModelError, nearest

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder

ARCHITECTURES: Registry[type[Encoder]] = Registry(
    "architecture",
    "graftwork.networks.encoder:Encoder",
    partial(classes, "graftwork.networks", "architecture", without=("heads", "fusion")),
    group="graftwork.architectures",
    key="architecture",
)
"""Each is found by its `architecture`."""


def restore(config: dict[str, Any], folder: Path, package: str = OWN) -> Encoder:
    """The encoder of a saved model, weights apart. config: `Encoder.config()`; folder: where `save_files` wrote;
    package: that its architecture comes from.

    Raises ModelError where this version knows no such architecture, or a file is missing; MissingPackageError where
    the package is not installed.
    """
    import torch

    name = str(config.get("architecture"))
    if package == OWN and name not in ARCHITECTURES:
        raise ModelError(f"The saved model has the architecture '{name}'. {nearest(name, ARCHITECTURES)}")
    for key in ("facts", "unused"):
        wrong = misfit(config.get(key, []), list[str], key)
        if wrong:
            raise ModelError(f"The saved {name} encoder in {folder} is damaged: {wrong}.")
    cls = ARCHITECTURES.of(name, package)
    try:
        with torch.random.fork_rng(devices=[]):
            return cls.from_config(config, folder)
    except (KeyError, TypeError) as error:
        raise ModelError(
            f"The saved {name} encoder in {folder} is damaged, or of another version: {error!r}."
        ) from None
