"""The report as one HTML page, filled in from templates. Every text is escaped; nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from graftwork.evidence.page.page_parts import parts
from graftwork.evidence.results import Findings
from graftwork.evidence.words import line
from graftwork.shown import shown, shown_number

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


_PARTS = re.compile(r"(?<=\w[_/\\])(?=\w)|(?<=[^\W\d]\.)(?=[^\W\d])")
"""Where a long name may break: between its parts, never within a word."""


def page(report: Findings) -> str:
    """The report's HTML."""
    return render("report.html.jinja", parts(report))


def render(template: str, values: Mapping[str, Any]) -> str:
    """A page from one of the templates, which all have the same looks."""
    return _environment().get_template(template).render(**values).lstrip()


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    environment = Environment(
        loader=FunctionLoader(_file),
        autoescape=True,
        finalize=lambda value: shown(value) if type(value) is str else value,  # not our own markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(named=_named, number=shown_number, clipped=line, seen=shown)
    script = _file("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    environment.globals.update(css=_safe(_file("page.css")), script=_safe(script), script_hash=f"sha256-{digest}")
    return environment


def _file(name: str) -> str:
    return files("graftwork.evidence.page").joinpath("templates", name).read_text(encoding="utf-8").strip()


def _safe(text: str) -> Markup:
    """Our own text, not the user's."""
    from markupsafe import Markup

    return Markup(text)


def _named(text: str) -> Markup:
    """Escaped, on one line, and breakable between the parts of a name rather than within a word."""
    from markupsafe import Markup, escape

    return Markup("<wbr>").join(escape(part) for part in _PARTS.split(line(text)))
