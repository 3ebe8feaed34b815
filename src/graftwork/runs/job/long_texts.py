"""Texts that are longer than a base reads: how many, how much of them is lost, and a base that reads all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import normalize

import numpy as np

from graftwork import specs
from graftwork.data.columns.joined import TextValue, are_joined, as_parts
from graftwork.networks.base_settings import BaseSettings, TrainingRows

MOST_WINDOWS = 8
LONGEST_LEARNED = 1024
"""Tokens that a base from scratch reads at most, where nothing else is named."""
PAYS = 0.05
"""Share of texts that lose tokens from which the default reads more."""
COVERED = 0.95
"""Share of texts that are then read whole."""
_SHORT = 64
"""Characters that every base reads: shorter texts need no look."""
_SPECIAL = 8
"""Tokens that stand beside those of a text, at most."""
_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class _Lengths:
    """tokens: of each text (N,). limit: what the base reads of one. window: tokens a window adds; 0 where there are
    none, since tokens are learned later or several texts are read in one sequence."""

    tokens: np.ndarray
    limit: int
    window: int

    @property
    def long(self) -> np.ndarray:
        found: np.ndarray = self.tokens > self.limit
        return found

    def lost(self, limit: int) -> float:
        """Share of all tokens that is not read, in %."""
        return 100 * float(np.maximum(0, self.tokens - limit).sum() / self.tokens.sum())

    def needed(self) -> int:
        """Tokens within which nearly all texts are read whole."""
        return int(np.ceil(np.quantile(self.tokens, COVERED)))


def reading_all(name: str, base: BaseSettings, texts: Sequence[TextValue], *, named: bool) -> tuple[BaseSettings, str]:
    """The base of the input `name`, which reads more of its texts where that pays and the user did not name it; and
    what is to be said. texts: all of them or a sample, as the base sees them; several that are read in one sequence are
    read in one window, so that a pretrained base reads no more of them."""
    if not texts or max(sum(map(len, as_parts(text))) for text in texts) <= _SHORT:
        return base, ""
    if _surely_whole(base, texts):
        return base, ""
    found = _of_pretrained(base, texts) if base.pretrained else _of_learned(base, texts)
    if found is None or not found.long.any():
        return base, ""
    about = "" if base.pretrained else "about "
    which = f"long texts: {about}{int(found.long.sum()):,} of {len(texts):,} texts in '{name}' are longer"
    longer = base if named or found.long.mean() < PAYS else _longer(base, found)
    if longer == base:
        part = f"{about}{found.lost(found.limit):.2g} % of all tokens are cut off"
        return base, f"{which} than {base.spec} reads ({found.limit:,} tokens): {part}. {_remedy(base, found)}"
    windows = getattr(longer, "windows", 0)
    limit = found.window * windows if windows else int(vars(longer)["max_length"])
    how = f"in up to {windows} windows" if windows else f"up to {limit:,} tokens"
    rest = f"; {found.lost(limit):.2g} % of all tokens are still cut off" if found.lost(limit) else ""
    return (
        longer,
        f"{which} than the {found.limit:,} tokens of {base.spec}, so they are read {how}: {longer.spec}{rest}",
    )


def _surely_whole(base: BaseSettings, texts: Sequence[TextValue]) -> bool:
    """Whether a base reads all of these texts by what its files say, so that it need not be loaded for that: a token is
    a byte at least, of the text as it stands or taken apart."""
    limit = base.told_tokens()
    if limit is None:
        return False
    longest = max(sum(map(_most_tokens, as_parts(text))) for text in texts)
    return longest + _most_tokens(getattr(base, "prompt", "")) + _SPECIAL <= limit


def _most_tokens(text: str) -> int:
    """Some tokenizers put a mark before the first word, and two tokens between a text and the next."""
    return 3 + max(len(text.encode(errors="replace")), len(normalize("NFKD", text).encode(errors="replace")))


def _of_pretrained(base: BaseSettings, texts: Sequence[TextValue]) -> _Lengths | None:
    tokenizer = getattr(base.build(TrainingRows(texts=lambda: _each(texts)), 0), "tokenizer", None)
    if tokenizer is None:
        return None
    joined = are_joined(texts)
    room = tokenizer.room(joined=joined)
    return _Lengths(tokenizer.lengths(texts), room * tokenizer.windows, 0 if joined else room)


def _each(texts: Sequence[TextValue]) -> Iterator[str]:
    for text in texts:
        yield from as_parts(text)


def _of_learned(base: BaseSettings, texts: Sequence[TextValue]) -> _Lengths | None:
    """Of a base from scratch, whose tokens are estimated: they are learned later."""
    from graftwork.networks.hub.tokenizer import choose_tokens

    settings: dict[str, Any] = vars(base)
    if "max_length" not in settings:
        return None
    whole = [" ".join(as_parts(text)) for text in texts]
    how = settings["tokens"] if settings["tokens"] != "auto" else choose_tokens(whole)
    counts = [len("".join(text.split())) if how == "character" else len(_TOKEN.findall(text)) for text in whole]
    return _Lengths(np.array(counts), settings["max_length"], 0)


def _longer(base: BaseSettings, found: _Lengths) -> BaseSettings:
    """The base as it reads more; itself where its settings say already what it reads."""
    settings: dict[str, Any] = vars(base)
    if {"windows", "keep", "max_length"} & set(specs.changed_settings(base)):
        return base
    if found.window and "windows" in settings:
        return _with(base, windows=min(MOST_WINDOWS, -(-found.needed() // found.window)))
    if "max_length" in settings and not base.pretrained:
        return _with(base, max_length=min(LONGEST_LEARNED, found.needed()))
    return base


def _remedy(base: BaseSettings, found: _Lengths) -> str:
    settings, most = vars(base), int(found.tokens.max())
    if "windows" in settings and found.window:
        windows = _with(base, windows=-(-most // found.window), keep=None)
        return f"To read all: --base {windows.spec}; or keep=head+tail for their beginning and end"
    if "max_length" in settings and not base.pretrained:
        return f"To read all: --base {_with(base, max_length=most).spec}"
    return "What decides should stand at their beginning"


def _with(base: BaseSettings, **settings: Any) -> BaseSettings:
    """The base with these settings, which its kind has."""
    changed: BaseSettings = replace(base, **settings)
    return changed
