"""All fusions by name, and a saved one built again."""

from __future__ import annotations

from typing import Any

from graftwork.networks.fusion.fusion import Concat, Fusion
from graftwork.networks.fusion.gated import GatedFusion
from graftwork.networks.fusion.late import LateFusion
from graftwork.networks.fusion.transformer import TransformerFusion
from graftwork.networks.fusion.weighted import WeightedSumFusion

FUSIONS: dict[str, type[Fusion]] = {
    cls.architecture: cls for cls in (Concat, WeightedSumFusion, GatedFusion, TransformerFusion, LateFusion)
}


def restore_fusion(config: dict[str, Any]) -> Fusion:
    """The fusion of a saved model, weights apart. Raises KeyError for one that this version does not know."""
    settings = dict(config)
    return FUSIONS[settings.pop("architecture")](**settings)
