"""`--between lr=1e-4+3e-4`: the values of a setting that an ablation compares, and the recipe with each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from graftwork import specs
from graftwork.errors import UsageError, nearest
from graftwork.recipe import Recipe, with_settings

_NOT_COMPARED = {
    "seed": "each repeat has a seed of its own already.",
    "metric": "scores by different metrics can't be compared.",
    "task": "scores of different tasks can't be compared.",
}
_PLUS = re.compile(r"(?<![0-9][eE])\+")


@dataclass(frozen=True)
class Between:
    """A setting and the values to compare, the first of which is what the others are held against."""

    setting: str
    values: tuple[str, ...]

    def called(self, value: str) -> str:
        """What the arm with this value is called."""
        return f"{self.setting}={value}"


def parse_between(items: Sequence[str]) -> tuple[Between, ...]:
    """From `SETTING=VALUE+VALUE` each.

    >>> parse_between(["lr=1e-4+3e-4", "lora.rank=4+16"])[1]
    Between(setting='lora.rank', values=('4', '16'))
    """
    found: dict[str, Between] = {}
    for item in items:
        setting, equals, given = item.partition("=")
        values = tuple(value.strip() for value in _PLUS.split(given))
        if not equals or not setting.strip() or len(values) < 2 or not all(values):
            raise UsageError(f"--between {item}: expected SETTING=VALUE+VALUE, such as lr=1e-4+3e-4.")
        if setting.strip() in _NOT_COMPARED:
            raise UsageError(f"--between {item}: {_NOT_COMPARED[setting.strip()]} Name another setting.")
        if len(set(values)) < len(values):
            raise UsageError(f"--between {item}: a value stands there twice. Name each once.")
        setting = setting.strip()
        if setting in found:
            raise UsageError(f"--between {setting} is given twice. Name all its values at once, with + between them.")
        found[setting] = Between(setting, values)
    return tuple(found.values())


def with_value(recipe: Recipe, setting: str, value: str) -> Recipe:
    """The recipe with a setting changed: one that `--set` knows, or `technique.setting` of a technique that it lists.

    Raises UsageError for a setting that there is not.
    """
    owner, dot, name = setting.partition(".")
    listed = {technique.name: technique for technique in recipe.listed}
    if not dot or owner == "text":
        return with_settings(recipe, {setting: value})
    if owner not in listed:
        raise UsageError(f"--between {setting}: the recipe has no technique '{owner}'. {nearest(owner, listed)}")
    technique = listed[owner]
    settings = asdict(technique) | {name.replace("-", "_"): value}
    changed = specs.build(type(technique), settings, f"--between {setting}, technique '{owner}'")
    return replace(recipe, techniques=[changed if one is technique else one for one in recipe.listed])
