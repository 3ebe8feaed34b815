"""A plain BERT encoder with random weights and a tokenizer of the training texts: a base to be pretrained."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, ClassVar, Literal

from graftwork.errors import UsageError
from graftwork.networks.base_settings import BaseSettings, Sizes, TrainingRows, at_least, check_dropout, seeded

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder

Size = Literal["small", "medium", "large"]
SIZES: dict[str, tuple[int, int, int]] = {"small": (4, 256, 4), "medium": (6, 384, 6), "large": (8, 512, 8)}
"""Layers, width and attention heads; hidden layers are four times as wide (Turc et al. 2019 tried all of these)."""
_SAMPLE = 2000


@dataclass(frozen=True, kw_only=True)
class BertSmall(BaseSettings):
    """A BERT encoder from scratch (Devlin et al. 2019), mean over the tokens; meant for graft pretrain.

    size: small (4 layers x 256), medium (6 x 384) or large (8 x 512); layers, width, heads: in place of those.
    vocabulary: the most tokens it learns. tokens: subword, word, character, or auto for characters where the script has
    no spaces, else subwords. max_length: tokens a text is cut to.
    """

    size: Size = "small"
    layers: int | None = None
    width: int | None = None
    heads: int | None = None
    dropout: float = 0.1
    vocabulary: int = 16000
    tokens: Literal["auto", "word", "subword", "character"] = "auto"
    max_length: int = 128

    name = "bert-small"
    summary = "plain BERT encoder, trained from scratch; meant to be pretrained on your own texts"
    source = "trained from scratch, tokenizer included: graft pretrain"
    modality = "text"
    pretrained = False
    suggested_lr = 5e-4
    suggested_epochs = 10
    sizes: ClassVar[Sizes] = {size: {"size": size} for size in SIZES}

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise UsageError(f"size is {self.size}. Expected one of: {', '.join(SIZES)}.")
        at_least(1, layers=self.layers, heads=self.heads)
        at_least(2, width=self.width)
        at_least(8, max_length=self.max_length)
        at_least(10, vocabulary=self.vocabulary)
        check_dropout(dropout=self.dropout)
        _, width, heads = self.shape
        if width % heads:
            raise UsageError(f"width is {width}. Expected a multiple of the {heads} attention heads (heads).")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Layers, width, attention heads."""
        layers, width, heads = SIZES[self.size]
        return self.layers or layers, self.width or width, self.heads or heads

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.hub.tokenizer import choose_tokens, train_tokenizer
        from graftwork.networks.hub.transformers import new_trunk
        from graftwork.networks.pooling import Pooling
        from graftwork.networks.text.transformer import TransformerEncoder

        texts = iter(rows.texts())
        sample = list(islice(texts, _SAMPLE))
        usual: Literal["subword", "character"] = "character" if choose_tokens(sample) == "character" else "subword"
        how = usual if self.tokens == "auto" else self.tokens
        tokenizer = train_tokenizer(chain(sample, texts), how, self.vocabulary, self.max_length, framed=True)
        layers, width, heads = self.shape
        config = {
            "model_type": "bert",
            "vocab_size": tokenizer.size,
            "num_hidden_layers": layers,
            "hidden_size": width,
            "num_attention_heads": heads,
            "intermediate_size": 4 * width,
            "max_position_embeddings": self.max_length,
            "hidden_dropout_prob": self.dropout,
            "attention_probs_dropout_prob": self.dropout,
            "pad_token_id": tokenizer.pad,
        }
        with seeded(seed):
            return TransformerEncoder(new_trunk(config, "sdpa"), tokenizer, Pooling("mean"))
