"""The report's plots as SVG text.

Each plot is one panel, small enough that its letters are legible on a phone, and series differ in their marks as well
as in their colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from graftwork.evidence.page.drawing import BLUE, GREEN, INK, ORANGE, drawing, svg
from graftwork.evidence.results import Series
from graftwork.evidence.scores.breakdown import Bin
from graftwork.shown import shown_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def training_loss(loss: Series) -> str:
    """Training loss by optimizer step."""
    with drawing("loss") as (figure, plot):
        plot.plot(loss.steps, loss.values, color=BLUE, linewidth=1.4)
        _axes(plot, "step of the training", "training loss")
        return svg(figure, "Training loss by step")


def validation_scores(scores: Sequence[Series], score_name: str, key: str = "scores") -> str:
    """Scores on validation by optimizer step. key: keeps two such plots of a page apart."""
    with drawing(key) as (figure, plot):
        for series, (colour, mark) in zip(scores, ((ORANGE, "o"), (GREEN, "s"), (BLUE, "^")), strict=False):
            plot.plot(series.steps, series.values, color=colour, marker=mark, markersize=4, label=series.name)
        _axes(plot, "step of the training", score_name)
        if len(scores) > 1:
            plot.legend(frameon=False, labelcolor=INK)
        return svg(figure, f"{score_name} on validation by step" if key == "scores" else f"{score_name} by step")


def reliability_diagram(before: Sequence[Bin], after: Sequence[Bin], key: str = "") -> str:
    """Share of right answers over confidence; the diagonal is perfect. Dot size grows with the rows in the bin."""
    with drawing(f"reliability{key}") as (figure, plot):
        plot.plot([0, 100], [0, 100], color=INK, linewidth=0.8, linestyle="--")
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
            plot.legend(frameon=False, labelcolor=INK, loc="best")
        return svg(figure, "Share that is right by how sure the model says it is")


def predicted_and_true(points: Sequence[tuple[float, float]], key: str = "", *, small: bool = False) -> str:
    """Predictions over truth, of a regression."""
    truth, predicted = zip(*points, strict=True)
    low, high = min(*truth, *predicted), max(*truth, *predicted)
    with drawing(f"scatter{key}", *((3.4, 2.1) if small else ())) as (figure, plot):
        plot.plot([low, high], [low, high], color=INK, linewidth=0.9, linestyle="--")
        plot.scatter(truth, predicted, s=9, color=BLUE, alpha=0.5, linewidths=0)
        _axes(plot, "true", "predicted")
        _plain_numbers(plot, most=3 if small else 5)
        return svg(figure, "Predicted against true numbers")


def errors(points: Sequence[tuple[float, float]], key: str = "") -> str:
    """Errors over predictions, of a regression."""
    with drawing(f"errors{key}") as (figure, plot):
        plot.axhline(0, color=INK, linewidth=0.9, linestyle="--")
        predicted = [guess for _, guess in points]
        plot.scatter(predicted, [guess - true for true, guess in points], s=9, color=ORANGE, alpha=0.5, linewidths=0)
        _axes(plot, "predicted", "predicted minus true")
        _plain_numbers(plot)
        return svg(figure, "Errors by predicted number")


def roc_curve(curve: Sequence[tuple[float, float]], key: str = "") -> str:
    """True accepts over false accepts; on the dashed line false accepts equal false rejects."""
    far, tar = zip(*curve, strict=True)
    with drawing(f"roc{key}") as (figure, plot):
        plot.plot([100 * one for one in far], [100 * one for one in tar], color=BLUE, linewidth=1.6)
        plot.plot([0, 100], [100, 0], color=INK, linewidth=0.8, linestyle="--")
        plot.set_xlim(-1, 101)
        plot.set_ylim(-1, 103)
        _axes(plot, "strangers taken for known (%)", "known ones recognised (%)")
        return svg(figure, "Known ones recognised by strangers taken for known, over all thresholds")


def similarities(edges: Sequence[float], same: Sequence[int], different: Sequence[int], key: str = "") -> str:
    """Pairs of one and of two identities by the cosine of their embeddings, each as shares of its own."""
    with drawing(f"similarities{key}") as (figure, plot):
        drawn = ((different, ORANGE, "two different ones", "//"), (same, BLUE, "the same one", ""))
        for counts, colour, name, hatch in drawn:
            shares = [100 * count / max(sum(counts), 1) for count in counts]
            plot.stairs(shares, edges, fill=True, color=colour, alpha=0.5, label=name, hatch=hatch or None)
        plot.legend(frameon=False, labelcolor=INK)
        _axes(plot, "how alike (cosine)", "share of the pairs (%)")
        return svg(figure, "How alike pairs of the same one and of two are")


def _axes(plot: Axes, x: str, y: str) -> None:
    plot.set_xlabel(x)
    plot.set_ylabel(y)


def _plain_numbers(plot: Axes, most: int = 5) -> None:
    """Numbers written out, few enough not to run into each other."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    for one in (plot.xaxis, plot.yaxis):
        one.set_major_locator(MaxNLocator(most))
        one.set_major_formatter(FuncFormatter(lambda value, _: shown_number(value)))
