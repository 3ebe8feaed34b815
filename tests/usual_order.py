"""The order in which the default of these tests tries its candidates: the one that was set by hand.

The learned one is another after every measurement, and takes longer; `tests/runs/candidates/test_learned.py` is of it.
"""

from __future__ import annotations

from graftwork.runs.candidates import portfolio

LEARNED = portfolio.PORTFOLIO
"""The library's own table."""


def keep_to_it() -> None:
    """For whoever reads the table from now on: there is none, so that the order that was set by hand stays."""
    portfolio.PORTFOLIO = ()
