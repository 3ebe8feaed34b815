"""The table covers every technique, so that none escapes the suite."""

from __future__ import annotations

from conformance.table import COMBINATIONS, ELSEWHERE, ROWS
from graftwork.techniques import TECHNIQUES


def test_every_technique_has_one_row():
    assert sorted(row.name for row in ROWS) == sorted(TECHNIQUES)
    for row in ROWS:
        assert type(row.acts) is TECHNIQUES[row.name]
        assert row.null is None or type(row.null) is TECHNIQUES[row.name]
        assert not row.acts.off
        # Only by its base is it known that all blocks are all of it.
        assert row.null is None or row.null.off or row.name == "partial"


def test_every_technique_is_in_a_combination_but_the_probe():
    """The probe trains no base, so that nearly everything else is refused beside it."""
    together = (*COMBINATIONS, *(names for _, names in ELSEWHERE))
    assert set(TECHNIQUES) - {name for names in together for name in names} == {"probe"}
