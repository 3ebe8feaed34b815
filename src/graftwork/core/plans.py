"""Several plans as Python shows them: a few lines, and a table in a notebook."""

from __future__ import annotations

from graftwork import notebook
from graftwork.core.plan import Plan
from graftwork.shown import shown_line

LISTED = 4
"""Plans that are shown one by one in the few lines."""


class Plans(list[tuple[str, Plan]]):
    """Named plans in the order in which they would run."""

    def __repr__(self) -> str:
        lines = [f"{shown_line(name)}: {plan.sentence()}" for name, plan in self[:LISTED]]
        if len(self) > LISTED:
            lines.append(f"… and {len(self) - LISTED} more: {', '.join(name for name, _ in self[LISTED:])}")
        return "\n".join(lines) or "no plans"

    def _repr_html_(self) -> str:
        head = ("run", "techniques", "trained parameters", "steps", "rows", "seconds of training", "notes")
        rows = [
            (
                name,
                plan.techniques_text,
                f"{plan.trained:,} of {plan.parameters:,}",
                f"{plan.total_steps:,}",
                f"{plan.rows:,}",
                "" if plan.seconds is None else f"about {plan.seconds:.0f}",
                "; ".join(plan.notes),
            )
            for name, plan in self
        ]
        return notebook.table([head, *rows], "what fit would run, in this order; nothing is trained yet")
