"""A base with a smaller table of tokens: a folder of transformers in which only some pieces of a unigram tokenizer are
left, in its tokenizer and in its weights. All else is as it was, so that it loads like any other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from graftwork.data.store.cache import digest, entry
from graftwork.data.store.entries import kept
from graftwork.data.store.names import check_links
from graftwork.errors import ModelError, UsageError
from graftwork.networks.hub.left_out import LEFT_OUT, packed
from graftwork.networks.hub.loading import locate
from graftwork.networks.hub.tokenizer import TOKENIZER_FILE, TextTokenizer
from graftwork.networks.text.vocabulary import kept_pieces

_TOKENIZER, _CONFIG, _WEIGHTS = TOKENIZER_FILE, "config.json", "model.safetensors"
Read = TypeVar("Read")


def trimmed(source: str, texts: Callable[[], Iterable[str]], read: Callable[[Path], Read]) -> Read:
    """What `read` finds in a folder with the base of a folder or hub id, trimmed to these texts; the cache keeps it.
    texts: a fresh pass over them.

    Raises UsageError where its tokenizer is no unigram model, ModelError where the folder is damaged.
    """
    content = (text.encode(errors="replace") for text in texts())
    return _made(source, content, lambda plain, always: kept_pieces(plain, texts, always), read)


def trimmed_as(source: str, tokenizer: TextTokenizer, read: Callable[[Path], Read]) -> Read:
    """The same with the pieces that a tokenizer has which was trimmed from that base."""
    content = tokenizer.files[TOKENIZER_FILE]
    pieces = {piece for piece, _ in json.loads(content)["model"]["vocab"]}

    def choose(plain: Mapping[str, Any], always: Collection[int]) -> list[int]:
        named = [number for number, (piece, _) in enumerate(plain["model"]["vocab"]) if piece in pieces]
        return sorted({*named, *always})

    return _made(source, [content], choose, read)


def _made(
    source: str,
    content: Iterable[bytes],
    choose: Callable[[Mapping[str, Any], Collection[int]], list[int]],
    read: Callable[[Path], Read],
) -> Read:
    """content: what the choice depends on."""
    folder = locate(source)
    check_links(folder)
    _check(folder)
    parts = [file.stat() for file in (folder / name for name in (_TOKENIZER, _CONFIG, _WEIGHTS))]
    base = [str(folder.resolve()), *(f"{part.st_size} {part.st_mtime_ns}" for part in parts)]
    key = digest("trimmed 1", *base, *content)

    def write(out: Path) -> None:
        plain, config = _unigram(folder), _json(folder / _CONFIG)
        rows = choose(plain, _always(plain, config))
        _copy_settings(folder, out)
        _write(out / _TOKENIZER, _cut_tokenizer(plain, rows, folder))
        (out / LEFT_OUT).write_bytes(packed(_left(plain, rows)))
        _write(out / _CONFIG, _cut_config(config, rows))
        _cut_weights(folder / _WEIGHTS, out / _WEIGHTS, rows, int(config["vocab_size"]))

    return kept(entry("trimmed", key), write, read, spare=True)


def _check(folder: Path) -> None:
    for name, what in ((_TOKENIZER, "tokenizer"), (_CONFIG, "configuration"), (_WEIGHTS, "weights of one piece")):
        if not (folder / name).is_file():
            raise UsageError(
                f"vocabulary=trimmed: {folder} has no {what} ({name}), without which a base can't be trimmed. Use "
                "vocabulary=whole."
            )


def _unigram(folder: Path) -> dict[str, Any]:
    """What the folder's tokenizer.json holds."""
    plain = _json(folder / _TOKENIZER)
    model, before = plain.get("model"), json.dumps(plain.get("pre_tokenizer"))
    kind = model.get("type") if isinstance(model, dict) else None
    if kind != "Unigram" or "Metaspace" not in before:
        raise UsageError(
            f"vocabulary=trimmed: the tokenizer in {folder} is of the kind {kind}, and only a unigram model that marks "
            "the spaces before words (Metaspace) can be trimmed. Use vocabulary=whole."
        )
    return plain


def _always(plain: Mapping[str, Any], config: Mapping[str, Any]) -> set[int]:
    """Ids that mean something by themselves: special tokens, and those that the configuration names."""
    named = [config.get(f"{role}_token_id") for role in ("bos", "eos", "pad", "unk", "cls", "sep", "mask")]
    added = [token["id"] for token in plain.get("added_tokens", [])]
    found = {*named, *added, plain["model"].get("unk_id")}
    return {number for number in found if isinstance(number, int) and 0 <= number < config["vocab_size"]}


def _cut_tokenizer(plain: dict[str, Any], rows: Sequence[int], folder: Path) -> dict[str, Any]:
    places, vocabulary = {row: place for place, row in enumerate(rows)}, plain["model"]["vocab"]
    model = plain["model"] | {
        "vocab": [vocabulary[row] for row in rows if row < len(vocabulary)],
        "unk_id": places.get(plain["model"].get("unk_id")),
    }
    try:
        added = [token | {"id": places[token["id"]]} for token in plain.get("added_tokens", [])]
        framed = _moved(plain.get("post_processor"), places)
    except (KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{folder / _TOKENIZER} can't be trimmed ({error!r}). Use vocabulary=whole.") from None
    return plain | {"model": model, "added_tokens": added, "post_processor": framed}


def _moved(processor: Any, places: Mapping[int, int]) -> Any:
    """What frames a text, with the new ids."""
    if not isinstance(processor, dict):
        return processor
    moved = dict(processor)
    if processor["type"] == "Sequence":
        moved["processors"] = [_moved(one, places) for one in processor["processors"]]
    elif processor["type"] == "TemplateProcessing":
        tokens = processor["special_tokens"]
        moved["special_tokens"] = {
            name: token | {"ids": [places[one] for one in token["ids"]]} for name, token in tokens.items()
        }
    else:
        for role in ("sep", "cls"):
            if role in processor:
                name, number = processor[role]
                moved[role] = [name, places[number]]
    return moved


def _cut_config(config: Mapping[str, Any], rows: Sequence[int]) -> dict[str, Any]:
    places = {row: place for place, row in enumerate(rows)}
    named = {name: places[value] for name, value in config.items() if name.endswith("_token_id") and value in places}
    return {**config, **named, "vocab_size": len(rows)}


def _cut_weights(source: Path, out: Path, rows: Sequence[int], size: int) -> None:
    """All tensors, of those with a row for each token the rows that stay."""
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    chosen, tensors = torch.tensor(rows), {}
    with safe_open(source, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118  it is no mapping
            tensor = file.get_tensor(name)
            tensors[name] = tensor[chosen] if tensor.dim() and len(tensor) == size else tensor
        save_file(tensors, out, metadata={"format": "pt"})


def _left(plain: Mapping[str, Any], rows: Sequence[int]) -> dict[str, float]:
    """The pieces that go, with their scores."""
    stay = set(rows)
    return {piece: score for number, (piece, score) in enumerate(plain["model"]["vocab"]) if number not in stay}


def _copy_settings(folder: Path, out: Path) -> None:
    """The small files beside: how it is pooled, and how its tokenizer is called."""
    for file in sorted([*folder.glob("*.json"), *folder.glob("*/config.json")]):
        place = out / file.relative_to(folder)
        place.parent.mkdir(exist_ok=True)
        if not file.name.endswith(".index.json") and file.name != _TOKENIZER:
            shutil.copyfile(file, place)


def _json(file: Path) -> dict[str, Any]:
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file} can't be read: {error}.") from None
    if not isinstance(told, dict):
        raise ModelError(f"{file} holds no object.")
    return told


def _write(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
