"""The report as one HTML page: what stands in `report.html.jinja`, filled in. Every text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from graftwork.evidence import plots
from graftwork.evidence.domains import DomainScore, summary
from graftwork.evidence.evaluation import Evaluation, score_text
from graftwork.tasks.metrics import METRICS

if TYPE_CHECKING:
    from graftwork.evidence.report import Report, Result


def page(report: Report) -> str:
    """The report's HTML."""
    from jinja2 import Environment, StrictUndefined

    source = files("graftwork.evidence").joinpath("report.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(share=_share, number=_number, seconds=_seconds, clipped=_clipped)
    return environment.from_string(source).render(_context(report))


def _context(report: Report) -> dict[str, Any]:
    return {
        "report": report,
        "results": [_result(result) for result in report.results],
        "several": bool(report.more),
        "curves": _curves(report),
        "score_name": "mean score" if report.more else METRICS[report.primary].display.lower(),
        "score_text": _number if report.more else METRICS[report.primary].text,
        "suspects": [(result.target, suspect) for result in report.results for suspect in result.suspects[:50]],
        "was_run": any((report.base, report.data, report.notes, report.plan, report.recipe)),
        "has_costs": any((report.costs, report.parameters_total, report.peak_memory, report.versions)),
        "memory": f"{report.peak_memory / 2**20:,.0f} MiB" if report.peak_memory is not None else "",
    }


def _result(result: Result) -> dict[str, Any]:
    """What is shown of one target."""
    split, evaluation = result.headline
    return {
        "target": result.target,
        "split": split,
        "evaluation": evaluation,
        "evaluations": result.evaluations,
        "temperature": result.temperature,
        "scores": _score_table(result),
        "primary": METRICS[result.primary],
        **_inputs(result),
        "domains": _domains(evaluation.domains, result.primary),
        "left_out": _domains(result.left_out, result.primary),
        "plots": _plots(result, evaluation),
        "classes": sorted(evaluation.per_class, key=lambda score: (score.f1 is None, score.f1)),
        "texts": any(example.text for example in (*evaluation.most_wrong, *evaluation.slowest)),
        "one_label": evaluation.baseline is not None,
    }


def _domains(domains: Sequence[DomainScore], metric: str) -> dict[str, Any]:
    """Rows of a table, the worst domain first; and their mean in words."""
    found, text = summary(domains, metric), METRICS[metric].text
    if found is None:
        return {}
    sign = 1.0 if METRICS[metric].higher_is_better else -1.0
    scored = sorted((one for one in domains if metric in one.scores), key=lambda one: sign * one.scores[metric].value)
    cells = [(one.domain, one.rows, *score_text(metric, one.scores[metric]).rstrip(")").split(" (")) for one in scored]
    return {"rows": cells, "mean": text(found.mean), "worst": found.worst.domain}


def _inputs(result: Result) -> dict[str, Any]:
    """What each input brings: its name, its columns where they are others, and the scores in the metric's unit."""
    text = METRICS[result.primary].text
    rows = [
        (
            one.name,
            "" if one.columns == (one.name,) else ", ".join(one.columns),
            text(one.without),
            text(one.gain.value),
            f"{text(one.gain.low)} to {text(one.gain.high)}",
        )
        for one in result.inputs
    ]
    unlearned = ", ".join(one.name for one in result.inputs if not one.learned)
    return {"inputs": rows, "with_all": text(result.inputs[0].score) if rows else "", "unlearned": unlearned}


def _score_table(report: Result) -> list[tuple[str, bool, list[tuple[str, str]]]]:
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


def _curves(report: Report) -> str:
    """The learning curves as SVG; empty where there are none."""
    from markupsafe import Markup

    if report.curves is None or not report.curves.loss.steps:
        return ""
    name = "Mean score" if report.more else METRICS[report.primary].display
    return Markup(plots.learning_curves(report.curves.loss, report.curves.scores, name))


def _plots(report: Result, evaluation: Evaluation) -> dict[str, Any]:
    """The SVGs by name; empty where there is nothing to plot."""
    from markupsafe import Markup

    drawn = dict.fromkeys(("confusion", "pairs", "classes", "reliability", "residuals", "roc", "similarities"), "")
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
    compared = evaluation.verification
    if compared is not None and compared.curve:
        drawn["roc"] = plots.roc_curve(compared.curve)
        drawn["similarities"] = plots.similarities(compared.edges, compared.same_counts, compared.different_counts)
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
