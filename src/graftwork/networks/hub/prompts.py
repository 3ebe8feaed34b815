"""Words that a base was trained to read before each text (`query: `), as part of what frames a text.

They stand where special tokens do, so that all else holds as it did: places are those of the text, they are never cut
off, each window of a long text begins with them, and of several texts in one sequence only the first.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tokenizers import Encoding, Tokenizer

from graftwork.errors import UsageError
from graftwork.networks.hub.tokenizer import TOKENIZER_FILE, TextTokenizer

_PROBES = ("a", "the", "The cat sat, twice.", "\u9152\u5e97\u5f88\u597d")
_NAME = "<prompt>"


def with_prompt(tokenizer: TextTokenizer, prompt: str) -> TextTokenizer:
    """The tokenizer, which reads `prompt` before each text as if it stood there; itself where there is none.

    Raises UsageError where it would join the two, or where no room is left for a text.
    """
    if not prompt:
        return tokenizer
    backend, plain = tokenizer.uncut, json.loads(tokenizer.files[TOKENIZER_FILE])
    numbers = _before(backend, prompt, _PROBES[0])
    if any(_before(backend, prompt, text) != numbers or not numbers for text in _PROBES):
        raise UsageError(
            f"prompt: the tokenizer of this base joins {prompt!r} with the first word of a text. Let it end otherwise: "
            f"with a mark, as in {prompt.strip() + ':'!r}, or with a space where it has none."
        )
    prefix = {"id": _NAME, "ids": numbers, "tokens": [backend.id_to_token(number) for number in numbers]}
    plain["post_processor"] = _framing(backend, prefix, plain.get("post_processor"))
    made = replace(tokenizer, files=tokenizer.files | {TOKENIZER_FILE: json.dumps(plain, ensure_ascii=False).encode()})
    if made.room() < 1:
        raise UsageError(
            f"prompt: {prompt!r} is {len(numbers)} tokens long, and of max_length={tokenizer.max_length} it leaves "
            "none for a text. Use a shorter one, or a larger max_length."
        )
    return made


def _before(tokenizer: Tokenizer, prompt: str, text: str) -> list[int]:
    """The ids of the prompt in front of this text; none where they are not a part by themselves."""
    whole, own = (tokenizer.encode(one, add_special_tokens=False).ids for one in (prompt + text, text))
    return list(whole[: len(whole) - len(own)]) if whole[-len(own) :] == own else []


def _framing(tokenizer: Tokenizer, prompt: dict[str, Any], before: Any) -> dict[str, Any]:
    """How texts are framed now, with the prompt before the first. before: what did it so far."""
    tokens: dict[str, Any] = {_NAME: prompt}
    single = _template(tokenizer.encode("a"), tokens)
    pair = _template(tokenizer.encode("a", "a"), tokens)
    template = {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}
    kept = _placing(before)
    return {"type": "Sequence", "processors": [*kept, template]} if kept else template


def _template(encoding: Encoding, tokens: dict[str, Any]) -> list[dict[str, Any]]:
    """A template by an encoding of one or two texts; the special tokens that it names are added to `tokens`."""
    pieces: list[dict[str, Any]] = []
    for at, (number, token, kind) in enumerate(zip(encoding.ids, encoding.tokens, encoding.type_ids, strict=True)):
        text = encoding.sequence_ids[at]
        if text is None:
            tokens[token] = {"id": token, "ids": [number], "tokens": [token]}
            pieces.append({"SpecialToken": {"id": token, "type_id": kind}})
        elif at == 0 or encoding.sequence_ids[at - 1] != text:
            pieces += [{"SpecialToken": {"id": _NAME, "type_id": kind}}] if text == 0 else []
            pieces.append({"Sequence": {"id": "AB"[text], "type_id": kind}})
    return pieces


def _placing(before: Any) -> list[dict[str, Any]]:
    """What the former framing did to the places of tokens, which are those of bytes."""
    if not isinstance(before, dict):
        return []
    if before["type"] == "Sequence":
        return [found for one in before["processors"] for found in _placing(one)]
    if before["type"] == "RobertaProcessing":
        return [{"type": "ByteLevel", "use_regex": True} | {n: before[n] for n in ("add_prefix_space", "trim_offsets")}]
    return [before] if before["type"] == "ByteLevel" else []
