"""A user's own code by name: what `module:attribute` stands for. Only the one who calls may name it, never a file from
elsewhere; see `docs/security.md`."""

from __future__ import annotations

import functools
import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from graftwork.errors import UsageError, nearest

_PART = r"[^\W\d]\w*"
_NAME = re.compile(rf"({_PART}(?:\.{_PART})*):({_PART}(?:\.{_PART})*)")


def from_code(name: str, what: str) -> Any:
    """What `module:attribute` stands for; imports the module, from the folder in which the command is called too.

    what: what it is named for, in messages ("reward, setting 'call'"). Raises UsageError for a name of another form, a
    module that there is not or that can't be imported, and an attribute that it has not.

    >>> from_code("math:sqrt", "the reward")(4.0)
    2.0
    """
    module, attribute = _split(name, what)
    imported = _imported(module, name, what)
    try:
        return functools.reduce(getattr, attribute.split("."), imported)
    except AttributeError:
        public = [each for each in vars(imported) if not each.startswith("_")]
        raise UsageError(f"{what}: the module '{module}' has no '{attribute}'. {nearest(attribute, public)}") from None


def module_of(name: str, what: str) -> str:
    """The module in `module:attribute`, by its name alone: nothing is imported. Raises UsageError as `from_code`.

    >>> module_of("shop.rewards:profit", "the reward")
    'shop.rewards'
    """
    return _split(name, what)[0]


def check_allowed(code: Iterable[str], allowed: Iterable[str], source: str) -> None:
    """Raise UsageError where what stands in `source`, a file, would import code that the caller did not allow.

    code: the modules. allowed: those that the caller names.
    """
    lacking = sorted(set(code) - set(allowed))
    if lacking:
        named, options = ", ".join(lacking), " ".join(f"--allow-code {module}" for module in lacking)
        raise UsageError(
            f"{source} imports code to train: {named}. A file may not do that unasked. Look at that code, and if you "
            f"trust it, say {options}; in Python gw.Recipe.load(PATH, allow_code={lacking})."
        )


def _split(name: object, what: str) -> tuple[str, str]:
    found = _NAME.fullmatch(name.strip()) if isinstance(name, str) else None
    if found is None:
        raise UsageError(f"{what} is {name!r}. Expected module:attribute, such as rewards:profit (of rewards.py).")
    return found[1], found[2]


def _imported(module: str, name: str, what: str) -> Any:
    try:
        with _here_first():
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise _broken(module, what, error) from error
        raise UsageError(
            f"{what} is '{name}', but there is no module '{error.name}' in {os.getcwd()} or among the installed "
            f"packages. Call it from the folder with {error.name.rpartition('.')[2]}.py, or correct the name."
        ) from None
    except (Exception, SystemExit) as error:
        raise _broken(module, what, error) from error


def _broken(module: str, what: str, error: BaseException) -> UsageError:
    told = str(error).splitlines()[0] if str(error) else "without a message"
    return UsageError(
        f"{what}: the module '{module}' can't be imported: {type(error).__name__}: {told}. "
        f"Mend it until `python -c 'import {module}'` works."
    )


@contextmanager
def _here_first() -> Iterator[None]:
    """The current folder at the head of the path, as it is for `python -m`; afterwards at its end, for what the module
    imports later, so that no file in it hides a package from the rest of the process."""
    here = os.getcwd()
    sys.path.insert(0, here)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(here)
        if here not in sys.path:
            sys.path.append(here)
