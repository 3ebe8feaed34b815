"""What the command line shows of results, on stdout: scores, plans, hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.shown import shown_line
from graftwork.terminal import say, say_json, say_table

if TYPE_CHECKING:
    from graftwork.core.plan import Plan
    from graftwork.evidence.evaluation import Evaluation, Evaluations
    from graftwork.evidence.merged import MixReport
    from graftwork.evidence.scores.domains import DomainScore
    from graftwork.model import Model
    from graftwork.uses.index import Hit


def print_result(model: Model, folder: Path) -> None:
    """The scores of a finished run, what they come to, and where things are."""
    from graftwork.evidence.views import words_of

    report = model.report
    if report is not None:
        for result in report.results:
            if result.evaluations:
                print_evaluations(result.evaluations, result.target if report.more else "")
            of = f"{result.target}, " if report.more else ""
            for split, evaluation in result.evaluations.items():
                print_domains(evaluation.domains, result.primary, f"{of}{split} rows by domain")
            print_domains(result.left_out, result.primary, f"{of}each domain left out, scored by a model of the others")
        say("\n".join(words_of(report)))
    say(f"model: {folder}\nreport: {folder / 'report.html'}")


def print_scores(found: Evaluation | Evaluations, *, as_json: bool) -> None:
    from graftwork.cli.slices import print_parts
    from graftwork.evidence.evaluation import Evaluations

    if as_json:
        say_json(found.to_json())
        return
    for target, evaluation in found.items() if isinstance(found, Evaluations) else [("", found)]:
        print_evaluations({f"{evaluation.rows:,} rows": evaluation}, target)
        title = f"{target}: by domain" if target else "by domain"
        print_domains(evaluation.domains, next(iter(evaluation.scores)), title)
        print_parts(evaluation, target)


def print_evaluations(evaluations: Mapping[str, Evaluation], target: str = "") -> None:
    """One table: a metric a row, a split a column, each score with its 95 % interval. target: of several, which one."""
    from graftwork.evidence.evaluation import uncovered_text

    rows = [("score", *evaluations)]
    displays = {name: score.display for each in evaluations.values() for name, score in each.scores.items()}
    for name, display in displays.items():
        cells = [each.scores[name].text if name in each.scores else "" for each in evaluations.values()]
        rows.append((display, *cells))
    say_table(rows, f"{target}: scores with 95 % intervals" if target else "scores with 95 % intervals")
    for part, evaluation in evaluations.items():
        of = part if part.endswith("rows") else f"{part} rows"
        if lacking := uncovered_text(evaluation, of):
            say(shown_line(f"note: {lacking}"))


def print_mixed(report: MixReport, folder: Path) -> None:
    """What was kept of a merge or a soup, and every model's score on every table."""
    say("\n".join([f"kept: {report.kept}", *report.notes]))
    rows = report.table()
    if rows:
        say_table(rows, f"scores on {report.scored_on}")
    say(f"model: {folder}\nreport: {folder / 'report.html'}")


def print_domains(domains: Sequence[DomainScore], metric: str, title: str) -> None:
    """A domain a line, with its score, then their mean and the worst one; nothing where none has a score."""
    from graftwork.evidence.scores.domains import summary

    found = summary(domains, metric)
    if found is None:
        return
    known = found.worst.scores[metric].metric
    rows = [("domain", "rows", known.display)]
    for one in domains:
        score = one.scores[metric].text if metric in one.scores else ""
        rows.append((one.domain, f"{one.rows:,}", score))
    rows += [("mean", "", known.text(found.mean)), ("worst", "", found.worst.domain)]
    say_table(rows, title)


def print_hits(hits: Sequence[Hit], *, as_json: bool) -> None:
    """Rows that a search found: number, score, and the columns; or a JSON object a line."""
    plain = [(hit, {name: _cell(value) for name, value in hit.values.items()}) for hit in hits]
    if as_json:
        for hit, values in plain:
            say_json({"row": hit.row, "score": hit.score, "values": values})
        return
    rows = [("row", "score", *(plain[0][1] if plain else ()))]
    for hit, values in plain:
        rows.append(
            (str(hit.row), f"{hit.score:.3f}", *("" if each is None else str(each) for each in values.values()))
        )
    say_table(rows)


def _cell(value: Any) -> Any:
    """A value as JSON can hold it; of bytes only how many."""
    if isinstance(value, Mapping):
        return {name: _cell(item) for name, item in value.items()}
    if isinstance(value, bytes):
        return f"({len(value):,} bytes)"
    return value if isinstance(value, str | int | float | bool | list | None) else str(value)


def print_plans(plans: Sequence[tuple[str, Plan]], budget: float | None) -> None:
    """Each planned run, and what a budget would leave of it."""
    for name, plan in plans:
        say("\n  ".join([name, *plan.explain().splitlines()]))
        if budget is not None and plan.seconds and plan.seconds > budget:
            steps = int(plan.total_steps * budget / plan.seconds)
            say(f"  a budget of {budget:.0f} s allows about {steps} of these steps")
