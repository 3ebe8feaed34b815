"""How scores and differences are shown, by their metric."""

from __future__ import annotations

import pytest

from graftwork.evidence.ablation.scale import Scale, scale_of
from graftwork.tasks.metrics.metric import Metric, mean_of_rows


def metric(name: str, *, higher: bool = True, unit: str = "percent") -> Metric:
    return Metric(name, lambda _, given: mean_of_rows(given), "choices", higher, name.title(), unit)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0182, "+1.8 points"),
        (-0.0182, "-1.8 points"),
        (0.0004, "+0.04 points"),
        (0.00001, "0.0 points"),
        (0.0, "0.0 points"),
        (0.00099, "+0.1 points"),
    ],
)
def test_shares_differ_by_points(value: float, text: str) -> None:
    assert Scale("Accuracy", "percent").gain(value) == text


def test_an_error_is_shown_as_it_is_and_less_of_it_is_a_gain() -> None:
    scale = scale_of({"price": metric("error", higher=False, unit="own")})
    assert scale.score(-1234.4) == "1,234"
    assert scale.gain(20.0) == "+20"
    assert scale.gain(-0.1234) == "-0.123"
    assert scale.interval(-0.5, 2.0) == "-0.5 to +2"
    assert "less of it" in scale.what


def test_several_targets_share_a_scale_where_they_can() -> None:
    one, other = metric("accuracy"), metric("f1")
    assert scale_of({"a": one, "b": one}) == Scale("Accuracy, mean of 2 targets", "percent")
    assert scale_of({"a": one, "b": other}) == Scale("mean score of 2 targets", "percent")
    assert scale_of({"a": one, "b": metric("error", higher=False, unit="own")}).unit == "plain"
    assert scale_of({}) == Scale()
