"""Dimensions of a search as Optuna has them: distributions, and values that its journal can keep."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from graftwork.spaces import Choice, Range, Space

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution


class Searched(Protocol):
    """A dimension of the search space. when: the values of others, by name, of which one each must hold."""

    @property
    def name(self) -> str: ...
    @property
    def space(self) -> Space: ...
    @property
    def when(self) -> Sequence[tuple[str, object]]: ...


def holds(when: Sequence[tuple[str, object]], params: Mapping[str, Any]) -> bool:
    """Whether a dimension is searched beside these values. A tuple in place of a value means any one of them, and None
    in it that the other dimension has none."""
    return all(
        params.get(name) in value if isinstance(value, tuple) else name in params and params[name] == value
        for name, value in when
    )


def active(dimensions: Sequence[Searched], params: Mapping[str, Any]) -> Iterator[Searched]:
    """The dimensions that have a value among these, and apply."""
    return (one for one in dimensions if one.name in params and holds(one.when, params))


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


def suggested(asked: optuna.Trial, one: Searched) -> Any:
    """A value that is drawn now, encoded."""
    space = one.space
    if isinstance(space, Choice):
        return asked.suggest_categorical(one.name, [encoded(value, space) for value in space.values])
    if space.whole:
        return asked.suggest_int(one.name, int(space.low), int(space.high), log=space.log)
    return asked.suggest_float(one.name, float(space.low), float(space.high), log=space.log)


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
