"""A table of orders as a file of the library, and as plain data for another process."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from graftwork.runs.candidates.orders import ANY, Line, Span

HEAD = '''"""Which candidates the default tries, and in which order: written by `benchmarks/portfolio.py --write`.

{about}
"""

from __future__ import annotations

from graftwork.runs.candidates.orders import {names}

PORTFOLIO: tuple[Line, ...] = (
'''


def written(lines: Sequence[Line], about: str) -> str:
    """The source of `runs/candidates/portfolio.py`. about: where the orders come from."""
    spans = any(line.rows != ANY or line.classes != ANY for line in lines)
    text = "".join(_line(line) for line in lines)
    return HEAD.format(about=textwrap.fill(about, 120), names="Line, Span" if spans else "Line") + text + ")\n"


def _line(line: Line) -> str:
    names = "".join(f'            "{name}",\n' for name in line.order)
    order = f"(\n{names}        )" if len(line.order) > 1 else f'("{line.order[0]}",)'
    parts = [f'        kind="{line.kind}",\n', f"        order={order},\n"]
    if line.up_to is not None:
        parts.append(f"        up_to={line.up_to:g},\n")
    for name in ("rows", "classes"):
        span = getattr(line, name)
        if span != ANY:
            ends = f"{span.least}" if span.most is None else f"{span.least}, {span.most}"
            parts.append(f"        {name}=Span({ends}),\n")
    if line.language:
        parts.append(f'        language="{line.language}",\n')
    return f"    Line(\n{''.join(parts)}    ),\n"


def to_json(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Plain data, which `from_json` reads back."""
    return [{each.name: getattr(line, each.name) for each in fields(line)} for line in lines]


def from_json(plain: Sequence[dict[str, Any]]) -> tuple[Line, ...]:
    """The inverse of `to_json`, also by way of a file."""
    return tuple(
        Line(
            kind=one["kind"],
            order=tuple(one["order"]),
            up_to=one["up_to"],
            rows=Span(*one["rows"]),
            classes=Span(*one["classes"]),
            language=one["language"],
        )
        for one in plain
    )
