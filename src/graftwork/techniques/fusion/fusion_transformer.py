"""Fusion Transformer: the tokens of all inputs attend to each other, and a token of its own gathers the row.

The others see one row of features an input; here a word can look at the place of the picture that it names, and at a
column. That pays where inputs have to be read together (does the text fit the photo?). It costs attention over all
tokens in every step, keeps the last block of a frozen base out of the cache, and wants several thousand rows.

Sources: Vaswani et al. 2017; Tsai et al. 2019 (attention across modalities); Kim et al. 2021 (ViLT).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from graftwork.errors import UsageError
from graftwork.networks.fusion.fusion import Fusion
from graftwork.networks.fusion.transformer import TransformerFusion
from graftwork.networks.network import Network
from graftwork.spaces import Choice, Range, Spaces
from graftwork.techniques.checks import check_range
from graftwork.techniques.fusion.fusing import Fusing


@dataclass(frozen=True)
class FusionTransformer(Fusing):
    """Fuse several inputs with a small Transformer over their tokens.

    Texts give a vector a token, pictures one a place or patch, ft-transformer one a column, others their features.
    width: of the tokens and the fused features, at least 1 and a multiple of heads. layers, heads: at least 1.
    dropout: in its layers, from 0 to below 1. tokens: of each input at most, at least 1; of a longer one, neighbouring
        tokens are averaged.
    """

    width: int = 128
    layers: int = 2
    heads: int = 4
    dropout: float = 0.1
    tokens: int = 32

    name: ClassVar[str] = "fusion-transformer"
    summary: ClassVar[str] = "the tokens of all inputs attend to each other"
    searched: ClassVar[Spaces] = {"width": Choice((64, 128, 256)), "layers": Range(1, 3)}

    def __post_init__(self) -> None:
        for setting in ("width", "layers", "heads", "tokens"):
            check_range(self.name, setting, getattr(self, setting), 1, float("inf"))
        check_range(self.name, "dropout", self.dropout, 0.0, 1.0, below=True)
        if self.width % self.heads:
            raise UsageError(
                f"{self.name}: width is {self.width} and heads {self.heads}. Expected a width that is a multiple of "
                f"heads, such as {self.heads * max(1, round(self.width / self.heads))}."
            )

    @property
    def gives(self) -> frozenset[str]:
        return frozenset({"dropout"}) if self.dropout else frozenset()

    def fusion(self, network: Network) -> Fusion:
        widths = network.widths(tokens=True)
        return TransformerFusion(widths, self.width, self.layers, self.heads, self.dropout, self.tokens)
