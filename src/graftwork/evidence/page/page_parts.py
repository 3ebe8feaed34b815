"""What a report's page shows, as plain values for its template: the sections there are, their tables and plots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graftwork.evidence.details import ClassDetails, Details, EpisodeDetails, LabelDetails, NumberDetails
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.page import plots, tables
from graftwork.evidence.page.curves import curves
from graftwork.evidence.page.own_sections import own_sections
from graftwork.evidence.page.pictures import bars
from graftwork.evidence.page.remembered import remembered_table
from graftwork.evidence.page.slice_tables import slice_parts
from graftwork.evidence.page.tables import Grid, Value
from graftwork.evidence.page.worker_costs import worker_costs
from graftwork.evidence.results import Findings, Result
from graftwork.evidence.rows import RowView
from graftwork.evidence.scores.breakdown import Bin, ClassScore, Pair
from graftwork.evidence.scores.verification import Verification
from graftwork.evidence.summary.summarising import summarised
from graftwork.evidence.summary.summary import Summary
from graftwork.evidence.words import duration, line, of_hundred
from graftwork.shown import counted

MATRIX_CLASSES = 12
"""With more classes a matrix of them is no longer read at a glance."""
_SURE = 0.8
_SAMPLE = 1000


def parts(report: Findings) -> dict[str, Any]:
    """By name, what the template fills in."""
    summary = summarised(report)
    split, _ = report.headline
    views = report.rows.get(split, {})
    results = [_result(report, at, summary) for at in range(len(report.results))]
    found: dict[str, Any] = {
        "report": report,
        "summary": summary,
        "several": bool(report.more),
        "results": results,
        "about": _about(report),
        "trouble": [(one, [views[row] for row in one.rows if row in views]) for one in summary.trouble],
        "drawn": _drawn(report),
        "numbers_only": all(isinstance(result["evaluation"].details, NumberDetails) for result in results),
        "candidates": tables.candidates(report, _score_name(report)) if report.candidates else None,
        "curves": curves(report),
        "remembered": remembered_table(report.remembered),
        "facts": _facts(report),
        "costs": _costs(report),
        "workers": worker_costs(report.workers),
        "plan": _plan(report),
    }
    found["sections"] = _sections(found)
    found["ids"] = {name for name, _ in found["sections"]}
    return found


def _sections(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Those that have something to show, in order."""
    results, report = found["results"], found["report"]

    def some(*names: str) -> bool:
        return any(result[name] for result in results for name in names)

    numbers = found["numbers_only"]
    every = [
        ("classes", "Ranges" if numbers else "Classes", some("classes", "ranges") or some("has_points")),
        ("confusion", "What is taken for what", some("pairs")),
        ("certainty", "How sure it is", any(result["plots"]["reliability"] for result in results)),
        ("identities", "Pairs compared", some("compared")),
        *((one.anchor, one.title, True) for result in results for one in result["own"]),
        ("slices", "Where it is worse", some("slices_said")),
        ("mistakes", "Largest errors" if numbers else "Mistakes", some("listed")),
        ("warnings", f"Warnings about the data ({len(report.warnings)})", bool(report.warnings) or some("suspects")),
        ("inputs", "What each input brings", some("inputs")),
        ("domains", "Domains", some("domains", "left_out")),
        ("old-task", "The old task", bool(found["remembered"])),
        ("tried", "What was tried", bool(found["candidates"] or found["curves"])),
        ("run", "How to repeat it", any((found["facts"], found["costs"], report.command, report.recipe, report.notes))),
    ]
    return [(name, title) for name, title, there in every if there]


def _result(report: Findings, at: int, summary: Summary) -> dict[str, Any]:
    """What is shown of one target."""
    result = report.results[at]
    split, evaluation = result.headline
    views = report.rows.get(split, {})
    details = evaluation.details
    compared = details if isinstance(details, Verification) else None
    labels = details if isinstance(details, LabelDetails) else LabelDetails()
    found = details.pairs if isinstance(details, ClassDetails) else ()
    errors = details.errors if isinstance(details, NumberDetails) else None
    own: dict[str, Any] = {
        "target": result.target,
        "split": split,
        "evaluation": evaluation,
        "verdict": summary.verdicts[at],
        "bars": bars(result),
        "plots": _plots(result, evaluation, str(at)),
        "temperature": result.temperature,
        "scores": tables.scores(result),
        "baseline": result.baseline.sentence() if result.baseline else "",
        "classes": tables.classes(labels.per_class, result.training_rows) if labels.per_class else None,
        "ranges": tables.ranges(errors) if errors and errors.ranges else None,
        "has_points": bool(_points(evaluation)),
        "sampled": f" {_SAMPLE:,} rows, drawn at random." if evaluation.rows > _SAMPLE else "",
        "pairs": tables.pairs(found, labels.per_class) if found else None,
        "matrix": _matrix(labels.per_class, found),
        "certainty": _certainty(details),
        "bins": tables.certainty(labels.reliability) if labels.reliability else None,
        "compared": compared,
        "own": own_sections(evaluation.sections, views, at),
        "pair_examples": _pair_examples(compared, views),
        "mistakes": tables.mistakes(result, views) if evaluation.most_wrong else None,
        "mistakes_said": _mistakes_said(evaluation),
        "slowest": tables.slowest(result, views) if evaluation.slowest else None,
        "listed": bool(evaluation.most_wrong) or not isinstance(details, Verification | EpisodeDetails | None),
        **slice_parts(result, views),
        "suspects": tables.suspects(result, report.rows.get("validation", {})) if result.suspects else None,
        "inputs": tables.inputs(result) if result.inputs else None,
        "with_all": result.inputs[0].metric.text(result.inputs[0].score) if result.inputs else "",
        "unlearned": ", ".join(one.name for one in result.inputs if not one.learned),
        "domains": tables.domains(evaluation.domains, result.primary, f"{split} rows by domain, the worst first"),
        "left_out": tables.domains(result.left_out, result.primary, "Domains left out of training, the worst first"),
    }
    own["small_plot"] = _small_plot(evaluation, str(at))
    return own


def _about(report: Findings) -> str:
    """Date, name of the run, files."""
    names = dict.fromkeys(report.sources.values())
    found = [report.made, report.folder, f"from {', '.join(names)}" if names else ""]
    return " · ".join(line(one) for one in found if one)


def _drawn(report: Findings) -> str:
    _, evaluation = report.headline
    if isinstance(evaluation.details, Verification):
        return "identities, which are drawn with all their rows"
    if any(score.metric.interval for score in evaluation.scores.values()):
        return "rows, but for a score whose section says otherwise"
    return "episodes" if isinstance(evaluation.details, EpisodeDetails) else "rows"


def _score_name(report: Findings) -> str:
    if report.more:
        return "mean score"
    return report.metric.display.lower() if report.metric else "score"


def _plots(result: Result, evaluation: Evaluation, at: str) -> dict[str, Any]:
    """The SVGs by name; empty where there is nothing to plot. at: keeps those of several targets apart."""
    from markupsafe import Markup

    drawn = dict.fromkeys(("reliability", "scatter", "errors", "roc", "similarities"), "")
    match evaluation.details:
        case LabelDetails() as found if found.reliability:
            drawn["reliability"] = plots.reliability_diagram(result.before_temperature, found.reliability, at)
        case NumberDetails() as numbers if numbers.points:
            drawn["scatter"] = plots.predicted_and_true(numbers.points, at)
            drawn["errors"] = plots.errors(numbers.points, at)
        case Verification() as pairs if pairs.curve:
            drawn["roc"] = plots.roc_curve(pairs.curve, at)
            drawn["similarities"] = plots.similarities(pairs.edges, pairs.same_counts, pairs.different_counts, at)
    # matplotlib escapes the texts in its SVG itself.
    return {name: Markup(svg) for name, svg in drawn.items()}


def _small_plot(evaluation: Evaluation, at: str) -> Any:
    from markupsafe import Markup

    points = _points(evaluation)
    return Markup(plots.predicted_and_true(points[:300], f"{at}-small", small=True)) if points else ""


def _points(evaluation: Evaluation) -> tuple[tuple[float, float], ...]:
    return evaluation.details.points if isinstance(evaluation.details, NumberDetails) else ()


def _matrix(per_class: Sequence[ClassScore], pairs: Sequence[Pair]) -> dict[str, Any] | None:
    """Names, and by true class the count, its share of the class, and whether it is right, of each predicted class."""
    if not pairs or len(per_class) > MATRIX_CLASSES:
        return None
    counts = {(pair.truth, pair.predicted): pair.rows for pair in pairs}
    counts |= {(one.label, one.label): one.right for one in per_class}
    names = [one.label for one in per_class]
    rows = [
        (
            line(one.label, 40),
            [
                (count, count / max(one.rows, 1), one.label == name)
                for name in names
                for count in [counts.get((one.label, name), 0)]
            ],
        )
        for one in per_class
    ]
    return {"names": [line(name, 40) for name in names], "rows": rows}


def _certainty(found: Details) -> list[str]:
    """How often it is right where it is sure, and where it is not."""
    if not isinstance(found, ClassDetails):
        return []
    bins = found.reliability
    sure, unsure = ([one for one in bins if (one.low >= _SURE - 1e-9) == high] for high in (True, False))
    said = [("80 % sure or more", sure), ("less sure", unsure)]
    return [
        f"Where it is {words}, it is right in {of_hundred(_right(some))} rows ({counted(_rows(some))})."
        for words, some in said
        if some
    ]


def _rows(bins: Sequence[Bin]) -> int:
    return sum(one.rows for one in bins)


def _right(bins: Sequence[Bin]) -> float:
    return sum(one.accuracy * one.rows for one in bins) / _rows(bins)


def _pair_examples(compared: Verification | None, views: Mapping[int, RowView]) -> list[tuple[str, list[Any]]]:
    if compared is None:
        return []

    def of(row: int) -> RowView:
        return views.get(row, RowView(f"row {row:,}", ()))

    both = (("The same one, found unlike", compared.least_alike), ("Two that are found alike", compared.most_alike))
    return [(title, [(of(one.first), of(one.second), one.cosine) for one in found]) for title, found in both]


def _mistakes_said(evaluation: Evaluation) -> str:
    details, shown = evaluation.details, len(evaluation.most_wrong)
    if isinstance(details, NumberDetails):
        return f"The {counted(shown, 'row')} that are off by most. Such rows often hold a wrong number."
    pairs = details.pairs if isinstance(details, ClassDetails) else ()
    wrong = sum(pair.rows for pair in pairs)
    some = f"The {shown:,} worst of {wrong:,} mistakes" if wrong > shown else f"All {counted(shown, 'mistake')}"
    some = some if pairs else f"The {counted(shown, 'row')} that are worst"
    if details is None:
        return f"Most wrong first: {counted(shown, 'row')}."
    return f"{some}, the worst first: those in which the wrong answer led most. Such rows often have a wrong label."


def _facts(report: Findings) -> Grid | None:
    """Base, data, sizes, versions."""
    rows = [("base", report.base), *report.data.items()]
    trained, total = report.parameters_trained, report.parameters_total
    if trained is not None:
        share = f" of {total:,} ({100 * trained / total:.1f} %)" if total else ""
        rows.append(("parameters trained", f"{trained:,}{share}"))
    if report.peak_memory is not None:
        rows.append(("peak memory", f"{report.peak_memory / 2**20:,.0f} MiB"))
    rows.append(("versions", ", ".join(f"{name} {version}" for name, version in report.versions.items())))
    cells = tuple((Value(line(name)), Value(line(value))) for name, value in rows if value)
    return Grid("What it was made with", ("What", "Which"), cells) if cells else None


def _costs(report: Findings) -> Grid | None:
    if not report.costs:
        return None
    wall, cpu = (sum(getattr(stage, name) for stage in report.costs) for name in ("wall_seconds", "cpu_seconds"))
    rows = [(line(stage.name), stage.wall_seconds, stage.cpu_seconds) for stage in report.costs]
    cells = tuple(
        (Value(name), Value(duration(w), w), Value(duration(c), c)) for name, w, c in [*rows, ("all", wall, cpu)]
    )
    head = ("Part of the run", "Time", "Processor time")
    return Grid("What it cost", head, cells, frozenset({1, 2}), frozenset({len(cells) - 1}))


def _plan(report: Findings) -> Grid | None:
    if not report.plan:
        return None
    head, *rows = report.plan
    cells = tuple(tuple(Value("yes" if cell == "x" else line(cell)) for cell in row) for row in rows)
    return Grid("Techniques and the stages they take part in", tuple(head), cells)
