"""How models saved in an older format are read: one step a format, each of which leads to the next.

The format is the number of the steps and one. Where a change of the code would make saved models unreadable, or would
read them wrongly, append a `Migration` to `MIGRATIONS`; nothing else says the number. Names of parameters count as
well: they are those in the file of weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

Manifest = dict[str, Any]
Weights = dict[str, "Tensor"]


def _same(content: Any) -> Any:
    return content


@dataclass(frozen=True)
class Migration:
    """A step from one format to the next. It may change what it is given, and gives it back.

    why: what the code does otherwise from then on. manifest: all of model.json. weights: by name, all tensors.
    A step looks at nothing but what it needs: what it does not find raises KeyError, TypeError and the like, and the
    model counts as damaged.
    """

    why: str
    manifest: Callable[[Manifest], Manifest] = _same
    weights: Callable[[Weights], Weights] = _same


def _alone(manifest: Manifest) -> Manifest:
    for column in manifest["schema"]:
        column.setdefault("join", [])
    return manifest


def _towers_say_their_bias(manifest: Manifest) -> Manifest:
    for head in manifest["heads"].values():
        name, _, settings = head["spec"].partition(":")
        if name == "towers":
            numbers, bias = divmod(head["outputs"] - 1, 2)
            head["outputs"] = 2 * numbers
            head["spec"] = f"{name}:{','.join(filter(None, [settings, 'bias=true']))}" if bias else head["spec"]
    return manifest


MIGRATIONS: tuple[Migration, ...] = (
    Migration("text columns can be read in one sequence", _alone),
    Migration("towers say by a setting that they learn a bias", _towers_say_their_bias),
    Migration("a model may have members in place of a network", _same),
)
"""The first leads from format 1, that of version 0.1, to 2."""


def newest_format() -> int:
    """The format that is written, and the newest that is read."""
    return len(MIGRATIONS) + 1


def migrated(manifest: Manifest, folder: Path) -> Manifest:
    """What model.json would say had it been written today; `manifest` may change.

    Its `format` stays what it was, which `migrated_weights` reads.

    The seal has been looked at before; types are checked afterwards. Raises ModelError for a format that is no number,
    or newer, and where a step does not find what it needs.
    """
    found, newest = manifest.get("format", newest_format()), newest_format()
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise ModelError(
            f"{folder} is a damaged model: its format is {found!r}, expected a number from 1 to {newest}. "
            "Copy or train it again."
        )
    if found > newest:
        raise ModelError(
            f"{folder} was saved by graftwork {manifest.get('graftwork')} in format {found}, and this one "
            f"reads the formats up to {newest}. Install the version that wrote it, or a later one."
        )
    for step in MIGRATIONS[found - 1 :]:
        try:
            manifest = step.manifest(manifest)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise ModelError(
                f"{folder} is a damaged model: it does not hold what a model of format {found} does ({error!r}). "
                "Copy or train it again."
            ) from None
    return manifest


def migrated_weights(weights: Mapping[str, Tensor], manifest: Mapping[str, Any]) -> Weights:
    """All tensors of a model by their names of today. manifest: what was read of the same folder.

    Raises KeyError where a tensor is missing that a step needs."""
    changed = dict(weights)
    for step in MIGRATIONS[manifest["format"] - 1 :]:
        changed = step.weights(changed)
    return changed
