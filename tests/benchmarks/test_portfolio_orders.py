"""The learned default: what an order reaches in a budget, greedy orders, sets left out, and the file of the table."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
import portfolio
from graftwork.runs import default
from graftwork.runs.candidates.orders import EACH_KIND, Line, Span
from graftwork.runs.candidates.other import FINE_TUNES, PLAIN_HEADS
from graftwork.runs.candidates.planned import planned_recipes
from graftwork.runs.candidates.usual import usual_recipes
from harness import anytime, learned_order, portfolio_file, results
from harness.anytime import Cell, Measured, greedy, mean_regret, measured_sets, reached, regret
from harness.learned_order import USUAL, Judged, judged, learned, portfolio_of
from harness.options import Options
from harness.portfolio_sets import SETS
from jobs import job_of
from tiny import tiny_rows

ROWS = frozenset({"text, 7, abc"})
PROBE = Cell(ROWS, 5.0, 1.0, 0.70, 0.68)
KERNEL = Cell(ROWS, 5.0, 2.0, 0.72, 0.66)
TUNE = Cell(frozenset({"text, 5, abc"}), 4.0, 30.0, 0.9, 0.88, ((1.0, 0.7, 0.69), (16.0, 0.8, 0.79), (29.0, 0.9, 0.88)))
CELLS = {"linear probe": PROBE, "kernel probe": KERNEL, "tune": TUNE}


def measured(name: str = "a", kind: str = "text", cells: dict[str, Cell] | None = None, **more: Any) -> Measured:
    cells = CELLS if cells is None else cells
    return Measured(name, more.pop("origin", name), kind, tuple(more.pop("usual", cells)), 0.3, cells, **more)


# --- what an order reaches -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("order", "budget", "expected"),
    [
        ((), 60, 0.3),
        (("linear probe",), 5.9, 0.3),  # its rows are not read in time
        (("linear probe",), 6.0, 0.68),
        (("linear probe", "kernel probe"), 8.0, 0.66),  # the features are there; validation chooses, test counts
        (("kernel probe", "linear probe"), 7.5, 0.66),
        (("linear probe", "tune"), 40.0, 0.88),
        (("linear probe", "tune"), 39.9, 0.88),  # the last step is done, its last scores are not
        (("linear probe", "tune"), 26.0, 0.79),
        (("linear probe", "tune"), 11.0, 0.68),  # the start of the fine-tune validates no better
        (("tune", "linear probe"), 20.0, 0.79),  # a fine-tune takes all that is left
        (("tune",), 4.9, 0.3),
        (("no such thing", "linear probe"), 6.0, 0.68),
        (("linear probe", "kernel probe", "tune"), 8.5, 0.66),  # less than a tenth is left
    ],
)
def test_what_an_order_reaches(order: tuple[str, ...], budget: float, expected: float) -> None:
    assert reached(measured(), order, budget) == expected


def test_a_run_longer_than_what_is_left_by_the_last_one_is_passed_over() -> None:
    slow = replace(KERNEL, own=20.0, valid=0.1)
    one = measured(cells={"linear probe": PROBE, "slow": slow, "tune": TUNE})
    assert reached(one, ("linear probe", "slow", "tune"), 45.0) == 0.68  # 19 s are left, and the last took 20
    assert reached(one, ("linear probe", "slow", "tune"), 50.0) == 0.79


def test_each_kind_alone_stands_for_the_sets_own_runs() -> None:
    cells = {"texts alone": PROBE, "images alone": replace(PROBE, valid=0.9, test=0.85)}
    assert reached(measured(cells=cells), (EACH_KIND,), 60.0) == 0.85


def test_regret_is_what_the_best_candidate_has_more() -> None:
    one = measured()
    assert one.best == 0.88
    assert regret(one, ("linear probe",), 10.0) == pytest.approx(0.2)
    assert mean_regret([one, one], ("linear probe",), [5.0, 10.0]) == pytest.approx((0.58 + 0.2) / 2)


def random_sets(seed: int, count: int = 6, names: int = 5) -> list[Measured]:
    draw = np.random.default_rng(seed)
    sets = []
    for at in range(count):
        cells = {}
        for name in range(names):
            score = float(draw.uniform(0.4, 0.9))
            features = frozenset({f"f{name % 2}"})
            cells[f"c{name}"] = Cell(features, 3.0, float(draw.uniform(0.5, 20)), score + draw.normal() / 50, score)
        sets.append(measured(f"s{at}", cells=cells))
    return sets


@pytest.mark.parametrize("seed", range(5))
def test_the_greedy_order_is_near_the_best_of_all_that_add_two(seed: int) -> None:
    sets, names, budgets = random_sets(seed), [f"c{at}" for at in range(5)], [10.0, 60.0]
    order = greedy(sets, ("c0",), names, budgets)
    assert len(set(order)) == len(order)
    assert order[0] == "c0"
    assert mean_regret(sets, order, budgets) <= mean_regret(sets, ("c0",), budgets)
    others = [("c0", *more) for count in (1, 2) for more in itertools.permutations(names[1:], count)]
    assert mean_regret(sets, order, budgets) <= min(mean_regret(sets, other, budgets) for other in others) + 0.03
    assert greedy(list(reversed(sets)), ("c0",), names, budgets) == order


def test_what_saves_nothing_is_not_added() -> None:
    useless = replace(PROBE, valid=0.1, test=0.1)
    sets = [measured(cells={"linear probe": PROBE, "useless": useless})]
    names = ["useless", "linear probe"]
    assert greedy(sets, ("linear probe",), names, [60.0]) == ("linear probe",)
    assert greedy(sets, ("useless",), names, [60.0]) == ("useless", "linear probe")


# --- what is learned, and how it is judged ---------------------------------------------------------------------------
def flat(score: float, own: float = 0.5) -> Cell:
    """A probe whose validation tells the truth."""
    return Cell(ROWS, 3.0, own, score, score)


PLANTED = "plain kernel probe"
"""It is in no usual order."""


def planted(kind: str = "text", count: int = 8, better: float = 0.1, **more: Any) -> list[Measured]:
    """Sets on which a candidate that the usual order lacks is better, by so much and some noise."""
    draw = np.random.default_rng(1)
    found = []
    for at in range(count):
        score = float(draw.uniform(0.5, 0.8))
        usual = {name: flat(score + float(draw.normal(0, 0.01))) for name in USUAL[kind]}
        planted_score = score + better + float(draw.normal(0, 0.01))
        cells = {**usual, PLANTED: flat(planted_score)}
        cells["plain fine-tuning"] = Cell(frozenset(), 0.0, 50.0, score - 0.1, score - 0.1)
        found.append(measured(f"{kind}{at}", kind, cells, usual=tuple(usual), **more))
    return found


def test_a_better_candidate_is_found_and_replaces_the_usual_order() -> None:
    sets = planted()
    for one in (judged(sets, budget) for budget in learned_order.BUDGETS):
        mean, low, high = one.saved(one.usual)
        assert low < mean < high
        assert one.better
        assert mean == pytest.approx(0.1, abs=0.03)
    [text, *rest] = portfolio_of(sets, portfolio.judgements(sets))
    assert text == Line(kind="text", order=(*USUAL["text"], PLANTED), rows=Span(0, 10_000))
    assert {line.kind: line.order for line in rest} == dict(USUAL)


def test_within_chance_the_usual_order_stays() -> None:
    sets = planted(better=0.0)
    assert not any(judged(sets, budget).better for budget in learned_order.BUDGETS)
    assert {line.kind: line.order for line in portfolio_of(sets, portfolio.judgements(sets))} == dict(USUAL)
    assert portfolio_of([], []) == tuple(Line(kind=kind, order=order) for kind, order in USUAL.items())  # type: ignore[arg-type]


def test_a_set_is_judged_by_orders_that_never_saw_its_origin() -> None:
    """On one set a candidate is best that is poor elsewhere: left out, it can't have been learned."""
    sets = planted(better=0.0)
    odd, poor = ({PLANTED: flat(score)} for score in (0.99, 0.1))
    sets = [replace(one, cells=dict(one.cells) | (poor if at else odd)) for at, one in enumerate(sets)]
    assert learned(sets, "text", 60.0)[0].order != learned(sets[1:], "text", 60.0)[0].order
    found = judged(sets, 60.0)
    assert found.learned[0] == pytest.approx(regret(sets[0], learned(sets[1:], "text", 60.0)[0].order, 60.0))
    same = [replace(one, origin="same") for one in sets[:3]] + sets[3:]
    orders = learned(sets[3:], "text", 60.0)[0].order
    assert judged(same, 60.0).learned[:3] == tuple(regret(one, orders, 60.0) for one in sets[:3])


def test_sets_of_one_origin_count_as_one() -> None:
    one = Judged(10.0, ("a", "b", "c"), ("x", "x", "y"), (0.0, 0.0, 0.0), (0.1, 0.3, 0.4), (0.0, 0.0, 0.0))
    mean, low, high = one.saved(one.usual)
    assert mean == pytest.approx(0.3)
    assert (high - mean) == pytest.approx(12.706 * np.std([0.2, 0.4], ddof=1) / np.sqrt(2), rel=1e-3)
    assert low < 0 < high


def test_too_few_sets_of_a_kind_learn_nothing() -> None:
    assert learned(planted("image", 2), "image", 60.0) == [Line(kind="image", order=USUAL["image"])]


def test_a_kind_is_split_where_two_orders_save_much() -> None:
    """Only one of two candidates fits into the budget, and which is better depends on the classes."""
    sets = []
    for at in range(8):
        cells = {"first": flat(0.9 if at % 2 else 0.5, 5.0), "second": flat(0.5 if at % 2 else 0.9, 5.0)}
        cells |= {"kernel probe": flat(0.3, 1.0), "plain fine-tuning": flat(0.4, 100.0)}
        sets.append(measured(f"s{at}", cells=cells, classes=3 if at % 2 else 50))
    few, many, rest = learned(sets, "text", 10.0)
    assert (few.classes, few.order) == (Span(0, 10), (*USUAL["text"], "first"))
    assert (many.classes, many.order) == (Span(11), (*USUAL["text"], "second"))
    assert rest.classes == Span()
    assert judged(sets, 10.0).learned == (0.0,) * 8


def test_candidates_on_other_bases_are_not_in_an_order() -> None:
    sets = planted(better=0.0)
    large = Cell(frozenset({"text, 12, other"}), 8.0, 0.1, 0.99, 0.99)
    sets = [replace(one, cells=dict(one.cells) | {"linear probe on mpnet": large}) for one in sets]
    [line] = learned(sets, "text", 60.0)
    assert not any("mpnet" in name for name in line.order)


def test_a_kind_that_learned_orders_do_not_help_keeps_its_own() -> None:
    """Though over all kinds they are better by more than chance."""
    texts, images = planted(count=12), planted("image", 4, better=0.0)
    swapped = [
        replace(one, cells=dict(one.cells) | {"late fusion": flat(0.99 if at == 0 else 0.05), PLANTED: flat(0.1)})
        for at, one in enumerate(images)
    ]
    found = portfolio.judgements([*texts, *swapped])
    assert all(one.better for one in found)
    table = portfolio_of([*texts, *swapped], found)
    assert next(line.order for line in table if line.kind == "text") == (*USUAL["text"], PLANTED)
    images_names = {one.name for one in swapped}
    for one in found:
        of = [at for at, name in enumerate(one.names) if name in images_names]
        saved = sum(one.usual[at] - one.learned[at] for at in of)
        assert one.helps(images_names) == (saved > 0)


def test_each_origin_counts_once_in_what_is_learned() -> None:
    """Five sets of one origin for one candidate, and one set each of two origins for another."""

    def made(name: str, origin: str, first: float, second: float) -> Measured:
        cells = {"kernel probe": flat(0.3, 1.0), "first": flat(first, 5.0), "second": flat(second, 5.0)}
        return measured(name, cells=cells, origin=origin)

    sets = [made(f"s{at}", "same", 0.9, 0.5) for at in range(5)]
    sets += [made(name, name, 0.5, 0.9) for name in ("a", "b")]
    assert learned(sets, "text", 10.0)[0].order == (*USUAL["text"], "second")
    assert learned(sets[:6], "text", 10.0) == [Line(kind="text", order=USUAL["text"])]  # of two origins alone


def test_a_part_of_what_several_inputs_give_is_computed_once() -> None:
    both = Cell(frozenset({"text", "image"}), 13.0, 1.0, 0.9, 0.9)
    alone = {"texts alone": Cell(frozenset({"text"}), 3.0, 1.0, 0.6, 0.6)}
    images = {"images alone": Cell(frozenset({"image"}), 10.0, 1.0, 0.6, 0.6)}
    whole = measured(cells={**alone, **images, "linear probe": both})
    assert reached(whole, ("texts alone", "linear probe"), 15.0) == 0.9
    assert reached(whole, ("texts alone", "linear probe"), 14.9) == 0.6
    unknown = measured(cells={**alone, "linear probe": both})
    assert reached(unknown, ("texts alone", "linear probe"), 17.9) == 0.6


def test_each_kind_alone_is_one_candidate() -> None:
    cells = {"texts alone": flat(0.9), "images alone": flat(0.5), "linear probe": flat(0.4)}
    sets = [measured(f"s{at}", "several", cells=cells) for at in range(4)]
    assert learned(sets, "several", 60.0)[0].order == USUAL["several"]  # which has it


def test_an_order_has_little_regret_at_smaller_budgets_too() -> None:
    """A call of five minutes may be stopped after ten seconds: something has to be there."""
    slow = Cell(frozenset(), 0.0, 100.0, 0.9, 0.9)
    sets = [measured(f"s{at}", cells={"linear probe": PROBE, "slow": slow}) for at in range(4)]
    assert learned(sets, "text", 300.0)[0].order == (*USUAL["text"], "slow")


# --- records, and the file -------------------------------------------------------------------------------------------
def test_records_become_sets_and_features_are_paid_for_by_whoever_comes_first() -> None:
    facts = {"kind": "text", "rows": 9, "classes": 2, "language": "English", "usual": ["a", "b"], "baseline": 0.5}
    cell = {"features": ["x"], "pass": 4.0, "own": 1.0, "valid": 0.6, "test": 0.7, "curve": [[1.0, 0.5, 0.4]]}
    records = [
        {"set": "s", "candidate": "", **facts},
        {"set": "s", "candidate": "a", **cell},
        {"set": "s", "candidate": "b", **cell, "pass": 0.0},
        {"set": "s", "candidate": "c", "refused": "no"},
        {"set": "t", "candidate": "a", **cell},
        {"set": "u", "candidate": "", **facts},
    ]
    [one] = measured_sets(records, {"s": "origin", "t": "origin", "u": "origin"})
    assert (one.name, one.origin, one.usual, one.baseline) == ("s", "origin", ("a", "b"), 0.5)
    assert set(one.cells) == {"a", "b"}
    assert one.cells["b"].reading == 4.0
    assert one.cells["a"].curve == ((1.0, 0.5, 0.4),)


def test_a_written_table_is_read_back_and_formatted(tmp_path: Path) -> None:
    lines = (
        Line(kind="text", order=("a", "b on c"), up_to=35, rows=Span(0, 400), language="other"),
        Line(kind="text", order=("a",), classes=Span(11)),
    )
    file = tmp_path / "portfolio.py"
    file.write_text(portfolio_file.written(lines, "About orders. " * 20), encoding="utf-8")
    found: dict[str, Any] = {}
    exec(compile(file.read_text(encoding="utf-8"), file, "exec"), found)
    assert found["PORTFOLIO"] == lines
    assert portfolio_file.from_json(json.loads(json.dumps(portfolio_file.to_json(lines)))) == lines
    ruff = Path(sys.executable).with_name("ruff")
    if ruff.is_file():
        for check in (["format", "--check"], ["check", "--isolated", "--select", "E"]):
            subprocess.run([ruff, *check, "--line-length", "120", file], check=True, capture_output=True)


def test_the_librarys_table_is_what_the_stored_cells_give() -> None:
    assert portfolio.FILE.read_text(encoding="utf-8") == portfolio.source(portfolio.stored())


def test_a_table_for_the_sets_of_a_benchmark_is_learned_without_their_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []

    def judgements(sets: Any) -> list[Judged]:
        seen.append({one.origin for one in sets})
        return []

    cell = {"features": [], "pass": 0.0, "own": 1.0, "valid": 0.6, "test": 0.7, "curve": []}
    facts = {"kind": "text", "rows": 9, "classes": 2, "language": "", "usual": ["a"], "baseline": 0.5}
    records = [
        {"set": one.name, "candidate": name, **(cell if name else facts)}
        for one in SETS
        for batch in portfolio.batches(one, quick=False)
        for name in batch
    ]
    monkeypatch.setattr(portfolio, "stored", lambda: records)
    monkeypatch.setattr(portfolio, "judgements", judgements)
    portfolio.portfolio_without(["sst2 (few rows)", "fashion_products"])
    assert seen == [{s.origin for s in SETS} - {"sst2", "fashion_products"}]
    with pytest.raises(SystemExit, match="There is no set nope"):
        portfolio.portfolio_without(["nope"])


def test_a_section_is_written_of_stored_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    sets = planted()
    monkeypatch.setattr(portfolio, "sets_of", lambda *_: sets)
    text = portfolio.section([{"pass": 1.0, "own": 2.0}])
    assert "| at 10 s, points saved against the usual order: more than chance | +" in text
    assert "| text0 |" in text
    assert PLANTED in text


def test_a_process_that_fails_loses_only_the_candidate_that_made_it_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def worker(candidates: list[str]) -> dict[str, Any]:
        if "large" in candidates:
            raise RuntimeError("killed")
        return {name: {"own": float(len(candidates))} for name in candidates}

    monkeypatch.setattr(results, "FOLDER", tmp_path)
    store = results.Results("portfolio", Options(quick=False, seeds=1, fresh=None))
    portfolio.keep(store, SETS[0], ["", "small"], worker)
    portfolio.keep(store, SETS[0], ["tune", "large"], worker)
    *done, large = store.records()
    assert [(one["candidate"], one["own"]) for one in done] == [("", 2.0), ("small", 2.0), ("tune", 1.0)]
    assert (large["candidate"], large["refused"]) == ("large", "killed")
    assert "large: killed" in capsys.readouterr().err


def test_a_set_counts_once_all_its_candidates_are_measured() -> None:
    cell = {"features": [], "pass": 0.0, "own": 1.0, "valid": 0.6, "test": 0.7, "curve": []}
    facts = {"kind": "text", "rows": 9, "classes": 2, "language": "", "usual": ["tune"], "baseline": 0.5}
    names = [name for batch in portfolio.batches(SETS[0], quick=False) for name in batch]
    records = [{"set": SETS[0].name, "candidate": name, **(cell if name else facts)} for name in names]
    assert [one.name for one in portfolio.sets_of(records)] == [SETS[0].name]
    assert portfolio.sets_of(records[:-1]) == []
    refused = {"set": SETS[0].name, "candidate": names[-1], "refused": "killed"}
    assert names[-1] not in portfolio.sets_of([*records[:-1], refused])[0].cells


# --- the grid --------------------------------------------------------------------------------------------------------
def test_the_sets_are_many_small_and_of_all_kinds() -> None:
    assert len(SETS) >= 20
    assert all(one.rows + one.tests <= 2000 for one in SETS)
    assert len({one.name for one in SETS}) == len(SETS)
    assert not any("," in one.name or "|" in one.name for one in SETS)
    assert {one.kind for one in SETS} == set(USUAL)
    assert any(one.numbers for one in SETS)
    assert any(one.noise for one in SETS)
    assert any(one.rare < 1 for one in SETS)


def test_each_set_has_its_facts_first_and_no_candidate_twice() -> None:
    for one in SETS:
        batches = portfolio.batches(one, quick=False)
        names = [name for batch in batches for name in batch]
        assert batches[0][0] == ""
        assert len(set(names)) == len(names)
        assert {name for name in USUAL[one.kind] if name != EACH_KIND} <= set(names)
        assert set(PLAIN_HEADS if one.kind == "table" else FINE_TUNES) <= set(names)
        assert 8 <= len(names) <= 18


@pytest.mark.parametrize("kind", ["text", "table", "several", "numbers"])
def test_the_usual_lines_are_the_order_that_was_set_by_hand(kind: str) -> None:
    draw = np.random.default_rng(0)
    rows = pd.DataFrame(tiny_rows(900 if kind in ("table", "numbers") else 120), columns=["text", "label"])
    rows = rows.assign(x=draw.normal(size=len(rows)), y=draw.normal(size=len(rows)))
    columns = {"text": ["text"], "several": ["text", "x"]}.get(kind, ["x", "y"])
    table = rows[[*columns, "label"]] if kind != "numbers" else rows[columns].assign(label=draw.normal(size=len(rows)))
    recipe = gw.Recipe(base={"text": "minilm"} if "text" in columns else "auto")
    job = job_of(table, recipe, target="label")
    for budget in (None, 10.0, 60.0, 300.0):
        assert planned_recipes(job, recipe, budget, portfolio_of([], [])) == usual_recipes(job, recipe)


def test_the_rule_of_the_default_is_the_one_that_is_simulated() -> None:
    assert anytime.LEFT == default.LEFT
