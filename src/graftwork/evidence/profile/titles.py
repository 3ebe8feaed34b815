"""What findings are about, in words."""

from __future__ import annotations

from collections.abc import Mapping

from graftwork.evidence.profile.finding import Finding

TITLES: Mapping[str, str] = {
    "unusable": "Rows that can't be used",
    "unknown-classes": "Test rows of unknown classes",
    "columns": "Columns",
    "languages": "Languages",
    "balance": "What is predicted",
    "domains": "Domains",
    "groups": "Groups",
    "duplicates": "Duplicates",
    "near-duplicates": "Near duplicates",
    "conflicts": "Conflicting labels",
    "overlap": "Test rows that training knows",
    "leakage": "What gives the target away",
    "time": "Time",
    "time-split": "What a random split hides",
    "differences": "How the test rows differ",
    "label-errors": "Likely label errors",
    "shift": "Shift",
    "learning-curve": "What more rows would bring",
}


def title_of(finding: Finding) -> str:
    """What a finding is about, in words."""
    return TITLES.get(finding.about, finding.about.replace("-", " ").capitalize())
