"""What goes wrong in a worker, told to the driver as plain data, and raised there as if it had happened there."""

from __future__ import annotations

import builtins
import traceback
from collections.abc import Mapping
from typing import Any

from graftwork import errors
from graftwork.core.clock.pace import OutOfTime
from graftwork.errors import GraftworkError, WorkersError

_PLAIN = ("MemoryError", "RuntimeError", "ArithmeticError", "FloatingPointError", "ZeroDivisionError", "OverflowError")
"""Of the numbers or the memory, which a call may outlive."""


def told_of(error: BaseException) -> dict[str, Any]:
    """An error as plain data."""
    names = [cls.__name__ for cls in type(error).__mro__]
    kind = next((name for name in names if name in (*_PLAIN, "OutOfTime") or _own(name)), "")
    return {"kind": kind, "type": type(error).__name__, "text": str(error), "trace": traceback.format_exc()}


def raised(told: Mapping[str, Any], index: int) -> BaseException:
    """The error that `told_of` told of. index: of the worker."""
    kind, text = told["kind"], told["text"]
    if kind == "OutOfTime":
        return OutOfTime()
    cls = _own(kind) or (getattr(builtins, kind) if kind in _PLAIN else None)
    if cls is not None:
        error: BaseException = cls(text)
    else:
        error = WorkersError(
            f"Worker {index} failed: {told['type']}: {text} This was not expected. Repeat the command with --debug to "
            "see where it happened, or without --workers."
        )
    error.add_note(f"In worker {index}:\n{told['trace']}")
    return error


def _own(name: str) -> type[GraftworkError] | None:
    found = getattr(errors, name, None)
    return found if isinstance(found, type) and issubclass(found, GraftworkError) else None


def is_of_another(error: BaseException) -> bool:
    """Whether a worker failed because another one is gone: then it is the others' end that counts."""
    text = str(error)
    return isinstance(error, RuntimeError) and any(word in text for word in _GONE)


_GONE = ("gloo", "Connection closed by peer", "Connection reset", "NCCL", "Broken pipe", "Socket", "rendezvous")
