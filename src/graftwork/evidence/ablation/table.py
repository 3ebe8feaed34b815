"""The findings as a table for the terminal: lines, or one that is drawn again while it fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from graftwork.evidence.ablation.finding import Finding, Interaction
from graftwork.evidence.ablation.outcome import Outcome
from graftwork.evidence.ablation.scale import Scale
from graftwork.shown import shown_line
from graftwork.terminal import aligned

if TYPE_CHECKING:
    from rich.table import Table

Rows = list[list[str]]
"""The first row names the columns."""


def table_rows(findings: Sequence[Finding], scale: Scale) -> Rows:
    """A finding a row. Costs that nothing has are left out."""
    head = ["", "brings", "95 % interval", "verdict", "repeats"]
    costs: dict[str, Callable[[Finding], str]] = {
        "CPU of a fit": lambda one: seconds_text(one.costs.seconds),
        "of predicting": lambda one: seconds_text(one.costs.predict_seconds),
        "memory": lambda one: memory_text(one.costs.memory),
        "trained parameters": lambda one: count_text(one.costs.parameters),
    }
    texts = {name: [text(one) for one in findings] for name, text in costs.items()}
    shown = {name: cells for name, cells in texts.items() if any(cells)}
    rows = [
        [
            shown_line(one.name),
            "" if one.value is None else scale.gain(one.value),
            "" if one.low is None or one.high is None else scale.interval(one.low, one.high),
            verdict_text(one),
            str(one.repeats),
        ]
        for one in findings
    ]
    return [[*head, *shown], *([*row, *(cells[at] for cells in shown.values())] for at, row in enumerate(rows))]


def interaction_rows(interactions: Sequence[Interaction], scale: Scale) -> Rows:
    """A pair a row."""
    words = {1: "more together", -1: "less together", 0: "open"}
    head = ["pair", "together beyond each", "95 % interval", "verdict"]
    return [
        head,
        *(
            [
                " and ".join(map(shown_line, one.players)),
                scale.gain(one.value),
                "" if one.low is None or one.high is None else scale.interval(one.low, one.high),
                words[one.side],
            ]
            for one in interactions
        ),
    ]


def table_lines(findings: Sequence[Finding], scale: Scale) -> list[str]:
    """The table as aligned lines."""
    return aligned(table_rows(findings, scale))


def live_table(found: Outcome, state: str = "") -> Table:
    """For `rich.live.Live`, in the order of the design so that rows stay where they are. state: a line below it."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    head, *body = [row[:5] for row in table_rows(found.findings, found.scale)]  # what it costs would not fit
    table = Table(box=box.SIMPLE, caption=Text(shown_line(state)) if state else None, caption_justify="left")
    for at, name in enumerate(head):
        table.add_column(Text(name), justify="left" if at in (0, 3) else "right", no_wrap=at > 0)
    colours = {"helps": "green", "hurts": "red", "open": ""}
    for finding, cells in zip(found.findings, body, strict=True):
        styles = [colours[finding.verdict] if at == 3 else "" for at in range(len(cells))]
        table.add_row(*(Text(cell, style=style) for cell, style in zip(cells, styles, strict=True)))
    return table


def verdict_text(one: Finding) -> str:
    """In a word or two: `helps`, `open (about 12 more)`, `needs 2 more`."""
    if one.refused:
        return "can't be compared"
    if one.verdict != "open":
        return one.verdict
    if one.holm is None:
        return "no verdict yet" if one.settles is None else f"needs {one.settles} more"
    if one.low == one.high == 0:
        return "no difference"
    return "open" if one.settles is None else f"open (about {one.settles} more)"


def seconds_text(value: float | None) -> str:
    """A difference of seconds; empty where there is none.

    >>> seconds_text(3.21), seconds_text(-0.004), seconds_text(83.4), seconds_text(0.0)
    ('+3.2 s', '-0.004 s', '+83 s', '')
    """
    if not value:
        return ""
    return f"{value:+.0f} s" if abs(value) >= 10 else f"{value:+.2g} s"


def memory_text(value: float | None) -> str:
    """A difference of bytes."""
    return f"{value / 2**20:+,.0f} MB" if value else ""


def count_text(value: float | None) -> str:
    """A difference of counts."""
    return f"{value:+,.0f}" if value else ""
