"""A plot as SVG text that stands in a page: no files, no dates, the same input gives the same bytes.

Text stays text, and everything that is not a series is drawn in the colour of the page's text, so that plots are
readable on light and dark pages, scale with the page, and can be searched.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours: told apart with every common colour blindness, and legible on white and on near-black.
BLUE, ORANGE, GREEN = "#3b82c4", "#d9730d", "#1a9e77"
INK = "#123457"
"""Stands for the page's own text colour; replaced by `currentColor` in the SVG."""

WIDTH, HEIGHT = 4.6, 3.0
"""Inches of a panel."""


@contextmanager
def drawing(name: str, width: float = WIDTH, height: float = HEIGHT) -> Iterator[tuple[Figure, Axes]]:
    """A figure of this size in inches, and its axes. `name` keeps the ids of several plots on one page apart."""
    import matplotlib
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        # User text is never read as a formula.
        "text.parse_math": False,
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "font.family": "sans-serif",
        "font.size": 9,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.7,
    }
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # The page's fonts draw the text, not matplotlib's, which lack e.g. Chinese.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots()


def svg(figure: Figure, title: str) -> str:
    """The figure as SVG text. title: what it shows, for who can't see it."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)  # the same in every plot, and nothing refers to them
    text = re.sub(r'(<svg [^>]*?)width="[\d.]+pt" height="[\d.]+pt"', r"\1", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{html.escape(title)}" ', 1)
