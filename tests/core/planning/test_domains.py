"""graftwork.core.planning.domains: what a domain column must hold for the techniques that need it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graftwork.core.planning.domains import domain_notes
from graftwork.errors import RefusedError
from graftwork.techniques import EMA, Coral, Film
from tinyrun import Worlds

NAMES = ("far", "here", "there")


def test_domains_of_several_rows_are_fine():
    assert domain_notes([Coral()], np.array([0, 0, 1, 1, 2, 2, -1]), NAMES) == []


def test_a_domain_of_one_row_is_named_with_what_to_do():
    (note,) = domain_notes([Coral(), Film()], np.array([0, 0, 1, 1, 2]), NAMES)
    assert "one training row of the domain 'there'" in note
    assert "coral, film" in note
    assert "Join it with another domain, or leave the row out" in note


@pytest.mark.parametrize(
    ("domain", "found"),
    [([0, 0, 0], r"'far' \(3\)"), ([0, 1, 2], r"'far' \(1\), 'here' \(1\), 'there' \(1\)"), ([-1, -1], "no value")],
)
def test_a_column_that_compares_nothing_is_refused(domain: list[int], found: str):
    with pytest.raises(RefusedError, match=rf"coral needs two domains of at least 2 training rows.*{found}.*--role"):
        domain_notes([Coral()], np.array(domain), NAMES)


def test_nobody_asks_without_need():
    assert domain_notes([EMA()], np.array([0, 0, 0]), NAMES) == []
    assert domain_notes([Coral()], None, ()) == []


def test_a_run_is_refused_before_it_starts(fixtures: Worlds):
    fixture = fixtures("cnn")
    lonely = np.zeros(len(fixture.train), np.int64)
    with pytest.raises(RefusedError, match="coral needs two domains"):
        replace(fixture, train=replace(fixture.train, domain=lonely)).run([Coral()], started=False)
    lonely[:4], lonely[4] = 1, 2
    run = replace(fixture, train=replace(fixture.train, domain=lonely)).run([Coral()], started=False)
    assert any("one training row of the domain" in note for note in run.plan.notes)
