"""What the benchmarks of tunes make of their records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tune
import tune_planted


def record(name: str, budget: int, method: str, right: str, cpu: float = 100.0) -> dict[str, Any]:
    accuracy = right.count("1") / len(right)
    kept = {"base": "minilm", "head": None, "techniques": [{"probe": {}}]}
    more = {"kept": kept, "trials": 9, "curve": [[10.0, 0.5], [50.0, accuracy]]} if method == tune.TUNE else {}
    named = {"name": f"{name}, {budget} s, {method}", "seed": 0}
    return {**named, "accuracy": accuracy, "right": right, "cpu": cpu, **more}


def records(ours: dict[str, str], others: dict[str, str]) -> list[dict[str, Any]]:
    methods = (tune.DEFAULT, tune.FULL, tune.EMBEDDINGS)
    return [
        *(record(name, tune.SHORT, tune.TUNE, right) for name, right in ours.items()),
        *(record(name, tune.SHORT, method, right) for name, right in others.items() for method in methods),
    ]


def claims(found: list[dict[str, Any]]) -> dict[str, bool | None]:
    return {one.promise: one.met for one in tune.promised({tune._key(one): one for one in found})}


def test_better_on_every_set_keeps_the_promises_that_were_measured() -> None:
    names = ("trec", "sst2", "pacs")
    ours = {name: "1" * (90 - at) + "0" * (10 + at) for at, name in enumerate(names)}
    met = claims(records(ours, dict.fromkeys(names, "1" * 50 + "0" * 50)))
    assert [value for promise, value in met.items() if "AutoGluon" in promise] == [None]
    assert [value for promise, value in met.items() if "AutoGluon" not in promise] == [True, True, True]


def test_one_set_that_is_much_better_and_one_that_is_worse_promise_nothing() -> None:
    others = dict.fromkeys(("trec", "sst2"), "1" * 70 + "0" * 30)
    met = claims(records({"trec": "1" * 100, "sst2": "1" * 40 + "0" * 60}, others))
    assert set(met.values()) == {False, None}


def test_a_difference_within_chance_is_not_worse_than_the_default() -> None:
    found = {tune._key(one): one for one in records({"trec": "01" * 50}, {"trec": "10" * 49 + "11"})}
    assert not tune.below_default(found, ("trec", tune.SHORT, tune.TUNE))


def test_the_section_shows_each_set_and_draws_its_curve(tmp_path: Path) -> None:
    figure = tmp_path / "images" / "tune.svg"
    text = tune.section(records({"trec": "1101"}, {"trec": "1001"}), figure)
    assert "| trec, 120 s | 75.0 (100 s) | 50.0 (100 s) |" in text
    assert "minilm: probe" in text
    assert "(images/tune.svg)" in text
    assert "embeddings + LR" in figure.read_text()


def test_nothing_measured_is_said() -> None:
    assert tune.section([]) == tune_planted.section([]) == "Not measured yet."


def planted(name: str, seed: int, base: str, techniques: list[str]) -> dict[str, Any]:
    return {"name": name, "seed": seed, "base": base, "techniques": techniques, "accuracy": 0.8, "cpu": 20.0}


def test_as_many_useless_choices_as_the_error_allows() -> None:
    draws = [(name, draw) for name in tune_planted.SETS for draw in range(tune_planted.DRAWS)]
    made = [planted(name, draw, "minilm", ["probe"]) for name, draw in draws]
    assert [one.met for one in tune_planted.promised(made)] == [True, True]
    wrong = [{**one, "techniques": ["placebo:amount=2", "probe"]} for one in made[:8]] + made[8:]
    assert [one.met for one in tune_planted.promised(wrong)] == [True, False]
    assert [one.met for one in tune_planted.promised(made[:3])] == [None, None]
