"""Fixed weights of the targets' losses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from graftwork import specs
from graftwork.errors import RefusedError, UsageError
from graftwork.techniques import TECHNIQUES, TargetWeights

Build = Callable[..., Any]


def test_the_gradient_is_the_weighted_sum(fixture: Build) -> None:
    made = fixture("classes", "number", unlabelled=(3, 4))
    classes, number = (made.gradients(TargetWeights({other: 0.0})) for other in ("number", "classes"))
    both = made.gradients(TargetWeights({"classes": 0.5, "number": 3.0}))
    for name, found in both.items():
        torch.testing.assert_close(found, 0.5 * classes[name] + 3.0 * number[name])


def test_it_is_written_in_a_line() -> None:
    made = specs.parse("target-weights:weights=price=0.5+gender=2", TECHNIQUES, "technique")
    assert made == TargetWeights({"price": 0.5, "gender": 2.0})
    assert specs.write(made, "target-weights") == "target-weights:weights=price=0.5+gender=2.0"
    assert specs.parse({"target-weights": {"weights": {"price": "1"}}}, TECHNIQUES, "technique").weights == {"price": 1}
    for wrong in ("price", "=1", "price=", "price=1+price=2", "price=much"):
        with pytest.raises(UsageError):
            specs.parse(f"target-weights:weights={wrong}", TECHNIQUES, "technique")
    with pytest.raises(UsageError, match="at least 0"):
        TargetWeights({"price": -1.0})


def test_names_must_be_targets(fixture: Build) -> None:
    made = fixture("classes", "number")
    with pytest.raises(RefusedError, match=r"names 'nmber'.*number"):
        made.stages(TargetWeights({"nmber": 2.0}))
    with pytest.raises(RefusedError, match="every target the weight 0"):
        made.stages(TargetWeights({"number": 0.0, "classes": 0.0}))


def test_a_weight_of_zero_trains_nothing_for_that_target(fixture: Build) -> None:
    made = fixture("classes", "number")
    found, alone = made.gradients(TargetWeights({"number": 0.0})), made.gradients()
    heads = [name for name in found if name.startswith("heads.1.")]
    assert heads
    assert not any(torch.count_nonzero(found[name]) for name in heads)
    assert any(torch.count_nonzero(alone[name]) for name in heads)
