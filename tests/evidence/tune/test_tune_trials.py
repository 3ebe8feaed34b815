"""Trials as plain data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graftwork.evidence.tune.trials import Limits, Trial

PROBE = Trial(3, "linear probe", "default", "finished", {}, parameters=22_712_345, latency=0.004, size=90_000_000)


def test_the_score_is_that_of_the_last_rung() -> None:
    assert PROBE.score is None
    assert replace(PROBE, rungs=((10, 0.5), (30, 0.75))).score == 0.75


def test_the_plainer_of_two_has_fewer_parameters_then_fewer_techniques_then_came_first() -> None:
    alike = replace(PROBE, number=9, parameters=22_698_111)
    assert PROBE.plainness < alike.plainness < replace(alike, techniques=("ema",)).plainness
    assert replace(alike, parameters=11_000_000, techniques=("ema",)).plainness < PROBE.plainness


@pytest.mark.parametrize(
    ("limits", "met"), [(Limits(), True), (Limits(latency=0.005), True), (Limits(0.005, 20_000_000), False)]
)
def test_limits_are_kept_or_not(limits: Limits, met: bool) -> None:
    assert limits.met_by(PROBE) is met


def test_excess_is_a_share_of_the_limit() -> None:
    assert Limits(latency=0.002).excess(PROBE) == pytest.approx((1.0,))
