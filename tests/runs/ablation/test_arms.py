"""graftwork.runs.ablation.arms, between, inputs: which runs are made, and which are compared."""

from __future__ import annotations

import pandas as pd
import pytest

import graftwork as gw
from graftwork.errors import UsageError
from graftwork.runs.ablation.arms import ALL, NONE, Arms, arms_of
from graftwork.runs.ablation.between import parse_between
from jobs import job_of

RECIPE = gw.Recipe(
    base={"text": "gru:width=8", "table": "columns"},
    techniques=["label-smoothing", "ema:decay=0.5", "sam"],
    training=gw.Training(lr=1e-3),
)
FRAME = pd.DataFrame(
    {"text": ["a b", "c d"] * 4, "size": range(8), "price": [1.5, 2.5] * 4, "label": ["x", "y"] * 4},
)
SCHEMA = job_of(FRAME, RECIPE, target="label", kinds={"text": "text"}).train.schema


def compared(arms: Arms) -> list[tuple[str, str, str]]:
    return [(one.name, one.with_, one.without) for one in arms.design.comparisons]


def techniques(arms: Arms, name: str) -> set[str]:
    return {one.name for one in arms.each[name].recipe.listed}


def test_leave_one_out_compares_all_with_all_but_one() -> None:
    arms = arms_of(RECIPE, SCHEMA, "leave-one-out")
    assert sorted(compared(arms)) == [(name, ALL, f"without {name}") for name in ("ema", "label-smoothing", "sam")]
    assert techniques(arms, ALL) == {"ema", "label-smoothing", "sam"}
    assert techniques(arms, "without ema") == {"label-smoothing", "sam"}
    assert arms.design.arms["without ema"] == {"label-smoothing", "sam"}


def test_add_one_in_compares_one_with_none() -> None:
    arms = arms_of(RECIPE, SCHEMA, "add-one-in")
    assert ("sam", "sam alone", NONE) in compared(arms)
    assert techniques(arms, NONE) == set()
    assert techniques(arms, "sam alone") == {"sam"}


def test_shapley_runs_every_coalition_of_few() -> None:
    arms = arms_of(RECIPE, SCHEMA, "shapley")
    assert len(arms.each) == 8
    assert arms.design.passes == ()
    assert set(arms.design.arms.values()) == {
        frozenset(some)
        for some in (
            (),
            ("ema",),
            ("sam",),
            ("label-smoothing",),
            ("ema", "sam"),
            ("ema", "label-smoothing"),
            ("sam", "label-smoothing"),
            ("ema", "sam", "label-smoothing"),
        )
    }


def test_shapley_of_more_goes_through_orders_and_their_reverse() -> None:
    more = gw.Recipe(techniques=["label-smoothing", "ema", "sam", "class-weights", "layer-decay", "mixup"])
    arms = arms_of(more, SCHEMA, "shapley")
    orders = arms.design.passes
    assert len(orders) == 4
    assert orders[0] == orders[1][::-1]
    assert {frozenset(order[:size]) for order in orders for size in range(7)} == set(arms.design.arms.values())


def test_each_column_is_left_out_with_the_bases_of_the_others() -> None:
    arms = arms_of(RECIPE, SCHEMA, "between", columns=True)
    assert compared(arms) == [(name, ALL, f"without {name}") for name in ("text", "size", "price")]
    assert arms.each["without text"].recipe.base == "columns"
    assert arms.each["without text"].without == ("text",)
    assert {one.kind for one in arms.design.comparisons} == {"input"}


def test_values_are_held_against_the_first() -> None:
    between = parse_between(["lr=1e-3+1e-4+3e-4", "ema.decay=0.5+0.9"])
    arms = arms_of(RECIPE, SCHEMA, "between", between)
    assert compared(arms)[:2] == [
        ("lr=1e-4 over lr=1e-3", "lr=1e-4", "lr=1e-3"),
        ("lr=3e-4 over lr=1e-3", "lr=3e-4", "lr=1e-3"),
    ]
    assert arms.each["lr=1e-4"].recipe.training.lr == 1e-4
    assert arms.each["ema.decay=0.9"].recipe.listed[1] == gw.EMA(0.9)


def test_arms_that_are_the_same_are_one() -> None:
    arms = arms_of(RECIPE, SCHEMA, "leave-one-out", parse_between(["lr=1e-3+1e-4"]))
    assert ("lr=1e-4 over lr=1e-3", "lr=1e-4", ALL) in compared(arms)
    assert "lr=1e-3" not in arms.each


def test_numbers_with_an_exponent_are_no_two_values() -> None:
    (one,) = parse_between(["lr=1e+0+1E+1"])
    assert one.values == ("1e+0", "1E+1")


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("lr", r"expected SETTING=VALUE\+VALUE"),
        ("lr=1e-4", r"expected SETTING=VALUE\+VALUE"),
        ("lr=1e-4+", r"expected SETTING=VALUE\+VALUE"),
        ("lr=1+1", "twice"),
        ("seed=0+1", "seed of its own"),
        ("metric=accuracy+macro_f1", "can't be compared"),
    ],
)
def test_values_that_can_not_be_compared(item: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_between([item])


def test_a_setting_that_there_is_not() -> None:
    with pytest.raises(UsageError, match=r"no setting 'lrr'.*Did you mean 'lr'"):
        arms_of(RECIPE, SCHEMA, "between", parse_between(["lrr=1+2"]))
    with pytest.raises(UsageError, match=r"no technique 'emma'.*Did you mean 'ema'"):
        arms_of(RECIPE, SCHEMA, "between", parse_between(["emma.decay=1+2"]))
    with pytest.raises(UsageError, match=r"no setting 'rate'"):
        arms_of(RECIPE, SCHEMA, "between", parse_between(["ema.rate=0.1+0.2"]))


def test_a_recipe_without_techniques_says_what_can_be_compared() -> None:
    with pytest.raises(UsageError, match=r"no technique.*--columns \(columns: text, size, price\).*--between.*--with"):
        arms_of(gw.Recipe(techniques=[]), SCHEMA, "leave-one-out")
    with pytest.raises(UsageError, match="leaves its techniques to be chosen"):
        arms_of(gw.Recipe(), SCHEMA, "leave-one-out")
    with pytest.raises(UsageError, match="Shapley values are for two or more"):
        arms_of(gw.Recipe(techniques=["ema"]), SCHEMA, "shapley")


def test_what_does_not_go_together_is_refused() -> None:
    alone = job_of(FRAME[["text", "label"]], RECIPE, target="label", kinds={"text": "text"}).train.schema
    with pytest.raises(UsageError, match="only text is read"):
        arms_of(gw.Recipe(base="gru", techniques=[]), alone, "between", columns=True)
    with pytest.raises(UsageError, match="shapley is about techniques"):
        arms_of(RECIPE, SCHEMA, "shapley", columns=True)
    with pytest.raises(UsageError, match="compares values of settings"):
        arms_of(RECIPE, SCHEMA, "between")
