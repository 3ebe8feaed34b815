"""The techniques by name: each is one file in a folder of this one, and is found by its `name`."""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

from graftwork import specs
from graftwork.core.technique import Technique
from graftwork.discovery.registry import Registry
from graftwork.discovery.room import classes, homes
from graftwork.errors import UsageError

TECHNIQUES: Registry[type[Technique]] = Registry(
    "technique", Technique, partial(classes, __name__), group="graftwork.techniques"
)


def __getattr__(name: str) -> Any:
    """The class of a technique, imported when it is first used."""
    if name == "__all__":
        return sorted(["TECHNIQUES", "at_prediction", *homes(__name__)])
    if not name[:1].isupper() or name not in homes(__name__):
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(homes(__name__)[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *homes(__name__)])


def at_prediction(given: Technique | str) -> Technique:
    """The technique of a spec such as "tta:views=4". Raises UsageError for one that does nothing at prediction."""
    technique = specs.parse(given, TECHNIQUES, "technique") if isinstance(given, str) else given
    if not technique.acts_at_prediction:
        known = [name for name, each in TECHNIQUES.own.items() if each.predict is not Technique.predict]
        raise UsageError(
            f"{technique.name} acts in training alone, so a finished model can't take it. At prediction there are: "
            f"{', '.join(sorted(known))}."
        )
    return technique
