"""The report as one HTML page: what stands in `report.html.jinja`, filled in. Every text is escaped."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from graftwork.evidence import plots
from graftwork.evidence.evaluation import Evaluation, score_text
from graftwork.tasks.metrics import METRICS

if TYPE_CHECKING:
    from graftwork.evidence.report import Report


def page(report: Report) -> str:
    """The report's HTML."""
    from jinja2 import Environment, StrictUndefined

    source = files("graftwork.evidence").joinpath("report.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(share=_share, number=_number, seconds=_seconds, clipped=_clipped)
    return environment.from_string(source).render(_context(report))


def _context(report: Report) -> dict[str, Any]:
    split, evaluation = report.headline
    return {
        "report": report,
        "split": split,
        "evaluation": evaluation,
        "verdict": report.verdict(),
        "scores": _score_table(report),
        "primary": METRICS[report.primary],
        "plots": _plots(report, evaluation),
        "classes": sorted(evaluation.per_class, key=lambda score: (score.f1 is None, score.f1)),
        "texts": any(example.text for example in (*evaluation.most_wrong, *evaluation.slowest)),
        "was_run": any((report.base, report.data, report.notes, report.plan, report.recipe)),
        "has_costs": any((report.costs, report.parameters_total, report.peak_memory, report.versions)),
        "one_label": evaluation.baseline is not None,
        "memory": f"{report.peak_memory / 2**20:,.0f} MiB" if report.peak_memory is not None else "",
    }


def _score_table(report: Report) -> list[tuple[str, bool, list[tuple[str, str]]]]:
    """For each metric: its name, whether more is better, and by split the score and its interval."""
    _, first = report.headline
    names = [report.primary, *(name for name in first.scores if name != report.primary)]
    return [
        (
            METRICS[name].display,
            METRICS[name].higher_is_better,
            [_score_cell(name, evaluation) for evaluation in report.evaluations.values()],
        )
        for name in names
    ]


def _score_cell(name: str, evaluation: Evaluation) -> tuple[str, str]:
    if name not in evaluation.scores:
        return "", ""
    value, interval = score_text(name, evaluation.scores[name]).split(" (")
    return value, interval.rstrip(")")


def _plots(report: Report, evaluation: Evaluation) -> dict[str, Any]:
    """The SVGs by name; empty where there is nothing to plot."""
    from markupsafe import Markup

    drawn = dict.fromkeys(("curves", "confusion", "pairs", "classes", "reliability", "residuals"), "")
    if report.curves is not None and report.curves.loss.steps:
        drawn["curves"] = plots.learning_curves(
            report.curves.loss, report.curves.scores, METRICS[report.primary].display
        )
    if evaluation.baseline is not None and plots.fits_matrix(evaluation.per_class):
        drawn["confusion"] = plots.confusion_matrix(evaluation.per_class, evaluation.pairs)
    elif evaluation.pairs:
        drawn["pairs"] = plots.top_pairs(evaluation.pairs)
    if evaluation.per_class:
        drawn["classes"] = plots.class_bars(evaluation.per_class)
    if evaluation.reliability:
        drawn["reliability"] = plots.reliability_diagram(report.before_temperature, evaluation.reliability)
    if evaluation.points:
        drawn["residuals"] = plots.predicted_and_residuals(evaluation.points)
    # matplotlib escapes the texts in its SVG itself.
    return {name: Markup(svg) for name, svg in drawn.items()}


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _number(value: float | int | None) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def _seconds(value: float) -> str:
    """Seconds for people: `0.4 s`, `38 s`, `4 min 10 s`."""
    if value < 10:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _clipped(text: str, length: int = 300) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
