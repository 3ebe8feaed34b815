"""Texts from the data in Markdown: shown as they are, never a link, emphasis, a table's cell or HTML."""

from __future__ import annotations

import re

from graftwork.evidence.words import line
from graftwork.shown import shown

_MARKS = re.compile(r"[\\`*\[\]|~$]|(?<!\w)_|_(?!\w)|^[#+=-]|^\d+(?=[.)])")
_LINKS = (("://", ":<!-- -->//"), ("www.", "www<!-- -->."), ("@", "<!-- -->@"))
"""What becomes a link without being marked as one, which no backslash prevents; an empty comment does."""


def plain(text: str, most: int | None = None) -> str:
    r"""A text on one line that Markdown shows as it is.

    >>> plain("[a](http://b) | <i>")
    '\\[a\\](http:<!-- -->//b) \\| &lt;i&gt;'
    """
    whole = line(text, most).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    whole = _MARKS.sub(lambda found: found[0] + "<!-- -->" if found[0].isdigit() else "\\" + found[0], whole)
    for mark, parted in _LINKS:
        whole = whole.replace(mark, parted)
    return whole


def fenced(text: str, language: str = "") -> str:
    """A block of code, with a fence that is longer than any in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown(text.strip())}\n{fence}"
