"""The report's plots as SVG text: no files, no dates, the same input gives the same bytes.

Text stays text, and everything that is not a series is drawn in the colour of the page's text, so that the plots are
readable on light and dark pages, scale with the page, and can be searched.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graftwork.evidence.breakdown import Bin, ClassScore, Pair

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours: told apart with every common colour blindness, and legible on white and on near-black.
BLUE, ORANGE, GREEN = "#3b82c4", "#d9730d", "#1a9e77"
_INK = "#123457"
"""Stands for the page's own text colour; replaced by `currentColor` in the SVG."""

_MATRIX_CLASSES = 20
_BARS = 25
_LONGEST_LABEL = 32


@dataclass(frozen=True)
class Series:
    """Named points of a curve, by optimizer step."""

    name: str
    steps: tuple[float, ...]
    values: tuple[float, ...]


def learning_curves(loss: Series, scores: Sequence[Series], score_name: str) -> str:
    """Training loss on the left, validation scores on the right, over optimizer steps."""
    with _figure("curves", 7.2, 2.9, columns=2) as (figure, axes):
        axes[0].plot(loss.steps, loss.values, color=BLUE, linewidth=1.4)
        _titled(axes[0], "Training loss", "step", "")
        for series, colour in zip(scores, (ORANGE, GREEN, BLUE), strict=False):
            axes[1].plot(series.steps, series.values, color=colour, marker="o", markersize=3.5, label=series.name)
        _titled(axes[1], f"Validation: {score_name}", "step", "")
        if len(scores) > 1:
            axes[1].legend(frameon=False, labelcolor=_INK)
        return _svg(figure)


def confusion_matrix(classes: Sequence[ClassScore], pairs: Sequence[Pair]) -> str:
    """Rows: true class, columns: predicted class, cells: rows of the table. Meant for at most 20 classes."""
    import numpy as np

    names = [score.label for score in classes]
    at = {name: place for place, name in enumerate(names)}
    counts = np.diag([score.right for score in classes]).astype(float)
    for pair in pairs:
        counts[at[pair.truth], at[pair.predicted]] = pair.rows
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.36 * len(names)
    with _figure("confusion", side + 0.6, side) as (figure, axes):
        plot = axes[0]
        for row, column in zip(*np.nonzero(counts), strict=True):
            share, right = float(shares[row, column]), row == column
            plot.fill(
                [column - 0.48, column + 0.48, column + 0.48, column - 0.48],
                [row - 0.48, row - 0.48, row + 0.48, row + 0.48],
                color=BLUE if right else ORANGE,
                alpha=0.12 + 0.5 * share,
                linewidth=0,
            )
            plot.text(column, row, f"{int(counts[row, column])}", ha="center", va="center", fontsize=8, color=_INK)
        plot.set_xlim(-0.5, len(names) - 0.5)
        plot.set_ylim(len(names) - 0.5, -0.5)
        for axis in ("x", "y"):
            _names(plot, axis, [_short(name) for name in names])
        _titled(plot, "", "predicted", "true")
        return _svg(figure)


def top_pairs(pairs: Sequence[Pair]) -> str:
    """The most frequent mistakes as bars: true class, then what it was taken for."""
    shown = pairs[:_BARS]
    names = [f"{_short(pair.truth, 26)} → {_short(pair.predicted, 26)}" for pair in shown]
    return _bars("pairs", names, [float(pair.rows) for pair in shown], ORANGE, "rows (true class → predicted class)")


def class_bars(classes: Sequence[ClassScore]) -> str:
    """F1 of the classes, the lowest first, at most 25."""
    known = sorted((score.f1 or 0.0, score.label) for score in classes if score.f1 is not None)[:_BARS]
    return _bars("classes", [_short(label) for _, label in known], [f1 for f1, _ in known], BLUE, "F1", 1.0)


def reliability_diagram(before: Sequence[Bin], after: Sequence[Bin]) -> str:
    """Share of right answers over confidence; the diagonal is perfect. Dot size grows with the rows in the bin."""
    with _figure("reliability", 4.4, 3.6) as (figure, axes):
        plot = axes[0]
        plot.plot([0, 1], [0, 1], color=_INK, linewidth=0.8, linestyle="--")
        for bins, colour, name in ((before, ORANGE, "before temperature"), (after, BLUE, "as it predicts")):
            if bins:
                total = sum(each.rows for each in bins)
                x, y = [each.confidence for each in bins], [each.accuracy for each in bins]
                plot.plot(x, y, color=colour, linewidth=1.2, label=name)
                plot.scatter(x, y, s=[12 + 150 * each.rows / total for each in bins], color=colour, alpha=0.75)
        plot.set_xlim(0, 1.02)
        plot.set_ylim(0, 1.04)
        _titled(plot, "", "confidence", "share that is right")
        if before and after:
            plot.legend(frameon=False, labelcolor=_INK, loc="lower right")
        return _svg(figure)


def predicted_and_residuals(points: Sequence[tuple[float, float]]) -> str:
    """Predictions over truth, and errors over predictions, of a regression."""
    truth, predicted = zip(*points, strict=True)
    low, high = min(min(truth), min(predicted)), max(max(truth), max(predicted))
    with _figure("residuals", 7.2, 3.2, columns=2) as (figure, axes):
        axes[0].plot([low, high], [low, high], color=_INK, linewidth=0.8, linestyle="--")
        axes[0].scatter(truth, predicted, s=9, color=BLUE, alpha=0.5, linewidths=0)
        _titled(axes[0], "Predicted and true", "true", "predicted")
        axes[1].axhline(0, color=_INK, linewidth=0.8, linestyle="--")
        errors = [guess - true for true, guess in points]
        axes[1].scatter(predicted, errors, s=9, color=ORANGE, alpha=0.5, linewidths=0)
        _titled(axes[1], "Errors", "predicted", "predicted − true")
        return _svg(figure)


def roc_curve(curve: Sequence[tuple[float, float]]) -> str:
    """True accepts over false accepts; on the dashed line false accepts equal false rejects."""
    far, tar = zip(*curve, strict=True)
    with _figure("roc", 4.4, 3.6) as (figure, axes):
        plot = axes[0]
        plot.plot(far, tar, color=BLUE, linewidth=1.6)
        plot.plot([0, 1], [1, 0], color=_INK, linewidth=0.8, linestyle="--")
        plot.set_xlim(-0.01, 1.01)
        plot.set_ylim(-0.01, 1.03)
        _titled(plot, "", "share of pairs of two identities accepted", "share of pairs of one identity accepted")
        return _svg(figure)


def similarities(edges: Sequence[float], same: Sequence[int], different: Sequence[int]) -> str:
    """Pairs of one and of two identities by the cosine of their embeddings, each as shares of its own."""
    with _figure("similarities", 5.2, 3.2) as (figure, axes):
        plot = axes[0]
        for counts, colour, name in ((different, ORANGE, "two identities"), (same, BLUE, "one identity")):
            shares = [count / max(sum(counts), 1) for count in counts]
            plot.stairs(shares, edges, fill=True, color=colour, alpha=0.55, label=name)
        plot.legend(frameon=False, labelcolor=_INK)
        _titled(plot, "", "cosine of the embeddings", "share of the pairs")
        return _svg(figure)


def fits_matrix(classes: Sequence[ClassScore]) -> bool:
    """Whether the classes are few enough for a legible matrix."""
    return len(classes) <= _MATRIX_CLASSES


def _bars(name: str, labels: Sequence[str], values: Sequence[float], colour: str, axis: str, most: float = 0.0) -> str:
    from matplotlib.ticker import MaxNLocator

    with _figure(name, 7.2, 0.9 + 0.26 * len(labels)) as (figure, axes):
        plot = axes[0]
        places = range(len(labels))
        plot.barh(places, values, color=colour, height=0.66)
        for place, value in zip(places, values, strict=True):
            text = f"{value:.0f}" if value == int(value) and not most else f"{value:.2f}"
            plot.annotate(text, (value, place), (3, 0), textcoords="offset points", va="center", fontsize=8, color=_INK)
        plot.set_ylim(len(labels) - 0.4, -0.6)
        if not most:
            plot.xaxis.set_major_locator(MaxNLocator(integer=True))
        plot.set_xlim(0, 1.08 * max([*values, most, 1e-9]))
        _names(plot, "y", labels)
        _titled(plot, "", axis, "")
        return _svg(figure)


def _names(plot: Axes, axis: str, names: Sequence[str]) -> None:
    if axis == "x":
        plot.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    else:
        plot.set_yticks(range(len(names)), names)


def _short(text: str, length: int = _LONGEST_LABEL) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _titled(plot: Axes, title: str, x: str, y: str) -> None:
    plot.set_title(title, fontsize=10, loc="left", color=_INK)
    plot.set_xlabel(x)
    plot.set_ylabel(y)


@contextmanager
def _figure(name: str, width: float, height: float, columns: int = 1) -> Iterator[tuple[Figure, list[Axes]]]:
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
        yield figure, list(figure.subplots(1, columns, squeeze=False)[0])


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
    return re.sub(r'(<svg [^>]*?)width="([\d.]+)pt" height="[\d.]+pt"', r'\1style="width:\2pt;max-width:100%"', text)
