"""Curves of robustness as PNG: accuracy over the strength of an attack, and over the severity of corruptions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from graftwork.evidence.robustness.attacks import Attacked
from graftwork.evidence.robustness.corrupted import SEVERITIES, Corrupted
from graftwork.evidence.robustness.settings import UNITS
from graftwork.evidence.robustness.shares import Share

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE = "#2368a8", "#d9730d"


def attack_curve(found: Attacked) -> bytes:
    """Accuracy under the gradient attack over epsilon, with the black-box attack beside it."""
    figure, plot = _figure()
    epsilons = (0.0, *found.epsilons)
    _line(plot, epsilons, (found.clean, *found.gradient), BLUE, "gradient attack")
    if found.black_box is not None:
        value, (low, high) = found.black_box.value, found.black_box.interval
        error = [[value - low], [high - value]]
        plot.errorbar(epsilons[-1:], [value], yerr=error, fmt="s", color=ORANGE, capsize=3, label="black-box attack")
    plot.set_xlabel(f"epsilon, {UNITS[found.modality]}")
    plot.legend(frameon=False)
    return _png(figure)


def corruption_curves(found: Corrupted) -> bytes:
    """Accuracy over the severity, a line a corruption; the mean is thick."""
    import matplotlib

    figure, plot = _figure(width=7.0)
    colours = matplotlib.colormaps["tab20"]
    severities = (0, *SEVERITIES)
    for at, (name, shares) in enumerate(found.each.items()):
        values = [found.clean.value, *(share.value for share in shares)]
        plot.plot(severities, values, color=colours(at % 20), linewidth=1.0, label=name)
    means = [sum(shares[at].value for shares in found.each.values()) / len(found.each) for at in range(len(SEVERITIES))]
    plot.plot(severities, [found.clean.value, *means], color="black", linewidth=2.5, label="mean")
    plot.set_xlabel("severity")
    plot.legend(frameon=False, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return _png(figure)


def _line(plot: Axes, x: Sequence[float], shares: Sequence[Share], colour: str, name: str) -> None:
    plot.plot(x, [share.value for share in shares], color=colour, marker="o", markersize=3, label=name)
    low, high = zip(*(share.interval for share in shares), strict=True)
    plot.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)


def _figure(width: float = 5.2) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, 3.4), layout="constrained")
    plot = figure.subplots()
    plot.set_ylim(-0.02, 1.02)
    plot.set_ylabel("accuracy")
    plot.spines[["top", "right"]].set_visible(False)
    return figure, plot


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130, metadata={"Software": None})
    return buffer.getvalue()
