"""graftwork.specs: settings and their short form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork import specs
from graftwork.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class Knobs:
    rank: int = 8
    rate: float = 0.1
    on: bool = False
    kind: Literal["a", "b"] = "a"
    most: int | None = None
    widths: tuple[int, ...] = (3, 4)


REGISTRY = {"knobs": Knobs}
KNOBS = st.builds(
    Knobs,
    rank=st.integers(),
    rate=st.floats(allow_nan=False),
    on=st.booleans(),
    kind=st.sampled_from(["a", "b"]),
    most=st.none() | st.integers(),
    widths=st.lists(st.integers(), min_size=1).map(tuple),
)


@given(KNOBS)
def test_the_short_form_reads_back(knobs: Knobs) -> None:
    assert specs.parse(specs.write(knobs, "knobs"), REGISTRY, "thing") == knobs


@given(KNOBS)
def test_changed_settings_build_the_same(knobs: Knobs) -> None:
    assert specs.parse({"knobs": specs.changed_settings(knobs)}, REGISTRY, "thing") == knobs


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("knbos", "Unknown thing 'knbos'. Did you mean 'knobs'"),
        ("knobs:rnak=1", "no setting 'rnak'. Did you mean 'rank'"),
        ("knobs:rank=1.5", "whole number"),
        ("knobs:rank=inf", "whole number"),
        ("knobs:rank=nan", "whole number"),
        ("knobs:rank=none", "whole number"),
        ("knobs:rate=fast", "a number"),
        ("knobs:on=maybe", "true or false"),
        ("knobs:kind=c", "Expected one of: a, b"),
        ("knobs:rank", "name:key=value"),
        ({"knobs": 3}, "not understood"),
        ({"knobs": {}, "more": {}}, "not understood"),
        (None, "not understood"),
        ({"knobs": {"rank": True}}, "whole number"),
        ("knobs:rank=1,rank=2", "twice"),
    ],
)
def test_what_is_wrong_is_said(spec: object, words: str) -> None:
    with pytest.raises(UsageError, match=words.replace(".", r"\.")):
        specs.parse(spec, REGISTRY, "thing")  # type: ignore[arg-type]


def test_settings_are_described_with_their_defaults() -> None:
    assert specs.describe_settings(Knobs) == "rank=8, rate=0.1, on=false, kind=a, most=none, widths=3+4"
