"""The kinds of heads, found by the `name` of their settings."""

from __future__ import annotations

from functools import partial

from graftwork import specs
from graftwork.discovery.registry import Registry
from graftwork.discovery.room import classes
from graftwork.networks.heads.head import Head, HeadSettings, NetworkBelow

HEADS: Registry[type[HeadSettings]] = Registry(
    "head", HeadSettings, partial(classes, "graftwork.networks.heads"), group="graftwork.heads"
)
"""Each stands in a file of its own."""


def build_head(network: NetworkBelow, outputs: int, spec: str) -> Head:
    """A new head of a network, of the kind and with the settings that `spec` names: "mlp:width=64".

    Raises UsageError for an unknown head or setting, and where the network has nothing that it reads.
    """
    settings: HeadSettings = specs.parse(spec, HEADS, "head")
    return settings.build(network, outputs, spec)
