"""Any text model of the transformers library as an encoder: BERT and its kin, T5's encoder, GPT-2, Qwen2.

Features are the pooled outputs of the last layer, as the base was trained, or of the last `layers` layers side by
side (Peters et al. 2018: lower layers hold what the last one has given up).
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from graftwork.data.batch import Hidden, Inputs
from graftwork.errors import ModelError, UsageError
from graftwork.networks import hooks
from graftwork.networks.encoder import drops
from graftwork.networks.features import Tokens
from graftwork.networks.hub import loading as hub
from graftwork.networks.hub import transformers as pretrained
from graftwork.networks.hub.prompts import with_prompt
from graftwork.networks.hub.tokenizer import LongTexts, TextTokenizer
from graftwork.networks.hub.transformers import Attention
from graftwork.networks.pooling import How, Pooling, as_trained
from graftwork.networks.stacks import around, reached, stack_name, steady
from graftwork.networks.text import length_groups, windows
from graftwork.networks.text.encoder import TextEncoder
from graftwork.networks.text.resuming import resumes

_NOT_TEXT = "This base does not run on text alone"
_PROBE = ("to be", "to be, or not to be: that is the question", "that")


class TransformerEncoder(TextEncoder):
    """A transformers model with pooling. Block 0 is the embedding, then one block a layer; the last norm is the last's.

    model: the backbone, any transformers model that maps input_ids and attention_mask to last_hidden_state.
    pooling: with `layers=1` features are the pooled last hidden state, scaled to length 1 where the base was trained
        so. With more, each of the last `layers` outputs is pooled and none is scaled; the lowest stands first.
    """

    architecture = "transformer"
    joins_without_separator = True  # as transformers' own tokenizers do

    def __init__(
        self,
        model: nn.Module,
        tokenizer: TextTokenizer,
        pooling: Pooling,
        layers: int = 1,
        attention: Attention = "sdpa",
    ) -> None:
        super().__init__(tokenizer)
        self.model, self.pooling, self.layers, self.attention = model, pooling, layers, attention
        self._stack_name, self._unused = stack_name(model), list[str]()
        self._options = {"use_cache": False} if "use_cache" in inspect.signature(model.forward).parameters else {}
        kinds = getattr(model.config, "type_vocab_size", 0)
        typed = "token_type_ids" in inspect.signature(model.forward).parameters and isinstance(kinds, int) and kinds > 1
        self.reads_segments = typed and tokenizer.segments
        self.depth = len(self._stack) + 1
        if not 1 <= layers < self.depth:
            raise UsageError(f"layers is {layers}. This base has 1 to {self.depth - 1}.")
        self.hidden_width = int(self.hf_config.hidden_size)
        self.width = layers * self.hidden_width
        self._check_blocks()

    @classmethod
    def from_pretrained(
        cls,
        source: str | Path,
        pooling: How | None = None,
        layers: int = 1,
        max_length: int | None = None,
        attention: Attention = "sdpa",
        long: LongTexts = LongTexts(),  # noqa: B008
        prompt: str = "",
        depth: int | None = None,
    ) -> TransformerEncoder:
        """Load a base from a local folder or a hub id.

        pooling, max_length: None for what the base was trained with (sentence-transformers' files); without those,
        the last token for models that read from left to right and the mean for others, at most 512 tokens.
        long: what is read of a longer text. prompt: what is read before each text. depth: as of `load_trunk`.
        Raises ModelError where the folder is no model, its weights are incomplete or not safetensors, or can't be had.
        """
        folder = hub.locate(str(source))
        config = hub.read_config(folder)
        model = pretrained.load_trunk(folder, config, attention, depth=depth)
        trained = as_trained(folder)
        if trained.left_out:
            lost = " and ".join(trained.left_out)
            warnings.warn(f"{source}: the {lost} behind the pooling is left out.", stacklevel=2)
        tokenizer = long.applied(pretrained.load_tokenizer(folder, model, max_length, trained.max_length))
        tokenizer = with_prompt(tokenizer, prompt)
        usual = trained.pooling or Pooling("last" if pretrained.is_causal(config) else "mean")
        chosen = usual if pooling is None else Pooling(pooling, usual.normalise)
        encoder = cls(model, tokenizer, chosen, layers, attention)
        encoder._freeze_unused()
        return encoder

    # --- computation ------------------------------------------------------------------------------------------------
    def forward(self, inputs: Inputs, hidden: Hidden | None = None) -> Tensor:
        if hidden is not None and hidden.depth == self.depth:
            return hidden.states
        if windows.is_long(inputs, self.tokenizer.max_length):
            folded = windows.fold(inputs, hidden, self.tokenizer.max_length)
            pooled = folded.pooled(self._parted(folded.inputs, folded.hidden), self.pooling.how == "max")
            return functional.normalize(pooled, dim=1) if self.pooling.normalise and self.layers == 1 else pooled
        return self._parted(inputs, hidden)

    def _parted(self, inputs: Inputs, hidden: Hidden | None) -> Tensor:
        parts = None if self.meets else length_groups.parts(inputs["attention_mask"])
        if parts is None:
            return self._features(inputs, hidden)
        features = [self._features(*length_groups.cut(inputs, hidden, rows, length)) for rows, length in parts]
        return torch.cat(features)[torch.argsort(torch.cat([rows for rows, _ in parts]))]

    def _features(self, inputs: Inputs, hidden: Hidden | None) -> Tensor:
        below = range(self.depth - self.layers, self.depth - 1)
        with ExitStack() as stack:
            if hidden is not None:
                self._check_start(hidden.depth)
                stack.enter_context(hooks.starting(self._stack, hidden.depth - 1, hidden.states))
            read = stack.enter_context(hooks.tapping(self._stack, below)) if below else {}
            last = self._run(inputs)
        mask = inputs["attention_mask"]
        if not below:
            return self.pooling(last, mask)
        plain = Pooling(self.pooling.how)
        return torch.cat([plain(states, mask) for states in (*(read[index] for index in below), last)], dim=1)

    def tokens_of(self, inputs: Inputs, hidden: Hidden | None = None) -> Tokens:
        """The last layer's output, a vector a token, whatever `layers` and the pooling are."""
        if windows.is_long(inputs, self.tokenizer.max_length):
            folded = windows.fold(inputs, hidden, self.tokenizer.max_length)
            last = self.tokens_of(folded.inputs, folded.hidden).states
            return Tokens(folded.vectors(last), inputs["attention_mask"].bool(), table=self.table)
        with ExitStack() as stack:
            if hidden is not None:
                self._check_start(hidden.depth)
                stack.enter_context(hooks.starting(self._stack, hidden.depth - 1, hidden.states))
            return Tokens(self._run(inputs), inputs["attention_mask"].bool(), table=self.table)

    def features_and_tokens(self, inputs: Inputs, hidden: Hidden | None = None) -> tuple[Tensor, Tokens]:
        twice = self.tokenizer.windows > 1 if self.meets else windows.is_long(inputs, self.tokenizer.max_length)
        if self.layers > 1 or twice:
            return super().features_and_tokens(inputs, hidden)
        tokens = self.tokens_of(inputs, hidden)
        return self.pooling(tokens.states, inputs["attention_mask"]), tokens

    @property
    def token_width(self) -> int:
        return self.hidden_width

    def states(self, inputs: Inputs, depth: int) -> Tensor:
        self._check_start(depth)
        if windows.is_long(inputs, self.tokenizer.max_length):
            folded = windows.fold(inputs, None, self.tokenizer.max_length)
            return folded.vectors(self.states(folded.inputs, depth))
        with hooks.stopping(self._stack, depth - 1) as read:
            self._run(inputs)
        return read[depth - 1]

    @property
    def deepest_start(self) -> int:
        return self._deepest if "sequence_blocks" in self.facts else 0

    @cached_property
    def facts(self) -> frozenset[str]:  # type: ignore[override]
        found = {"linear_layers"}
        if any(drops(module) for module in self.model.modules()):
            found.add("dropout")
        plan = (self.architecture, self.hf_config.to_dict(), self.layers, self.attention, asdict(self.pooling))
        if resumes(self, self._probe(), self._deepest, *plan):
            found.add("sequence_blocks")
        return frozenset(found)

    def blocks(self) -> list[list[nn.Module]]:
        before, after = around(self.model, self._stack_name)
        early = [module for name, module in after.items() if name in self._read_early]
        late = [module for name, module in after.items() if name not in self._read_early]
        layers = list(self._stack)
        return [[*before.values(), *early], *([layer] for layer in layers[:-1]), [layers[-1], *late]]

    # --- saving and export ------------------------------------------------------------------------------------------
    @property
    def hf_model(self) -> Any:
        """The plain transformers model, for export; `tokenizer.files` are the tokenizer's files."""
        return self.model

    @property
    def hf_config(self) -> Any:
        return self.hf_model.config

    def config(self) -> dict[str, Any]:
        model = {key: value for key, value in self.hf_config.to_dict().items() if key != "_name_or_path"}
        return {
            "architecture": self.architecture,
            "model": model,
            "pooling": self.pooling.how,
            "normalise": self.pooling.normalise,
            "layers": self.layers,
            "attention": self.attention,
            "unused": self._unused,
            "facts": sorted(self.facts),
            "tokenizer": self.tokenizer.config(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> TransformerEncoder:
        tokenizer = TextTokenizer.from_config(config["tokenizer"], folder)
        model = pretrained.empty_trunk(config["model"], config["attention"])
        pooling = Pooling(config["pooling"], config["normalise"])
        encoder = cls(model, tokenizer, pooling, config["layers"], config["attention"])
        encoder._freeze(config["unused"])
        vars(encoder)["facts"] = frozenset(config["facts"])  # they can't be found out before the weights are loaded
        return encoder

    # --- inside -----------------------------------------------------------------------------------------------------
    @property
    def _stack(self) -> nn.ModuleList:
        stack = self.model.get_submodule(self._stack_name)
        assert isinstance(stack, nn.ModuleList)
        return stack

    @property
    def _deepest(self) -> int:
        return min(self.depth - 1, self.depth - self.layers + 1)

    def model_inputs(self, inputs: Inputs) -> Inputs:
        """What the transformers model is given, by its names. Of a text by itself every token is of type 0, as where
        nothing is said."""
        given = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        return given | ({"token_type_ids": inputs["segments"]} if self.reads_segments and "segments" in inputs else {})

    def _run(self, inputs: Inputs) -> Tensor:
        last: Tensor = self.model(**self.model_inputs(inputs), **self._options).last_hidden_state
        return last

    @cached_property
    def _read_early(self) -> frozenset[str]:
        """What stands behind the layers and is read by the first one already: relative positions of MPNet, DeBERTa."""
        _, after = around(self.model, self._stack_name)
        embeddings = (isinstance(part, nn.Embedding) for module in after.values() for part in module.modules())
        if self.depth < 3 or not any(embeddings):
            return frozenset()
        with steady(self), torch.enable_grad(), hooks.stopping(self._stack, 1) as read, hub.explained(_NOT_TEXT):
            self._run(self._probe())
        used = reached(read[1])
        return frozenset(name for name, part in after.items() if any(id(value) in used for value in part.parameters()))

    def _check_start(self, depth: int) -> None:
        if not 1 <= depth <= self._deepest:
            raise ValueError(
                f"This encoder can start at depth 1 to {self._deepest}, or at its features ({self.depth}), not at "
                f"{depth}: its features are made from the outputs of the last {self.layers} layers."
            )

    def _check_blocks(self) -> None:
        owners = [id(parameter) for block in self.blocks() for parameter in {p for m in block for p in m.parameters()}]
        stray = [name for name, parameter in self.model.named_parameters() if owners.count(id(parameter)) != 1]
        if stray:
            raise ModelError(
                f"The architecture '{self.hf_config.model_type}' can't be divided into layers: {', '.join(stray[:5])} "
                "belong to none of them, or to several."
            )

    def _probe(self) -> Inputs:
        device = next(self.model.parameters()).device
        return {name: value.to(device) for name, value in self.collate(self.prepare(_PROBE)).items()}

    def _freeze_unused(self) -> None:
        """Parameters that no feature depends on are not trained, rather than left for an optimizer to decay."""
        with steady(self), torch.enable_grad(), hub.explained(_NOT_TEXT):
            used = reached(self(self._probe()))
        self._freeze(name for name, parameter in self.model.named_parameters() if id(parameter) not in used)

    def _freeze(self, names: Iterable[str]) -> None:
        self._unused = sorted(names)
        for name in self._unused:
            self.model.get_parameter(name).requires_grad_(False)
