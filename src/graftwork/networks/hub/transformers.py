"""The backbone and the tokenizer of a transformers model, and plainly what is wrong with them.

They come through `hub`; no weight is ever filled in at random.
"""

from __future__ import annotations

import inspect
import json
import re
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from torch import nn

from graftwork.data.store.cache import storing
from graftwork.errors import ModelError, UsageError
from graftwork.networks.hub.left_out import LEFT_OUT
from graftwork.networks.hub.loading import build_model, config_of, explained, load_model, load_reader
from graftwork.networks.hub.tokenizer import TextTokenizer
from graftwork.networks.stacks import shorten

Attention = Literal["sdpa", "eager"]

_LONGEST = 512  # tokens; the default where the base does not say less
_VOCABULARIES = ("tokenizer.json", "vocab.*", "*.model", "tekken.json", "*.tiktoken")
_READERS = {"input_ids": "text model", "pixel_values": "model of pictures", "input_values": "sound model"}


def load_trunk(
    folder: Path, config: Any, attention: Attention, reads: str = "input_ids", depth: int | None = None
) -> nn.Module:
    """The model without its heads, in float32. reads: its first input, as transformers calls it. depth: of its layers
    the lowest that are kept; None for all.

    Raises ModelError unless every weight comes from the file, UsageError for a depth that it has not.
    """
    auto, options = _class_of(config)
    attn = None if attention == "sdpa" else attention
    model, info = load_model(auto, folder, config=config, attn_implementation=attn, **options)
    if model.main_input_name != reads:
        what = _READERS.get(reads, f"model of {reads}")
        raise ModelError(f"{folder} is not a {what}: it reads {model.main_input_name}.")
    missing = [*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])]
    if missing:
        raise ModelError(
            f"The weights in {folder} don't fit its config.json: {_listing(missing)} are missing or of another shape. "
            "They would be random. Is the file whole, and of this architecture?"
        )
    _report_unused_layers(folder, model, info["unexpected_keys"])
    backbone: nn.Module = model.eval()
    if depth is not None:
        shorten(backbone, depth)
    return backbone


def empty_trunk(config: dict[str, Any], attention: Attention) -> nn.Module:
    """The model that `config` (a transformers configuration as plain data) describes; its weights are not set."""
    from transformers.initialization import no_init_weights

    known = config_of(config)
    with explained("The configuration of the saved base can't be used"):
        auto, options = _class_of(known)
        with no_init_weights():  # they are loaded next, and drawing them would take most of the time
            attn = None if attention == "sdpa" else attention
            model: nn.Module = build_model(auto, known, attn_implementation=attn, **options)
    return model.eval()


def new_trunk(config: dict[str, Any], attention: Attention) -> nn.Module:
    """The model that `config` describes, as `empty_trunk`, with weights drawn as its authors do."""
    known = config_of(config)
    auto, options = _class_of(known)
    attn = None if attention == "sdpa" else attention
    model: nn.Module = build_model(auto, known, attn_implementation=attn, **options)
    return model.eval()


def is_causal(config: Any) -> bool:
    """True for models that read from left to right, so that only the last token has seen the whole text."""
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING

    kind = type(config)
    one_way = kind in MODEL_FOR_CAUSAL_LM_MAPPING and kind not in MODEL_FOR_MASKED_LM_MAPPING
    return bool(getattr(config, "is_decoder", False) or one_way)


def load_tokenizer(folder: Path, model: Any, wanted: int | None, trained: int | None) -> TextTokenizer:
    """The tokenizer as AutoTokenizer would apply it.

    wanted: the longest text in tokens, or None for what the base was `trained` with; where the base does not say,
    what its tokenizer and positions allow, at most 512.
    """
    if not any(file for pattern in _VOCABULARIES for file in folder.glob(pattern)):
        raise ModelError(f"{folder} has no tokenizer: there is no tokenizer.json, vocabulary or *.model file.")
    tokenizer = load_reader("AutoTokenizer", folder, "tokenizer")
    if not getattr(tokenizer, "is_fast", False):
        raise ModelError(f"{folder} has no fast tokenizer (tokenizer.json). Convert it with transformers first.")
    with storing(Path(tempfile.gettempdir())), tempfile.TemporaryDirectory() as temporary:
        tokenizer.save_pretrained(temporary)
        files = {file.name: file.read_bytes() for file in Path(temporary).iterdir() if file.is_file()}
    if (folder / LEFT_OUT).is_file():
        files[LEFT_OUT] = (folder / LEFT_OUT).read_bytes()
    _check_kind(folder, files)
    known = (tokenizer.pad_token_id, getattr(model.config, "pad_token_id", None), tokenizer.eos_token_id, 0)
    stand_in = (tokenizer.eos_token_id, tokenizer.bos_token_id, tokenizer.unk_token_id, 0)
    loaded = TextTokenizer(
        files,
        pad=_first_id(known),
        empty=_first_id(stand_in),
        max_length=_max_length(model, int(tokenizer.model_max_length), wanted, trained),
        side="left" if tokenizer.truncation_side == "left" else "right",
        segments="token_type_ids" in tokenizer.model_input_names,
    )
    embedded = model.get_input_embeddings().num_embeddings
    if loaded.backend.get_vocab_size(with_added_tokens=False) > embedded:
        raise ModelError(
            f"The tokenizer in {folder} has {loaded.size} tokens but the model only {embedded}: "
            "they don't belong together."
        )
    return loaded


def _check_kind(folder: Path, files: dict[str, bytes]) -> None:
    """AutoTokenizer goes by the model's class, and may rebuild another tokenizer than the one that the folder holds."""
    if (folder / "tokenizer.json").is_file():
        stored, loaded = (
            json.loads(text)["model"].get("type")
            for text in ((folder / "tokenizer.json").read_bytes(), files["tokenizer.json"])
        )
        if stored and loaded and stored != loaded:
            raise ModelError(
                f"{folder / 'tokenizer.json'} is of the kind {stored}, but transformers loads a {loaded} tokenizer for "
                "this architecture: the ids would be wrong. Save the model with the tokenizer class it was made for."
            )


def _first_id(ids: Iterable[Any]) -> int:
    return next(int(item) for item in ids if isinstance(item, int))


def _max_length(model: Any, tokenizer: int, wanted: int | None, trained: int | None) -> int:
    positions = _positions(model)
    if wanted is not None:
        if not 2 <= wanted <= positions:
            raise UsageError(f"max_length is {wanted}. This base takes 2 to {positions} tokens.")
        return wanted
    return min(trained or min(tokenizer, _LONGEST), positions)


def _positions(model: Any) -> int:
    """The longest input that the model has positions for."""
    found = getattr(model.config, "max_position_embeddings", None) or 2**31
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and isinstance(module, nn.Embedding):
            # RoBERTa counts positions from behind its padding index.
            behind = 0 if module.padding_idx is None else module.padding_idx + 1
            found = min(found, module.num_embeddings - behind)
    return int(found)


def _class_of(config: Any) -> tuple[str, dict[str, Any]]:
    """The name of the auto class that makes the backbone of this configuration, and what to tell it."""
    import transformers

    encodes = type(config) in transformers.MODEL_FOR_TEXT_ENCODING_MAPPING  # for T5 the encoder alone
    auto = "AutoModelForTextEncoding" if encodes else "AutoModel"
    mapping = transformers.MODEL_FOR_TEXT_ENCODING_MAPPING if encodes else transformers.MODEL_MAPPING
    if type(config) not in mapping or (config.is_encoder_decoder and not encodes):
        raise ModelError(f"The architecture '{config.model_type}' is no text encoder or decoder that is supported.")
    found: Any = mapping[type(config)]
    cls = found[0] if isinstance(found, tuple) else found
    # Without the pooler, whose output nothing here reads and nothing would train.
    poolable = "add_pooling_layer" in inspect.signature(cls).parameters
    return auto, {"add_pooling_layer": False} if poolable else {}


def _report_unused_layers(folder: Path, model: nn.Module, unexpected: Iterable[str]) -> None:
    """Heads in the file are left out as they should be; whole layers are not left out without a word."""
    lengths = {name: len(module) for name, module in model.named_modules() if isinstance(module, nn.ModuleList)}
    patterns = [(re.compile(rf"(?:^|\.){re.escape(name)}\.(\d+)\."), length) for name, length in lengths.items()]
    lost = [
        key
        for key in unexpected
        if any((found := pattern.search(key)) and int(found[1]) >= length for pattern, length in patterns)
    ]
    if lost:
        warnings.warn(
            f"The weights in {folder} hold layers that its config.json does not name, and they are left out: "
            f"{_listing(lost)}.",
            stacklevel=2,
        )


def _listing(names: Iterable[str], most: int = 5) -> str:
    ordered = sorted(names)
    rest = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + rest
