"""Text to token ids: one small class around a `tokenizers.Tokenizer`, and the training of one for bases from scratch.

Tokenising happens once a row and is kept on disk, so a tokenizer also has a fingerprint. A tokenizer is immutable;
copies of an encoder share it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from tokenizers import Encoding, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from graftwork.data.batch import Inputs
from graftwork.data.columns.joined import TextValue, are_joined, as_parts
from graftwork.data.store.names import inside, plain_name
from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import write_bytes
from graftwork.errors import DataError, ModelError
from graftwork.networks.hub.joined_texts import pack, pair_of, separator_of, templates, unpack
from graftwork.networks.hub.left_out import LEFT_OUT, Otherwise, otherwise, unpacked

T = TypeVar("T")

Tokens = Literal["auto", "word", "subword", "character"]
Side = Literal["left", "right", "middle"]
"""What is cut off where a text is too long."""
HEAD = 0.25
"""Of the tokens that are kept of a text cut in the middle, the share of its beginning (Sun et al. 2019)."""

Keep = Literal["head", "tail", "head+tail"]
_CUT: dict[str, Side] = {"head": "right", "tail": "left", "head+tail": "middle"}

PAD, UNKNOWN, SEPARATOR, START, MASK = "[PAD]", "[UNK]", "[SEP]", "[CLS]", "[MASK]"
TOKENIZER_FILE = "tokenizer.json"
"""Of a tokenizer's files the one that is read."""


@dataclass(frozen=True)
class LongTexts:
    """What is read of a text that is longer than the base reads at a time. windows: the most windows; keep: one window,
    of the beginning, the end or both; None for the base's own end."""

    windows: int = 1
    keep: Keep | None = None

    def applied(self, tokenizer: TextTokenizer) -> TextTokenizer:
        side = tokenizer.side if self.keep is None else _CUT[self.keep]
        return replace(tokenizer, side=side, windows=self.windows)


@dataclass(frozen=True, eq=False)
class TextTokenizer:
    """Texts to arrays of ids, at most `max_length` long, special tokens included.

    files: what is saved with a model, by name; `tokenizer.json` is the one that is read back.
    pad: id that fills short rows. empty: id that stands for a text without any token, so that no row is empty.
    side: the end that is cut off where a text is too long, or the middle.
    windows: the most pieces of `max_length` that a long text is read in; ids of one follow on those of the other.
    segments: whether the base is told which text of several a token belongs to, where it has weights for that.
    """

    files: dict[str, bytes]
    pad: int
    empty: int
    max_length: int
    side: Side = "right"
    windows: int = 1
    segments: bool = True

    @cached_property
    def backend(self) -> Tokenizer:
        """The `tokenizers.Tokenizer`, with truncation set and padding off."""
        backend = Tokenizer.from_str(self.files[TOKENIZER_FILE].decode())
        backend.no_padding()
        backend.enable_truncation(self.max_length, direction="left" if self.side == "left" else "right")
        return backend

    @cached_property
    def uncut(self) -> Tokenizer:
        """The same without truncation."""
        backend = Tokenizer.from_str(self.files[TOKENIZER_FILE].decode())
        backend.no_padding()
        backend.no_truncation()
        return backend

    @property
    def size(self) -> int:
        """Number of ids, special and added tokens included."""
        return int(self.backend.get_vocab_size(with_added_tokens=True))

    @cached_property
    def fingerprint(self) -> str:
        """Changes whenever `encode` would give other ids."""
        digest = hashlib.sha256(self.files[TOKENIZER_FILE])
        more = f" {self.windows}" if self.windows > 1 else ""
        digest.update(f"{self.max_length} {self.side} {self.empty}{more}".encode())
        return digest.hexdigest()[:32]

    def encode(self, texts: Sequence[TextValue]) -> list[np.ndarray]:
        """One int32 array of ids a text; never an empty one. Rows of several texts are cut at the end of the longest,
        token by token, as transformers does, and their ids are packed with segments (`joined_texts`)."""
        if are_joined(texts):
            joined = self.backend.encode_batch_fast([pair_of(row, self.separator) for row in texts])
            return [pack(one) if one.ids else np.array([self.empty], np.int32) for one in joined]
        encodings = (self.uncut if self.side == "middle" else self.backend).encode_batch_fast(list(texts))
        return [np.array(self._kept(encoding, _ids) or [self.empty], np.int32) for encoding in encodings]

    def places(self, text: str) -> np.ndarray:
        """Where the tokens that `encode` gives stand in the text (L, 2): the first character and the one behind the
        last, -1 and -1 for special tokens."""
        encoding = (self.uncut if self.side == "middle" else self.backend).encode(text)
        found = self._kept(encoding, _placed) or [(-1, -1)]
        return np.array(found, np.int64).reshape(-1, 2)

    def _kept(self, encoding: Encoding, read: Callable[[Encoding], list[T]]) -> list[T]:
        """What `read` finds of each token, of those that are kept."""
        found = read(encoding)
        if self.side == "middle" and len(found) > self.max_length:
            head = round(HEAD * self.max_length)
            return found[:head] + found[head - self.max_length :]
        if self.windows > 1 and len(found) == self.max_length:
            return found + [one for more in encoding.overflowing[: self.windows - 1] for one in read(more)]
        return found

    @cached_property
    def separator(self) -> str:
        """What stands between the texts of a row that has several; empty where nothing does."""
        return separator_of(self.uncut)

    def room(self, *, joined: bool = False) -> int:
        """Tokens of a text, or of all texts of a row, that a window holds beside the special ones."""
        return self.max_length - int(self.backend.num_special_tokens_to_add(joined))

    def lengths(self, texts: Sequence[TextValue]) -> np.ndarray:
        """Tokens of the whole texts (N,), special ones apart."""
        whole = [pair_of(row, self.separator) for row in texts] if are_joined(texts) else list(texts)
        return np.array([len(one) for one in self.uncut.encode_batch_fast(whole, add_special_tokens=False)])

    @property
    def is_trimmed(self) -> bool:
        """Whether it has only some of the pieces that its base has."""
        return LEFT_OUT in self.files

    def otherwise(self, texts: Sequence[TextValue]) -> Otherwise:
        """How much of the texts one that is trimmed reads otherwise than the whole tokenizer would."""
        each = [text for row in texts for text in as_parts(row)]
        return otherwise(self.files[TOKENIZER_FILE].decode(), self._left_out, each)

    @cached_property
    def _left_out(self) -> dict[str, float]:
        return unpacked(self.files[LEFT_OUT])

    def collate(self, rows: Sequence[np.ndarray]) -> Inputs:
        """`input_ids` and `attention_mask` (B, length), int64, padded on the right to the longest row; `segments` where
        a row has more than one."""
        lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
        mask = np.arange(lengths.max(initial=1)) < lengths[:, None]
        ids = np.full(mask.shape, self.pad, np.int64)
        if len(rows):
            ids[mask] = np.concatenate(rows)
        ids, segments = unpack(ids)
        more = {} if segments is None else {"segments": torch.from_numpy(segments)}
        return {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask.astype(np.int64)), **more}

    def config(self) -> dict[str, Any]:
        """Plain JSON data which, with the files, gives the same tokenizer."""
        settings = {"pad": self.pad, "empty": self.empty, "max_length": self.max_length, "side": self.side}
        settings |= {"windows": self.windows} if self.windows > 1 else {}
        settings |= {} if self.segments else {"segments": False}
        return settings | {"files": sorted(self.files)}

    def save_files(self, folder: Path) -> None:
        for name, content in self.files.items():
            write_bytes(folder / plain_name(name, "The tokenizer"), content)

    @classmethod
    def from_config(cls, config: dict[str, Any], folder: Path) -> TextTokenizer:
        """The tokenizer that `config` and `save_files` kept. Raises ModelError for a missing or broken file."""
        settings = {key: config[key] for key in ("pad", "empty", "max_length", "side")}
        settings |= {"windows": config.get("windows", 1), "segments": config.get("segments", True)}
        if not isinstance(config["files"], list):
            raise ModelError(f"The tokenizer of the saved model in {folder} names no files.")
        try:
            named = [plain_name(name, "The tokenizer of the saved model") for name in config["files"]]
            files = {name: inside(folder, name).read_bytes() for name in named}
        except OSError as error:
            raise ModelError(f"The tokenizer of the saved model can't be read: {error}.") from None
        tokenizer = cls(files, **settings)
        try:
            ids = range(tokenizer.size)  # parsed now, so that a broken file is met here
        except Exception as error:  # tokenizers raises plain Exception
            raise ModelError(f"{folder / TOKENIZER_FILE} is not a tokenizer: {error}.") from None
        wrong = misfit(tokenizer, cls)
        least = min(tokenizer.max_length, tokenizer.windows)
        if wrong or tokenizer.empty not in ids or tokenizer.pad < 0 or least < 1:
            raise ModelError(
                f"The tokenizer of the saved model in {folder} can't be used with {settings}: copy it again. {wrong}"
            )
        return tokenizer

    def __deepcopy__(self, memo: dict[int, Any]) -> TextTokenizer:
        return self


# --- training one of our own ----------------------------------------------------------------------------------------
_NO_SPACES = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\u0e00-\u0eff\u1000-\u109f]")
_LETTER = re.compile(r"[^\W\d_]")
_SAMPLE = 2000


def _ids(encoding: Encoding) -> list[int]:
    ids: list[int] = encoding.ids
    return ids


def _placed(encoding: Encoding) -> list[tuple[int, int]]:
    pairs = zip(encoding.offsets, encoding.special_tokens_mask, strict=True)
    return [(-1, -1) if special else offsets for offsets, special in pairs]


def train_tokenizer(
    texts: Iterable[str],
    tokens: Tokens,
    vocabulary: int,
    max_length: int,
    *,
    joined: bool = False,
    framed: bool = False,
) -> TextTokenizer:
    """A tokenizer fitted to `texts`: lower-cased, NFKC; `[PAD]` is 0 and `[UNK]` is 1. joined: rows may have several
    texts, and `[SEP]`, which is 2, stands between them. framed: as BERT has it, `[CLS]` before each row, `[SEP]` behind
    each text, and a `[MASK]` for hidden tokens.

    tokens: `word` (words and punctuation seen at least twice), `subword` (byte-pair encoding, Sennrich et al. 2016),
        `character`, or `auto`: characters where the script is written without spaces (Chinese, Japanese, Thai), else
        words. vocabulary: the most ids it may have. The same texts in the same order give the same tokenizer.
    Raises DataError where the texts hold no token at all.
    """
    stream = iter(texts)
    sample = list(islice(stream, _SAMPLE))
    how = choose_tokens(sample) if tokens == "auto" else tokens
    special = [PAD, UNKNOWN, *([SEPARATOR] if joined or framed else []), *([START, MASK] if framed else [])]
    tokenizer, trainer = _untrained(how, vocabulary, special)
    tokenizer.train_from_iterator(_chained(sample, stream), trainer)
    if joined or framed:
        marks = {mark: special.index(mark) for mark in (SEPARATOR, START) if mark in special}
        tokenizer.post_processor = processors.TemplateProcessing(**templates(*marks), special_tokens=[*marks.items()])
    if tokenizer.get_vocab_size() <= len(special):
        raise DataError("No tokenizer can be trained: the training texts hold no token that occurs twice.")
    return TextTokenizer({TOKENIZER_FILE: tokenizer.to_str().encode()}, pad=0, empty=1, max_length=max_length)


def choose_tokens(sample: Iterable[str]) -> Literal["word", "character"]:
    """`character` where at least 30 % of the letters belong to a script that is written without spaces.

    >>> choose_tokens(["房间很大，wifi 也快"]), choose_tokens(["What is 酒店 in English, please?"])
    ('character', 'word')
    """
    letters = spaceless = 0
    for text in sample:
        letters += len(_LETTER.findall(text))
        spaceless += len(_NO_SPACES.findall(text))
    return "character" if spaceless > 0.3 * max(letters, 1) else "word"


def _untrained(how: str, vocabulary: int, special: Sequence[str]) -> tuple[Tokenizer, trainers.Trainer]:
    limits: dict[str, Any] = {
        "vocab_size": vocabulary,
        "min_frequency": 2,
        "special_tokens": list(special),
        "show_progress": False,
    }
    whole = how != "subword"
    tokenizer = Tokenizer((models.WordLevel if whole else models.BPE)(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = _splitter(how)
    return tokenizer, (trainers.WordLevelTrainer if whole else trainers.BpeTrainer)(**limits)


def _splitter(how: str) -> pre_tokenizers.PreTokenizer:
    if how == "word":
        return pre_tokenizers.BertPreTokenizer()
    if how == "character":
        return pre_tokenizers.Split(Regex(r"\S"), "removed", invert=True)
    # A mark in front of each word, not a suffix: pieces with a suffix get their ids in the order of a hash map.
    return pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()])


def _chained(first: Sequence[str], rest: Iterator[str]) -> Iterator[str]:
    yield from first
    yield from rest
