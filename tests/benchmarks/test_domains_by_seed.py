"""How the benchmark of domains sums up its runs."""

from __future__ import annotations

from typing import Any

import pytest

import domains


def run(cut: str, seed: int, plain: float, mmd: float) -> dict[str, Any]:
    scores = {"plain": plain, "mmd": mmd}
    methods = {name: {"accuracy": score, "validation": 1.0, "cpu": 2.0} for name, score in scores.items()}
    return {"name": f"pacs, without {cut}", "seed": seed, "methods": methods}


def test_a_seed_counts_once_by_its_mean_over_the_domains() -> None:
    runs = [run("a", 0, 0.5, 0.7), run("b", 0, 0.7, 0.7), run("a", 1, 0.2, 0.3), run("b", 1, 0.4, 0.5)]
    found = domains.gathered(runs)["pacs"]
    assert found["plain"]["accuracy"] == pytest.approx([0.6, 0.3])
    assert found["mmd"]["accuracy"] == pytest.approx([0.7, 0.4])


def test_a_seed_that_lacks_a_domain_or_a_technique_is_left_out() -> None:
    whole = [run("a", 0, 0.5, 0.7), run("b", 0, 0.7, 0.7)]
    lacking = run("b", 2, 0.1, 0.1)
    del lacking["methods"]["mmd"]
    assert domains.gathered([*whole, run("a", 1, 0.1, 0.1), run("a", 2, 0.1, 0.1), lacking]) == domains.gathered(whole)
