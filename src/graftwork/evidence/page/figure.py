"""The main evidence of an evaluation as one matplotlib figure: where classes are mixed up, how far numbers are off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from graftwork.evidence.details import ClassDetails, LabelDetails, NumberDetails
from graftwork.evidence.evaluation import Evaluation
from graftwork.shown import shortened_text, shown_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MATRIX_CLASSES, BARS = 20, 25
"""Classes that a matrix can show; of more, the ones that are found worst."""
BLUE, ORANGE = "#3b82c4", "#d9730d"
_LONGEST = 32


def figure_of(found: Evaluation, title: str) -> Figure:
    """A confusion matrix of few classes, the F1 of many, predicted and true numbers, else the scores."""
    import matplotlib as mpl

    from graftwork.evidence.page.png_figure import PngFigure

    with mpl.rc_context({"text.parse_math": False}):  # user text is never read as a formula
        figure = PngFigure(figsize=(6.4, 4.8), layout="constrained")
        axes = figure.subplots()
        match found.details:
            case NumberDetails() as details if details.points:
                _numbers(axes, details)
            case ClassDetails() as details if len(details.per_class) <= MATRIX_CLASSES:
                _matrix(axes, details)
            case LabelDetails() as details:
                _classes(axes, details)
            case _:
                _scores(axes, found)
        axes.set_title(shown_line(title), fontsize=10, loc="left")
    return figure


def _matrix(axes: Axes, found: ClassDetails) -> None:
    names = [one.label for one in found.per_class]
    at = {name: place for place, name in enumerate(names)}
    counts = np.diag([one.right for one in found.per_class]).astype(float)
    for pair in found.pairs:
        counts[at[pair.truth], at[pair.predicted]] = pair.rows
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        dark = counts[row, column] > counts[row].sum() / 2
        text = f"{int(counts[row, column]):,}"
        axes.text(column, row, text, ha="center", va="center", color="white" if dark else "black", fontsize=8)
    labels = [_short(name) for name in names]
    axes.set_xticks(range(len(names)), labels, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), labels)
    axes.set(xlabel="predicted", ylabel="true")


def _classes(axes: Axes, found: LabelDetails) -> None:
    worst = sorted((one.f1, one.label) for one in found.per_class if one.f1 is not None)[:BARS]
    axes.barh(range(len(worst)), [f1 for f1, _ in worst], color=BLUE)
    axes.set_yticks(range(len(worst)), [_short(label) for _, label in worst])
    axes.invert_yaxis()
    axes.set(xlim=(0, 1), xlabel="F1 of the classes, the lowest first")


def _numbers(axes: Axes, found: NumberDetails) -> None:
    truth, predicted = np.array(found.points).T
    ends = [min(truth.min(), predicted.min()), max(truth.max(), predicted.max())]
    axes.plot(ends, ends, color="grey", linewidth=0.8, linestyle="--")
    axes.scatter(truth, predicted, s=9, color=BLUE, alpha=0.5, linewidths=0)
    axes.set(xlabel="true", ylabel="predicted")


def _scores(axes: Axes, found: Evaluation) -> None:
    scores = list(found.scores.values())
    values = np.array([score.value for score in scores])
    spread = np.array([[s.value - s.low for s in scores], [s.high - s.value for s in scores]])
    axes.errorbar(values, range(len(scores)), xerr=np.maximum(spread, 0), fmt="o", color=BLUE, ecolor=ORANGE)
    axes.set_yticks(range(len(scores)), [score.display for score in scores])
    axes.invert_yaxis()
    axes.set(xlabel="score, with its 95 % interval")


def _short(name: str) -> str:
    return shortened_text(shown_line(name), _LONGEST)
