"""Dimensions of a search as Optuna has them: distributions, and values that its journal can keep."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from graftwork.runs.tune.space.dimensions import Dimension
from graftwork.spaces import Choice, Range, Space

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution


def spaces(dimensions: Sequence[Dimension], params: Mapping[str, Any]) -> dict[str, Space]:
    """Of the dimensions that are asked for and have a value among these, by name."""
    return {one.name: one.space for one in dimensions if one.name in params and one.asked(params)}


def decoded(params: Mapping[str, Any]) -> dict[str, Any]:
    """As they were before they were encoded."""
    return {name: decoded_value(value) for name, value in params.items()}


_JSON = "json:"


def encoded(value: Any, space: Space) -> Any:
    """As Optuna takes it: of a choice among other things than plain values their JSON."""
    if isinstance(space, Range) or value is None or isinstance(value, bool | int | float | str):
        return value
    return _JSON + json.dumps(value)


def decoded_value(value: Any) -> Any:
    """The inverse of `encoded`; what JSON makes a list was a tuple."""
    if isinstance(value, str) and value.startswith(_JSON):
        found = json.loads(value.removeprefix(_JSON))
        return tuple(found) if isinstance(found, list) else found
    return value


def distribution(space: Space) -> BaseDistribution:
    """A space as Optuna has it."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(space, Choice):
        return CategoricalDistribution([encoded(value, space) for value in space.values])
    if space.whole:
        return IntDistribution(int(space.low), int(space.high), log=space.log)
    return FloatDistribution(float(space.low), float(space.high), log=space.log)


def suggested(asked: optuna.Trial, name: str, space: Space) -> Any:
    """A value that is drawn now."""
    if isinstance(space, Choice):
        return decoded_value(asked.suggest_categorical(name, [encoded(value, space) for value in space.values]))
    if space.whole:
        return asked.suggest_int(name, int(space.low), int(space.high), log=space.log)
    return asked.suggest_float(name, float(space.low), float(space.high), log=space.log)


@contextmanager
def quiet() -> Iterator[None]:
    """Without what Optuna says of itself: its logs, and what of it is experimental."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)
