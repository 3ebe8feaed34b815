"""An ablation as one HTML page: verdicts in words, the figures, the table, the arms, and how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graftwork.evidence.ablation.corrected_t import FEWEST
from graftwork.evidence.ablation.finding import Finding
from graftwork.evidence.ablation.outcome import ArmScore, Outcome
from graftwork.evidence.ablation.page.figures import contributions_svg, heat_map_svg
from graftwork.evidence.ablation.table import count_text, interaction_rows, memory_text, seconds_text, verdict_text
from graftwork.evidence.page.page import render
from graftwork.evidence.page.tables import Grid, Value
from graftwork.evidence.words import duration, line
from graftwork.shown import counted, shown_percent

_MEANT = {
    "leave-one-out": "What each brings is the score with all of them less the score without it. Where two do the same "
    "work, leaving one out costs little, though leaving out both would cost much.",
    "add-one-in": "What each brings is the score with it alone less the score with none of them.",
    "shapley": "What each brings is its Shapley value: what it adds to those before it, on average over the orders in "
    "which they could come. The values sum to what all of them bring together.",
    "between": "What each brings is the score with one value less the score with the other.",
}


def page(found: Outcome) -> str:
    """HTML that loads nothing from elsewhere."""
    return render("ablation.html.jinja", parts(found))


def parts(found: Outcome) -> dict[str, Any]:
    """What the template shows."""
    from markupsafe import Markup

    return {
        "title": found.title,
        "meta": _meta(found),
        "verdicts": [one.sentence for one in found.ranked],
        "notes": [*found.notes, *([found.check] if found.check else [])],
        "warning": _trouble(found),
        "table": _findings(found),
        "bars": Markup(contributions_svg(found)),
        "waterfall": found.design.method == "shapley",
        "pairs": [one.sentence for one in found.interactions if one.side],
        "pair_table": _pairs(found),
        "heat_map": Markup(heat_map_svg(found)),
        "passes": bool(found.design.passes),
        "arms": _arms(found),
        "meant": _MEANT[found.design.method],
        "how": how(found),
        "command": found.command,
    }


def how(found: Outcome) -> list[str]:
    """By what verdicts and intervals are made, in sentences."""
    if found.made:
        return list(found.made)
    told = [
        "Each repeat has a seed and a split of its own; its arms have the same rows, and are scored on the same rows "
        "that none of them was trained on. Intervals and p-values are those of a paired t test over the repeats, whose "
        "variance is corrected for training rows that repeats share (Nadeau and Bengio 2003).",
        f"A verdict is told where the p-value, adjusted for all comparisons (Holm 1979), is at most {found.alpha:g}, "
        f"and from {FEWEST} repeats on.",
    ]
    if found.looks:
        looks = ", ".join(map(str, found.looks))
        told.append(
            f"It was raced: verdicts were looked at after {looks} repeats only, and {found.alpha:g} was shared out "
            "over these looks, so that stopping at any of them is valid. Intervals are wider for that."
        )
    return told


def _meta(found: Outcome) -> str:
    finished = [cell for cell in found.cells if not cell.failed]
    told = [found.design.method, counted(found.repeats, "repeat"), counted(len(finished), "finished run")]
    seconds = sum(cell.seconds for cell in finished)
    if seconds:
        told.append(f"{duration(seconds)} of training")
    if found.reused:
        told.append(f"{shown_percent(found.reused)} % of the runs were there already")
    return " · ".join(told)


def _trouble(found: Outcome) -> str:
    failed = [cell for cell in found.cells if cell.failed]
    if not failed:
        return ""
    told = f"{counted(len(failed), 'run')} of {len(found.cells):,} failed: {line(failed[-1].failed)}."
    return f"{told} What needs them is compared without these repeats."


def _findings(found: Outcome) -> Grid:
    head = ["", f"Brings ({found.scale.what})", "Verdict", "Holm p", "Repeats"]
    rows = [
        [
            Value(line(one.name), small=one.kind),
            _brings(one, found),
            Value(verdict_text(one)),
            Value("" if one.holm is None else "<0.001" if one.holm < 0.001 else f"{one.holm:.3f}", one.holm),
            Value(str(one.repeats), one.repeats),
        ]
        for one in found.ranked
    ]
    for name, cells in _costs(found.ranked).items():
        if any(cell.text for cell in cells):
            head.append(name)
            rows = [[*row, cell] for row, cell in zip(rows, cells, strict=True)]
    kept = frozenset(at for at, one in enumerate(found.ranked) if one.verdict == "helps")
    numbers = frozenset({1, *range(3, len(head))})
    return Grid("What each brings and costs", tuple(head), tuple(map(tuple, rows)), numbers, kept)


def _costs(findings: Sequence[Finding]) -> dict[str, list[Value]]:
    costs = [one.costs for one in findings]
    return {
        "CPU of a fit": [Value(seconds_text(one.seconds), one.seconds) for one in costs],
        "Of predicting": [Value(seconds_text(one.predict_seconds), one.predict_seconds) for one in costs],
        "Memory": [Value(memory_text(one.memory), one.memory) for one in costs],
        "Trained parameters": [Value(count_text(one.parameters), one.parameters) for one in costs],
    }


def _brings(one: Finding, found: Outcome) -> Value:
    if one.value is None:
        return Value("–")
    small = "" if one.low is None or one.high is None else found.scale.interval(one.low, one.high)
    return Value(found.scale.number(one.value), one.value, small=small)


def _pairs(found: Outcome) -> Grid | None:
    if not found.interactions:
        return None
    head, *body = interaction_rows(found.interactions, found.scale)
    rows = [
        (Value(name), Value(gain, one.value, small=interval), Value(verdict))
        for (name, gain, interval, verdict), one in zip(body, found.interactions, strict=True)
    ]
    return Grid("Pairs", ("Pair", "Together, beyond each", "Verdict"), tuple(rows), frozenset({1})) if head else None


def _arms(found: Outcome) -> Grid:
    head = ("Arm", "Score, mean of its repeats", "Repeats", "CPU of a fit", "Failed")
    rows = [
        (
            Value(line(one.name), small=line(", ".join(one.players))),
            _score(one, found),
            Value(str(one.repeats), one.repeats),
            Value("" if one.seconds is None else duration(one.seconds), one.seconds),
            Value(str(one.failed) if one.failed else "", one.failed, small=line(one.why, 200)),
        )
        for one in found.arms()
    ]
    return Grid("Arms", head, tuple(rows), frozenset({1, 2, 3}))


def _score(one: ArmScore, found: Outcome) -> Value:
    if one.score is None:
        return Value("–")
    spread = "" if one.spread is None else f"varies by {found.scale.number(one.spread).lstrip('+')}"
    return Value(found.scale.score(one.score), one.score, small=spread)
