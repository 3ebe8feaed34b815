"""What a tracker does with what it is told: `tensorboard` writes files of curves, `mlflow` runs of a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

Setting = bool | int | float | str
End = Literal["finished", "failed", "stopped"]


class Writer(Protocol):
    """Writes the curves of the runs of one call. Any method may raise whatever a disk or a server makes of it."""

    def begin(self, run: str, step: int, settings: Mapping[str, Setting]) -> None:
        """A run is there, or goes on: `step` is the first of which something is told, and what was told before of that
        and later ones no longer counts."""

    def say(self, run: str, step: int, text: str) -> None:
        """Something about the run, of several lines."""

    def scalars(self, run: str, step: int, values: Mapping[str, float]) -> None:
        """Values after a step, by name."""

    def end(self, run: str, how: End) -> None:
        """Nothing more comes of this run, unless it begins again."""

    def close(self, how: End, notes: str, files: Sequence[Path]) -> None:
        """The call is over. notes: what was said of it, a line each. files: that go with it, where such are kept."""

    def drop(self) -> None:
        """Let go of what is open and write nothing more: something has failed."""


def flat(recipe: Mapping[str, object]) -> dict[str, Setting]:
    """The settings of a recipe by name, one value each; techniques by their own names.

    >>> flat({"base": "gru", "techniques": [{"lora": {"rank": 4}}], "training": {"lr": 0.1}})
    {'base': 'gru', 'lora': True, 'lora.rank': 4, 'lr': 0.1}
    """
    found: dict[str, Setting] = {}
    for name, value in recipe.items():
        if name == "techniques" and isinstance(value, Sequence) and not isinstance(value, str):
            for one in value:
                for technique, settings in one.items():
                    found[technique] = True
                    found |= {f"{technique}.{each}": _plain(given) for each, given in settings.items()}
        elif name == "training" and isinstance(value, Mapping):
            found |= {each: _plain(given) for each, given in value.items()}
        elif isinstance(value, Mapping):
            found |= {f"{name}.{each}": _plain(given) for each, given in value.items()}
        else:
            found[name] = _plain(value)
    return found


def _plain(value: object) -> Setting:
    return value if isinstance(value, bool | int | float | str) else str(value)
