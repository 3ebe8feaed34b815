"""What is printed: lines, tables and JSON, in which nothing acts on the terminal and nothing is cut.

A table that is wider than the terminal turns into blocks, a row each; in a file or a pipe it may be wider.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, TextIO

from graftwork.shown import shown, shown_json, shown_line

WIDE = 160
"""Columns that a table may have where there is no terminal."""
NARROW = 40
"""No terminal is taken for narrower."""


def say(text: str) -> None:
    """A line, or several, on stdout."""
    _write(sys.stdout, shown(text))


def tell(text: str) -> None:
    """The same on stderr: what is no result."""
    _write(sys.stderr, shown(text))


def tell_of(kind: str, text: object) -> None:
    """An error or a warning on stderr. Further lines are indented, so that a name with a line feed in it can't pass for
    a message of its own."""
    first, *more = shown(text).split("\n")
    tell("\n".join([f"{kind}: {first}", *(line if line.startswith(" ") else f"  {line}" for line in more)]))


def say_json(data: Any) -> None:
    """One line of JSON on stdout."""
    _write(sys.stdout, shown_json(data))


def say_table(rows: Sequence[Sequence[object]], title: str = "") -> None:
    """Rows, the first one their head, on stdout; a cell may have several lines only in the source."""
    cells = [[shown_line(cell) for cell in row] for row in rows]
    terminal = sys.stdout is not None and sys.stdout.isatty()
    width = max(shutil.get_terminal_size().columns, NARROW) if terminal else WIDE
    lines = aligned(cells)
    if max(map(cell_length, lines)) > width:
        lines = blocks(cells, width if terminal else None)
    _write(sys.stdout, "\n".join([*([shown_line(title)] if title else []), *lines, ""]))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns under each other, the head underlined.

    >>> aligned([["name", "score"], ["mean", "1"]])
    ['name  score', '───────────', 'mean  1']
    """
    widths = [max(map(cell_length, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell + " " * (width - cell_length(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [lines[0], "─" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]]


def blocks(rows: Sequence[Sequence[str]], width: int | None) -> list[str]:
    """A row a block: its first cell, and below it a line for each other cell that is not empty, with the column's name.

    width: where lines are broken, at spaces only; None for nowhere.

    >>> blocks([["name", "settings"], ["lora", "rank=8"]], None)
    ['lora', '  settings: rank=8']
    """
    head, *body = rows
    lines = []
    for row in body:
        lines.append(row[0] or head[0])
        for name, cell in list(zip(head, row, strict=True))[1:]:
            if cell:
                lines += _broken(f"{name}: {cell}" if name else cell, width)
    return lines


def cell_length(text: str) -> int:
    """Columns that a text takes on a terminal: two for a Chinese sign."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _broken(text: str, width: int | None) -> list[str]:
    if width is None:
        return [f"  {text}"]
    return textwrap.wrap(
        text,
        width,
        initial_indent="  ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _write(stream: TextIO | None, text: str) -> None:
    """What the stream's encoding lacks is written as an escape."""
    if stream is None:  # a program without a console
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
