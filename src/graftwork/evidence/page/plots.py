"""The report's plots as SVG text: no files, no dates, the same input gives the same bytes.

Text stays text, and everything that is not a series is drawn in the colour of the page's text, so that the plots are
readable on light and dark pages, scale with the page, and can be searched. Each plot is one panel, small enough that
its letters are legible on a phone, and series differ in their marks as well as in their colours.
"""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from graftwork.evidence.results import Series
from graftwork.evidence.scores.breakdown import Bin
from graftwork.shown import shown_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours: told apart with every common colour blindness, and legible on white and on near-black.
BLUE, ORANGE, GREEN = "#3b82c4", "#d9730d", "#1a9e77"
_INK = "#123457"
"""Stands for the page's own text colour; replaced by `currentColor` in the SVG."""

_WIDTH, _HEIGHT = 4.6, 3.0
"""Inches of a panel."""


def training_loss(loss: Series) -> str:
    """Training loss by optimizer step."""
    with _figure("loss") as (figure, plot):
        plot.plot(loss.steps, loss.values, color=BLUE, linewidth=1.4)
        _axes(plot, "step of the training", "training loss")
        return _svg(figure, "Training loss by step")


def validation_scores(scores: Sequence[Series], score_name: str, key: str = "scores") -> str:
    """Scores on validation by optimizer step. key: keeps two such plots of a page apart."""
    with _figure(key) as (figure, plot):
        for series, (colour, mark) in zip(scores, ((ORANGE, "o"), (GREEN, "s"), (BLUE, "^")), strict=False):
            plot.plot(series.steps, series.values, color=colour, marker=mark, markersize=4, label=series.name)
        _axes(plot, "step of the training", score_name)
        if len(scores) > 1:
            plot.legend(frameon=False, labelcolor=_INK)
        return _svg(figure, f"{score_name} on validation by step" if key == "scores" else f"{score_name} by step")


def reliability_diagram(before: Sequence[Bin], after: Sequence[Bin], key: str = "") -> str:
    """Share of right answers over confidence; the diagonal is perfect. Dot size grows with the rows in the bin."""
    with _figure(f"reliability{key}") as (figure, plot):
        plot.plot([0, 100], [0, 100], color=_INK, linewidth=0.8, linestyle="--")
        drawn = ((before, ORANGE, "s", "before it was made milder or bolder"), (after, BLUE, "o", "as it predicts"))
        for bins, colour, mark, name in drawn:
            if bins:
                total = sum(each.rows for each in bins)
                x, y = [100 * each.confidence for each in bins], [100 * each.accuracy for each in bins]
                plot.plot(x, y, color=colour, linewidth=1.2, label=name)
                sizes = [12 + 150 * each.rows / total for each in bins]
                plot.scatter(x, y, s=sizes, color=colour, marker=mark, alpha=0.75)
        plot.set_xlim(0, 102)
        plot.set_ylim(0, 104)
        _axes(plot, "how sure it says it is (%)", "share that is right (%)")
        if before and after:
            plot.legend(frameon=False, labelcolor=_INK, loc="best")
        return _svg(figure, "Share that is right by how sure the model says it is")


def predicted_and_true(points: Sequence[tuple[float, float]], key: str = "", *, small: bool = False) -> str:
    """Predictions over truth, of a regression."""
    truth, predicted = zip(*points, strict=True)
    low, high = min(*truth, *predicted), max(*truth, *predicted)
    with _figure(f"scatter{key}", *((3.4, 2.1) if small else ())) as (figure, plot):
        plot.plot([low, high], [low, high], color=_INK, linewidth=0.9, linestyle="--")
        plot.scatter(truth, predicted, s=9, color=BLUE, alpha=0.5, linewidths=0)
        _axes(plot, "true", "predicted")
        _plain_numbers(plot, most=3 if small else 5)
        return _svg(figure, "Predicted against true numbers")


def errors(points: Sequence[tuple[float, float]], key: str = "") -> str:
    """Errors over predictions, of a regression."""
    with _figure(f"errors{key}") as (figure, plot):
        plot.axhline(0, color=_INK, linewidth=0.9, linestyle="--")
        predicted = [guess for _, guess in points]
        plot.scatter(predicted, [guess - true for true, guess in points], s=9, color=ORANGE, alpha=0.5, linewidths=0)
        _axes(plot, "predicted", "predicted minus true")
        _plain_numbers(plot)
        return _svg(figure, "Errors by predicted number")


def roc_curve(curve: Sequence[tuple[float, float]], key: str = "") -> str:
    """True accepts over false accepts; on the dashed line false accepts equal false rejects."""
    far, tar = zip(*curve, strict=True)
    with _figure(f"roc{key}") as (figure, plot):
        plot.plot([100 * one for one in far], [100 * one for one in tar], color=BLUE, linewidth=1.6)
        plot.plot([0, 100], [100, 0], color=_INK, linewidth=0.8, linestyle="--")
        plot.set_xlim(-1, 101)
        plot.set_ylim(-1, 103)
        _axes(plot, "strangers taken for known (%)", "known ones recognised (%)")
        return _svg(figure, "Known ones recognised by strangers taken for known, over all thresholds")


def similarities(edges: Sequence[float], same: Sequence[int], different: Sequence[int], key: str = "") -> str:
    """Pairs of one and of two identities by the cosine of their embeddings, each as shares of its own."""
    with _figure(f"similarities{key}") as (figure, plot):
        drawn = ((different, ORANGE, "two different ones", "//"), (same, BLUE, "the same one", ""))
        for counts, colour, name, hatch in drawn:
            shares = [100 * count / max(sum(counts), 1) for count in counts]
            plot.stairs(shares, edges, fill=True, color=colour, alpha=0.5, label=name, hatch=hatch or None)
        plot.legend(frameon=False, labelcolor=_INK)
        _axes(plot, "how alike (cosine)", "share of the pairs (%)")
        return _svg(figure, "How alike pairs of the same one and of two are")


def _axes(plot: Axes, x: str, y: str) -> None:
    plot.set_xlabel(x)
    plot.set_ylabel(y)


def _plain_numbers(plot: Axes, most: int = 5) -> None:
    """Numbers written out, few enough not to run into each other."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for one in (plot.xaxis, plot.yaxis):
        one.set_major_locator(MaxNLocator(most))
        one.set_major_formatter(FuncFormatter(lambda value, _: shown_number(value)))


@contextmanager
def _figure(name: str, width: float = _WIDTH, height: float = _HEIGHT) -> Iterator[tuple[Figure, Axes]]:
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
        "axes.edgecolor": _INK,
        "axes.labelcolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.7,
    }
    with matplotlib.rc_context(style), warnings.catch_warnings():
        # The page's fonts draw the text, not matplotlib's, which lack e.g. Chinese.
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots()


def _svg(figure: Figure, title: str) -> str:
    """title: what it shows, for who can't see it."""
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*"', "<g", text)  # the same in every plot, and nothing refers to them
    text = re.sub(r'(<svg [^>]*?)width="[\d.]+pt" height="[\d.]+pt"', r"\1", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{html.escape(title)}" ', 1)
