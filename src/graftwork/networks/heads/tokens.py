"""A head on the tokens of one input: each is labelled by itself, by one linear layer on its vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from graftwork.data.batch import Batch
from graftwork.errors import UsageError, nearest
from graftwork.networks.features import Features
from graftwork.networks.heads.head import Head, HeadSettings, NetworkBelow, Reads, check_setting


@dataclass(frozen=True, kw_only=True)
class TokenLinear(HeadSettings):
    """One linear layer on each token. dropout: share of a token's features dropped in training, from 0 to below 1.
    input: the one whose tokens are read; none for the only one that is a text."""

    dropout: float = 0.1
    input: str | None = None

    name: ClassVar[str] = "token-linear"
    fits: ClassVar[frozenset[str]] = frozenset({"token_outputs"})

    def __post_init__(self) -> None:
        check_setting(0 <= self.dropout < 1, self.name, "dropout", self.dropout, "0 or more, and less than 1")

    def build(self, network: NetworkBelow, outputs: int, spec: str) -> Head:
        read = text_input(network, self.name, self.input)
        return TokenHead(read, network.encoder(read).token_width, outputs, spec, self.dropout)


class TokenHead(Head):
    """Vectors of the tokens (B, L, width) -> {"logits": (B, L, outputs), "counts": (B, L) bool, which are there}."""

    reads: ClassVar[Reads] = "tokens"

    def __init__(self, read: str, width: int, outputs: int, spec: str = "token-linear", dropout: float = 0.1) -> None:
        super().__init__()
        self.spec, self.outputs, self.read = spec, outputs, read
        self.layers = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, outputs))

    def forward(self, seen: Features, batch: Batch) -> dict[str, Tensor]:
        tokens = seen.tokens[self.read]
        return {"logits": self.layers(tokens.states), "counts": tokens.counts}

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset({self.read})


def text_input(network: NetworkBelow, head: str, named: str | None) -> str:
    """The input of texts whose tokens a head reads. Raises UsageError where there is none, or which one is not said."""
    texts = [name for name in network.columns if network.encoder(name).modality == "text"]
    if named is not None and named not in texts:
        raise UsageError(f"head '{head}': there is no text input '{named}'. {nearest(named, texts)}")
    if named is None and len(texts) != 1:
        found = f"{len(texts)} ({', '.join(texts)})" if texts else "none"
        raise UsageError(
            f"The head '{head}' reads the tokens of one text input, and there are {found}. "
            f"Say which: --set head={head}:input=COLUMN."
        )
    return named or texts[0]
