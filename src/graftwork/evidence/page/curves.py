"""Learning curves on the page: loss, validation, and what techniques tell, each with what it shows."""

from __future__ import annotations

from typing import Any

from graftwork.evidence.page import plots
from graftwork.evidence.results import Findings


def curves(report: Findings) -> list[tuple[Any, str]]:
    """The learning curves with what they show."""
    from markupsafe import Markup

    if report.curves is None:
        return []
    found = []
    if report.curves.loss.steps:
        found.append(
            (plots.training_loss(report.curves.loss), "Training loss by step: it falls while the model learns.")
        )
    if report.curves.scores:
        name = "Mean score" if report.more or report.metric is None else report.metric.display
        said = f"{name} on validation rows while it trained."
        found.append((plots.validation_scores(report.curves.scores, name), said))
    if report.curves.watched is not None:
        name = report.curves.watched.name
        found.append((plots.validation_scores((report.curves.watched,), name, "watched"), f"{name}, while it trained."))
    for at, series in enumerate(report.curves.told):
        if len(series.steps) > 1:
            said = f"{series.name[:1].upper()}{series.name[1:]}, on the rows that are trained on."
            found.append((plots.validation_scores((series,), series.name, f"told-{at}"), said))
    return [(Markup(svg), said) for svg, said in found]
