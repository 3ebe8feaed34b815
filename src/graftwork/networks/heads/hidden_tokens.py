"""A head that names the tokens of a text that were hidden, by the base's own token table."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from graftwork.data.batch import Batch
from graftwork.errors import UsageError
from graftwork.networks.features import Features
from graftwork.networks.heads.head import Head, HeadSettings, NetworkBelow, Reads, check_setting
from graftwork.networks.heads.tokens import text_input

NOTHING = -100
"""Stands where fewer tokens are asked of a row than of another one of its batch."""


@dataclass(frozen=True, kw_only=True)
class HiddenTokens(HeadSettings):
    """A layer on each hidden token, then the base's token table (Press & Wolf 2017). warmup: share of the training in
    which the head learns alone, and the base stays as it is; for a base that was trained elsewhere. input: the one
    whose tokens were hidden; none for the only one that is a text."""

    warmup: float = 0.0
    input: str | None = None

    name: ClassVar[str] = "hidden-tokens"
    fits: ClassVar[frozenset[str]] = frozenset({"hidden_tokens"})

    def __post_init__(self) -> None:
        check_setting(0 <= self.warmup < 1, self.name, "warmup", self.warmup, "0 or more, and less than 1")

    def build(self, network: NetworkBelow, outputs: int, spec: str) -> Head:
        read = text_input(network, self.name, self.input)
        encoder = network.encoder(read)
        table = getattr(encoder, "table", None)
        if not isinstance(table, Tensor):
            raise UsageError(f"The base of '{read}' has no table of tokens to name hidden ones by. Use another base.")
        return HiddenTokenHead(read, encoder.token_width, table.detach(), outputs, spec, self.warmup)


class HiddenTokenHead(Head):
    """Vectors of the tokens (B, L, width), and of the batch's targets `places` and `tokens`, each (B, M) ->
    {"logits": (B, M, V), "tokens": (B, M)}: what each hidden token is, and the right answers, so that what is kept of a
    row can be scored. Of a batch in which nothing is hidden, M is 0.

    Dense, GELU, norm, then the token table, a factor and a bias for each token (Devlin et al. 2019, BERT). Tables are
    drawn at many scales; the factor begins where the logits of this one vary by 1.
    """

    reads: ClassVar[Reads] = "tokens"
    reads_table: ClassVar[bool] = True

    def __init__(
        self, read: str, width: int, table: Tensor, outputs: int, spec: str = "hidden-tokens", warmup: float = 0.0
    ) -> None:
        super().__init__()
        size, embedded = table.shape
        self.spec, self.outputs, self.read, self.warmup = spec, outputs, read, warmup
        self.dense, self.norm = nn.Linear(width, embedded), nn.LayerNorm(embedded)
        self.bias = nn.Parameter(torch.zeros(size))
        usual = math.sqrt(embedded) * float(table.float().std())
        self.factor = nn.Parameter(torch.tensor([1 / usual if 0 < usual < math.inf else 1.0]))

    def forward(self, seen: Features, batch: Batch) -> dict[str, Tensor]:
        tokens = seen.tokens[self.read]
        asked = _asked(batch, len(tokens.states), tokens.states.device)
        states, table = tokens.states, tokens.table
        assert table is not None
        if self.training and batch.progress < self.warmup:
            states, table = states.detach(), table.detach()
        picked = states.gather(1, asked["places"].unsqueeze(2).expand(-1, -1, states.shape[2]))
        vectors = self.norm(functional.gelu(self.dense(picked)))
        logits = functional.linear(vectors * self.factor, table.float(), self.bias)
        return {"logits": logits, "tokens": asked["tokens"]}

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset({self.read})


def _asked(batch: Batch, rows: int, device: torch.device) -> dict[str, Tensor]:
    """`places` and `tokens` that a task asks for; none (rows, 0) of a batch in which nothing is hidden."""
    for target in batch.targets.values():
        if not isinstance(target, Tensor) and {"places", "tokens"} <= set(target):
            return dict(target)
    nothing = torch.zeros(rows, 0, dtype=torch.int64, device=device)
    return {"places": nothing, "tokens": nothing}
