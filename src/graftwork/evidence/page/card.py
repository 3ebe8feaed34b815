"""The model card (Mitchell et al. 2019): what the model is for, what it was made from, how good it is, its limits."""

from __future__ import annotations

from graftwork.evidence.details import ClassDetails, LabelDetails
from graftwork.evidence.page.licence import licence_section
from graftwork.evidence.page.markdown import fenced, plain
from graftwork.evidence.page.own_sections import own_markdown
from graftwork.evidence.results import Findings, Result
from graftwork.evidence.summary.summarising import summarised


def model_card(report: Findings) -> str:
    """The card in Markdown; what only the owner can know is left to fill in, and says so."""
    sections = [
        _top(report),
        _use(report),
        _data(report),
        _scores(report),
        _recipe(report),
        _limits(report),
        licence_section(report.provenance),
    ]
    return "\n\n".join(sections) + "\n"


def _top(report: Findings) -> str:
    """The first screen: how good, what that rests on, where not, what next. A warning stands apart."""
    summary = summarised(report)
    parts = [f"# {plain(summary.title)}"]
    for verdict, told in zip(summary.verdicts, summary.verdict_lines(), strict=True):
        parts.append(f"> **Warning.** {plain(told)}" if verdict.warning else plain(told))
    parts += [plain(one) for one in (*summary.remembered, *summary.tuned, *summary.trust)]
    parts.append("\n".join(f"- {plain(one)}" for one in summary.made_from))
    if summary.trouble:
        parts.append("Where it goes wrong most:\n\n" + "\n".join(f"- {plain(one.text)}" for one in summary.trouble))
    return "\n\n".join(part for part in parts if part)


def _use(report: Findings) -> str:
    lines = []
    for result in report.results:
        _, evaluation = result.headline
        lines.append(f"Task{_of(report, result)}: {evaluation.task}.")
        if evaluation.classes:
            shown = ", ".join(f"'{plain(label)}'" for label in evaluation.classes[:20])
            more = f", and {len(evaluation.classes) - 20} more" if len(evaluation.classes) > 20 else ""
            lines.append(f"It chooses among {len(evaluation.classes)} classes: {shown}{more}.")
    if report.base:
        lines.append(f"Base model: {plain(report.base)}.")
    lines.append("*Who is to use it, and what for, is to be filled in by the owner.*")
    return "## Intended use\n\n" + "\n".join(lines)


def _data(report: Findings) -> str:
    lines = [f"- {plain(name)}: {plain(value)}" for name, value in report.data.items()]
    return "## Training data\n\n" + ("\n".join(lines) or "*Not recorded.*")


def _scores(report: Findings) -> str:
    tables, own = [], []
    for result in report.results:
        head = f"### {plain(result.target)}\n\n" if report.more else ""
        rows = ", ".join(f"{evaluation.rows:,} {split}" for split, evaluation in result.evaluations.items())
        tables.append(f"{head}{_score_table(result)}\n\nIn brackets: 95 % intervals. Rows: {rows}. ")
        own.append(own_markdown(result.headline[1].sections, "###"))
    said = "Validation rows chose the model, so scores on them are somewhat too good."
    verdict = "\n".join(plain(one) for one in report.verdict().splitlines())
    return f"## Scores\n\n{verdict}\n\n" + "\n\n".join(["\n\n".join(tables) + said, *filter(None, own)])


def _score_table(result: Result) -> str:
    lines = ["| metric | " + " | ".join(result.evaluations) + " |", "|---" * (1 + len(result.evaluations)) + "|"]
    _, first = result.headline
    for name, score in first.scores.items():
        cells = [
            evaluation.scores[name].text if name in evaluation.scores else ""
            for evaluation in result.evaluations.values()
        ]
        lines.append(f"| {score.display} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _recipe(report: Findings) -> str:
    parts = ["## Training"]
    if report.recipe:
        parts.append(fenced(report.recipe, "yaml"))
    if report.command:
        parts.append("To repeat it:\n\n" + fenced(report.command))
    if report.versions:
        versions = (f"{plain(name)} {plain(version)}" for name, version in report.versions.items())
        parts.append(f"Versions: {', '.join(versions)}.")
    return "\n\n".join(parts)


def _limits(report: Findings) -> str:
    lines = ["- The scores hold for rows like those it was scored on; on other sources, periods or languages, measure."]
    for result in report.results:
        _, evaluation = result.headline
        if not isinstance(evaluation.details, LabelDetails):
            continue
        scores = ((s.f1, s.label) for s in evaluation.details.per_class if s.f1 is not None and s.rows)
        weak = sorted(scores, key=lambda at: at[0])
        if weak:
            listed = ", ".join(f"'{plain(label)}' ({f1:.2f})" for f1, label in weak[:5])
            lines.append(f"- Weakest classes{_of(report, result)}, by F1: {listed}.")
    if any(isinstance(result.headline[1].details, ClassDetails) for result in report.results):
        lines.append("- It always answers with these classes; a row that fits none of them gets one all the same.")
    lines += [f"- {plain(warning.message)}" for warning in report.warnings]
    return "## Limits\n\n" + "\n".join(lines)


def _of(report: Findings, result: Result) -> str:
    """Which target is meant, where there are several."""
    return f" of {plain(result.target)}" if report.more else ""
