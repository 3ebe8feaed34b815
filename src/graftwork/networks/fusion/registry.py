"""All fusions by name, and a saved one built again."""

from __future__ import annotations

from functools import partial
from typing import Any

from graftwork.discovery.places import OWN
from graftwork.discovery.registry import Registry
from graftwork.discovery.room import classes
from graftwork.networks.fusion.fusion import Fusion

FUSIONS: Registry[type[Fusion]] = Registry(
    "fusion", Fusion, partial(classes, "graftwork.networks.fusion", "architecture"), "graftwork.fusions", "architecture"
)


def restore_fusion(config: dict[str, Any]) -> Fusion:
    """The fusion of a saved model, weights apart. Raises KeyError for one that this version does not know,
    MissingPackageError for one of a package that is not installed."""
    settings = dict(config)
    return FUSIONS.of(settings.pop("architecture"), settings.pop("package", OWN))(**settings)
