"""All that was found of a table: for the terminal, as JSON, as one HTML page, and as rows by finding."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graftwork.data.store.writing import write_text
from graftwork.evidence.profile.finding import Finding, RowNote
from graftwork.evidence.profile.titles import title_of
from graftwork.evidence.rows import Views
from graftwork.shown import shown_line

LINES = 20
"""Sentences of a finding on a terminal, at most: a table can have hundreds of columns."""


@dataclass(frozen=True)
class Profile:
    """findings: in the order in which they were looked for. title: what was looked at. views: the rows that the page
    shows, by table and number."""

    findings: tuple[Finding, ...]
    title: str = ""
    views: Views = field(default_factory=dict)

    def about(self, name: str) -> tuple[Finding, ...]:
        """The findings about one thing, such as "duplicates" or "label-errors"; none where it was not looked for."""
        return tuple(finding for finding in self.findings if finding.about == name)

    def rows(self, about: str) -> tuple[RowNote, ...]:
        """The rows that were found for one thing, the most telling first."""
        return tuple(note for finding in self.about(about) for note in finding.rows)

    def lines(self) -> list[str]:
        """What to settle first, with what to do, then what the data is like."""
        said = [self.title, ""] if self.title else []
        for heading, settle in (("To settle:", True), ("The data:", False)):
            found = [finding for finding in self.findings if bool(finding.remedy) is settle]
            said += [heading] if found else []
            for finding in found:
                said.append(f"  {title_of(finding)}")
                said += [f"    {sentence}" for sentence in _shortened(finding.sentences)]
                said += [f"    -> {finding.remedy}"] if finding.remedy else []
            said += [""] if found else []
        return [shown_line(one) for one in said[:-1]]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data: the title, and each finding with its sentences, numbers and rows."""
        return {"title": self.title, "findings": [finding.plain() for finding in self.findings]}

    def page(self) -> str:
        """HTML."""
        from graftwork.evidence.page.page import render
        from graftwork.evidence.profile.page import parts

        return render("profile.html.jinja", parts(self.title, self.findings, self.views))

    def write(self, path: str | os.PathLike[str]) -> None:
        """The page into a file; its folder is made where it is missing."""
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_text(file, self.page())


def _shortened(sentences: Sequence[str]) -> list[str]:
    """The first and the last one, where targets stand; what is between them only as far as there is room."""
    if len(sentences) <= LINES:
        return list(sentences)
    return [
        *sentences[: LINES - 2],
        f"… and {len(sentences) - LINES + 1:,} more: see the page (--out) or --json",
        sentences[-1],
    ]
