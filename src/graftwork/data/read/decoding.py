"""Text files as text: in UTF-8, in UTF-16 that says so, or in the encoding that the user names."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graftwork.data.read.encodings import guess_encoding, known_encoding
from graftwork.data.read.files import TABLES, open_bytes
from graftwork.errors import DataError

_SNIFFED = 1 << 20
_START = 4096
_SURE = 10
"""Letters beyond ASCII that are hardly all valid UTF-8 by chance."""


@dataclass(frozen=True)
class EncodedFile:
    """A text file and the encoding that the user says it has; stands wherever a path does."""

    path: Path
    encoding: str

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        return self.path.name


def with_encoding(source: Any, encoding: str | None) -> Any:
    """The source as it is, but for files, and lists of them, where an encoding is named."""
    if encoding is None or source is None:
        return source
    known = known_encoding(encoding)
    if isinstance(source, list | tuple):
        return [with_encoding(one, known) if isinstance(one, os.PathLike) or _is_file(one) else one for one in source]
    return EncodedFile(Path(source), known) if isinstance(source, str | os.PathLike) else source


def _is_file(one: Any) -> bool:
    return isinstance(one, str) and one.lower().endswith(TABLES)


@contextmanager
def open_text(path: Path, encoding: str | None = None) -> Iterator[io.TextIOWrapper]:
    """The file as text, less a byte order mark: in UTF-8, in UTF-16 where a mark says so, or in the named encoding.

    Bytes that are none of that encoding are a DataError that says where, and how to go on.
    """
    with open_bytes(path) as file:
        found = encoding or marked_encoding(path, file.read(_START))
        if encoding is not None:
            _refuse_utf8(path, file.read(_SNIFFED), encoding)
        file.seek(0)
        try:
            yield io.TextIOWrapper(file, encoding=found, newline="")
        except UnicodeEncodeError:
            raise
        except UnicodeError as error:
            raise _not_decoded(path, found, named=encoding is not None) from error


def _refuse_utf8(path: Path, start: bytes, encoding: str) -> None:
    """Raise DataError for text in UTF-8 that would be read as something else, letter for letter wrong."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return
    beyond = [character for character in text if character > "\x7f"]
    if len(beyond) >= _SURE and not encoding.startswith("utf"):
        shown = "".join(dict.fromkeys(beyond))[:10]
        raise DataError(
            f"{path} is UTF-8 (it holds {shown}), not {encoding}, as --encoding says. Leave --encoding out."
        )


def marked_encoding(path: Path, start: bytes) -> str:
    """UTF-8, or UTF-16 where the first bytes say so. UTF-16 without such a mark is a DataError."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if code := _unmarked_utf16(start):
        raise DataError(f"{path} is {code.upper()}, not UTF-8: {_repeat(code)}")
    return "utf-8-sig"


def _unmarked_utf16(start: bytes) -> str | None:
    """Text in UTF-16 has zeros on one side of its pairs (Latin letters, digits, separators, line ends), no others."""
    zeros = [start[side::2].count(0) for side in (0, 1)]
    if min(zeros) > 0.1 * max(zeros) or max(zeros) < 2:
        return None
    code = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
    text = start[: len(start) // 2 * 2].decode(code, errors="replace")
    plain = sum(character.isprintable() or character.isspace() for character in text)
    return code if ("\n" in text or "\r" in text) and plain > 0.95 * len(text) else None


def _not_decoded(path: Path, encoding: str, *, named: bool) -> DataError:
    """Where the first wrong byte stands, and what can be done."""
    decoder = codecs.getincrementaldecoder("utf-8" if encoding == "utf-8-sig" else encoding)()
    offset, line = 0, 1
    with open_bytes(path) as file:
        while block := file.read(_SNIFFED):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                at = error.start - pending
                line += block.count(b"\n", 0, max(at, 0))
                where = f"line {line} (byte {offset + at:,})"
                if named:
                    return DataError(f"{path}, {where}: not {encoding}, as --encoding says. {_advice(path)}")
                return DataError(f"{path}, {where}: not UTF-8. {_advice(path)}")
            except UnicodeError as error:  # UTF-16 without the mark that it needs
                return DataError(f"{path}: not {encoding}, as --encoding says ({error}). {_advice(path)}")
            offset, line = offset + len(block), line + block.count(b"\n")
    what = "UTF-8" if encoding == "utf-8-sig" else encoding
    return DataError(f"{path} ends in the middle of a character: it is cut off, or not {what}.")


def _advice(path: Path) -> str:
    with open_bytes(path) as file:
        start = file.read(_SNIFFED)
        good = sum(ord(character) >= 0x80 for character in start.decode("utf-8", errors="ignore"))
        bad = start.decode("utf-8", errors="replace").count("\ufffd")
        if good > 4 * bad:
            return "The rest is UTF-8, so a few bytes are damaged: mend the line, or drop them with iconv -c -f UTF-8."
        guess = guess_encoding(file)
    if guess is None:
        return (
            "Which encoding it is can't be told from its bytes: look up how it was saved, and name it with --encoding "
            "NAME (in Python encoding='NAME'), such as cp1252; or save it as UTF-8."
        )
    return f"It is probably {guess.words}, and then reads: {guess.text}. If so, {_repeat(guess.encoding)}"


def _repeat(encoding: str) -> str:
    return f"repeat the command with --encoding {encoding} (in Python encoding='{encoding}')."
