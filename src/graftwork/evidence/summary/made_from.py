"""What a model was made from, and what its scores rest on, in sentences."""

from __future__ import annotations

from graftwork.evidence.results import Findings
from graftwork.evidence.scores.domains import summary as of_domains
from graftwork.evidence.words import FEW_ROWS, duration, line, listed, of_hundred, quoted
from graftwork.shown import counted

CROSS_VALIDATED = "cross-validation"
_LEFT_OUT = ("ignored: ", "not used: ")
"""How the notes begin that say which columns were left out, and why."""
_TRUST = ("duplicates", "leak", "classes not scored", "test differs")
"""Kinds of warnings that bear on what the scores are worth."""


def trust(report: Findings) -> tuple[str, ...]:
    """Which rows measured it, and what speaks against them."""
    split, evaluation = report.headline
    source = line(report.sources.get(split, ""))
    of = f" of {source}" if source else ""
    rows = counted(evaluation.rows)
    if split == "test":
        said = f"Measured on {rows}{of} that took no part in training or in choosing."
    elif split == "validation":
        said = (
            f"Measured on {rows}{of} that it was not trained on. The same rows chose between what was tried, so new "
            "rows may do slightly worse."
        )
    elif split == CROSS_VALIDATED:
        said = f"Too few rows to hold some out: each of {rows} was predicted by a model of the others."
    else:
        said = f"Measured on {rows}{of}."
    found = [said]
    if evaluation.rows < FEW_ROWS:
        found.append(f"{rows} are few: another such sample may give another picture.")
    if evaluation.unlabelled:
        found.append(f"{counted(evaluation.unlabelled)} without a target could not be measured.")
    found += [line(warning.message) for warning in report.warnings if warning.kind in _TRUST]
    return (*found, *_elsewhere(report))


def _elsewhere(report: Findings) -> list[str]:
    """What to expect where there are no rows of, if it was measured."""
    left = of_domains(report.left_out, "accuracy")
    if left is None:
        return []
    worst = left.worst.scores["accuracy"].value
    return [
        f"Where there are no rows to learn from expect {of_hundred(left.mean)} right; the worst, "
        f"{quoted(left.worst.domain)}, had {of_hundred(worst)}."
    ]


def made_from(report: Findings) -> tuple[str, ...]:
    """Rows, base, columns, time: what is known of them."""
    found = [_rows(report), *_bases(report), _inputs(report), *_left_out(report), _cost(report)]
    return tuple(one for one in found if one)


def _rows(report: Findings) -> str:
    used, total = report.rows_used, report.rows_total
    if used is None or total is None:
        return ""
    source = line(report.sources.get("train", ""))
    of = f" of {source}" if source else ""
    if used >= total:
        held = _held_out(report)
        if held:
            return f"All {counted(total + held)}{of}: {total:,} to learn from, {held:,} held out to measure."
        return f"All {counted(total)}{of}."
    said = f"Trained on {used:,} of the {counted(total)}{of} that are to learn from ({of_hundred(used / total)})"
    if report.budget is None:
        return f"{said}, as asked."
    more = f"; about {duration(report.budget_for_all)} would use all" if report.budget_for_all else ""
    return f"{said}: the budget of {duration(report.budget)} allowed no more{more}."


def _held_out(report: Findings) -> int:
    """Rows of the training file that only measure."""
    held = report.evaluations.get("validation")
    same = report.sources.get("validation") == report.sources.get("train")
    return held.rows + held.unlabelled if held is not None and same else 0


def _bases(report: Findings) -> list[str]:
    return [f"Base: {line(one)}." for one in report.bases]


def _inputs(report: Findings) -> str:
    if not report.unread:
        return f"It reads {listed(report.reads, most=8)}." if report.reads else ""
    without = listed(report.unread, most=8)
    return f"It reads {listed(report.reads, most=8)}. Of what was tried this scored best, and it leaves out {without}."


def _left_out(report: Findings) -> list[str]:
    """Columns that it does not read, with the reason that was given."""
    said = [note for note in report.notes if note.startswith(_LEFT_OUT)]
    return [f"Left out: {line(note.partition(': ')[2])}." for note in dict.fromkeys(said)]


def _cost(report: Findings) -> str:
    seconds = sum(stage.wall_seconds for stage in report.costs)
    return f"Made in {duration(seconds)}." if report.costs else ""
