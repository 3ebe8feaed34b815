"""Techniques of one phase commute, claim the same thing or can't run together: their order says nothing.

Orders come from `plan.place`; here the names of a phase are turned round, and every pair is run both ways.
"""

from __future__ import annotations

import itertools

import pytest

from conformance.observed import Seen, differences, observed
from conformance.sampling import WORLDS, fitting, refusal
from conformance.table import BY_NAME, ROWS, techniques
from graftwork.core import plan
from graftwork.core.technique import Phase, Technique
from tinyrun import Fixture, Worlds

PHASES = [phase for phase in Phase if sum(row.acts.phase == phase for row in ROWS) > 1]
RANK = {name: at for at, name in enumerate(sorted(BY_NAME))}


def turned(technique: Technique) -> tuple[int, int]:
    return technique.phase, -RANK[technique.name]


def without_phases(technique: Technique) -> int:
    return -RANK[technique.name]


def run_in(fixture: Fixture, pair: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, place: object) -> Seen:
    """What the pair does where `place` says the order."""
    with monkeypatch.context() as patch:
        patch.setattr(plan, "place", place)
        run = fixture.run(techniques(pair))
        names = [technique.name for technique in run.techniques]
        assert names == sorted(pair, reverse=place is not USUAL), "the seam does not turn the order round"
        return observed(run)


USUAL = plan.place


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name.lower())
def test_pairs_of_one_phase_commute(phase: Phase, fixtures: Worlds, monkeypatch: pytest.MonkeyPatch):
    """In the first fixture where both run, together too; a pair that has none is refused wherever both run alone."""
    wrong = []
    for pair in itertools.combinations(sorted(row.name for row in ROWS if row.acts.phase == phase), 2):
        for base in (base for base in WORLDS if set(pair) <= set(fitting(base, fixtures))):
            fixture = fixtures(base, "classes", True)
            if refusal(pair, fixture) is None:
                usual, other = (run_in(fixture, pair, monkeypatch, place) for place in (USUAL, turned))
                wrong += [(pair, base, found[:3]) for found in [differences(usual, other)] if found]
                break
    assert wrong == []


@pytest.mark.parametrize(
    ("base", "pair"),
    [
        ("image", ("crop", "flip")),
        ("image", ("affine", "rand-augment")),
        ("image", ("colour", "crop")),
        ("audio", ("gain", "noise")),
        ("audio", ("noise", "shift")),
        ("transformer", ("eda", "token-dropout")),
    ],
    ids=str,
)
def test_what_does_not_commute_is_seen(
    base: str, pair: tuple[str, ...], fixtures: Worlds, monkeypatch: pytest.MonkeyPatch
):
    """These have phases of their own; in one phase, the test above would tell."""
    first, second = (BY_NAME[name].acts for name in pair)
    assert first.phase < second.phase
    fixture = fixtures(base, "classes", True)
    usual, other = (run_in(fixture, pair, monkeypatch, place) for place in (USUAL, without_phases))
    assert any(name.startswith("batch 0") for name in differences(usual, other))
