"""What the steps of a sequence build on: circles and steps that stand in the wrong order are told apart."""

from __future__ import annotations

import pandas as pd
import pytest

import graftwork as gw
from graftwork.errors import UsageError
from graftwork.runs.sequences.step_checks import checked
from graftwork.runs.sequences.steps import PseudoLabels, Step
from tiny import tiny_rows

TABLE = pd.DataFrame(tiny_rows(9), columns=["text", "label"])


def step(name: str, base: str = "gru", teacher: str = "", asked: str = "") -> Step:
    return Step(
        name=name,
        data=gw.DataArguments(train=TABLE, unlabelled=TABLE if asked else None),
        recipe=gw.Recipe(base=base, techniques=[gw.Distil(teacher)] if teacher else []),
        pseudo_labels=PseudoLabels(model=asked) if asked else None,
    )


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        ([step("a", base="a")], "^Step a: base names the step itself. A step can't build on itself"),
        ([step("a", base="a:layers=2")], "^Step a: base names the step itself"),
        ([step("a", teacher="a")], "^Step a: teacher names the step itself"),
        ([step("a", asked="a")], "^Step a: pseudo_labels names the step itself"),
        ([step("a", teacher="b"), step("b", teacher="a")], "'b', which itself needs this one: a needs b, b needs a."),
        (
            [step("a", base="b"), step("b", asked="c"), step("c", teacher="a")],
            "'b', which itself needs this one: a needs b, b needs c, c needs a. Steps can't build",
        ),
        ([step("a", base="b"), step("b", base="c"), step("c")], "'b', which is not done by then. Put it before."),
        ([step("a", base="b"), step("b", base="b")], "'b', which is not done by then"),
        ([step("")], "^Step 1: it has no name"),
        ([], "has no steps"),
    ],
)
def test_what_a_step_can_not_build_on(steps: list[Step], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        checked(steps)


def test_an_earlier_step_may_be_named_several_times() -> None:
    steps = [step("a"), step("b", base="a", teacher="a"), step("c", base="b", asked="a")]
    assert [one.name for one in checked(steps)] == ["a", "b", "c"]
