"""What a notebook shows of things: cards and tables as HTML, with everything in them escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from graftwork.shown import shown, shown_line


def table(rows: Sequence[Sequence[object]], caption: str = "") -> str:
    """Rows as a table, the first one its head.

    >>> table([("name", "score"), ("<b>", 1)])
    '<table><thead><tr><th>name</th><th>score</th></tr></thead><tbody><tr><td>&lt;b&gt;</td><td>1</td></tr></tbody></table>'
    """
    head, *body = rows
    title = f"<caption style='text-align:left'>{text(caption)}</caption>" if caption else ""
    heads = "".join(f"<th>{text(cell)}</th>" for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{text(cell)}</td>" for cell in row) + "</tr>" for row in body)
    return f"<table>{title}<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table>"


def card(title: str, sentences: Iterable[str], below: str = "") -> str:
    """A title and lines in a frame, and below them HTML."""
    each = "".join(f"<div>{text(line)}</div>" for line in sentences)
    frame = "border:1px solid #8888; border-radius:6px; padding:0.6em 1em; max-width:60em"
    return f"<div style='{frame}'><div><strong>{text(title)}</strong></div>{each}{below}</div>"


def text(value: object) -> str:
    """A value as HTML text of one line."""
    return escape(shown_line(value))


def lines(several: object) -> str:
    """A text of several lines, for a `<pre>`."""
    return escape(shown(several))
