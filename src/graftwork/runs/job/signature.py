"""Functions that take `DataOptions` show each of them in their signature, and say which name is wrong."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import wraps
from typing import ParamSpec, TypeVar

from graftwork.errors import nearest
from graftwork.runs.job.data_arguments import DataArguments, DataOptions

P = ParamSpec("P")
R = TypeVar("R")


def with_data_options(function: Callable[P, R]) -> Callable[P, R]:
    """`function(train, *, ..., **data: Unpack[DataOptions])`, whose signature names the options behind `train`.

    Types and defaults are those of `DataArguments`. Another name raises TypeError, as for any function.
    """
    train, *others = inspect.signature(function).parameters.values()
    options = [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=one.type)
        for one in fields(DataArguments)
        if one.name in DataOptions.__annotations__
    ]
    named = [one for one in others if one.kind is not inspect.Parameter.VAR_KEYWORD]
    shown = inspect.signature(function).replace(parameters=[train, *options, *named])

    @wraps(function)
    def checked(*given: P.args, **by_name: P.kwargs) -> R:
        for name in by_name:
            if name not in shown.parameters:
                raise TypeError(
                    f"{function.__name__}() got an unexpected keyword argument '{name}'. "
                    f"{nearest(name, shown.parameters)}"
                )
        return function(*given, **by_name)

    checked.__signature__ = shown  # type: ignore[attr-defined]
    return checked
