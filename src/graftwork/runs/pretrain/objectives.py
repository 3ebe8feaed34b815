"""The pretext tasks to choose from, and how each is usually run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

from graftwork import specs
from graftwork.data.table import Modality
from graftwork.errors import UsageError, nearest
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import BASES, DEFAULTS, parse_base
from graftwork.tasks.pretext.pretext import Pretext
from graftwork.tasks.registry import TASKS

AUTO = "auto"
WORDS: dict[Modality, str] = {"text": "texts", "image": "pictures", "audio": "sounds", "table": "numbers"}


VIEWS = "colour:brightness=0.4,contrast=0.4,saturation=0.4,hue=0.1"
"""What makes two views of a picture, beside crops; it needs the extra `augment`."""


@dataclass(frozen=True)
class Usual:
    """How an objective is run where nobody says otherwise. techniques: as a recipe writes them. scratch, continued:
    passes over the rows of a base with random weights, and of one that was trained elsewhere. batch: rows a step."""

    techniques: tuple[str, ...]
    scratch: float
    continued: float
    batch: int = 32


USUAL: dict[str, Usual] = {
    "masked-language": Usual(("full",), 20, 5),
    "simclr": Usual(("full", "crop:scale=0.25,pad=0", "flip", VIEWS), 60, 20, batch=128),
    "masked-image": Usual(("full", "crop:scale=0.5,pad=0", "flip"), 60, 20, batch=64),
    "masked-mel": Usual(("full",), 60, 20),
}
"""By name, in the order in which "auto" takes the first that reads the kind."""


def usual(objective: str) -> tuple[Usual, str]:
    """How an objective is usually run, and what is to be said of it: that something is left out which needs a package
    that is not there."""
    found = USUAL.get(specs.name_of(objective), Usual(("full",), 20, 5))
    if VIEWS not in found.techniques or find_spec("kornia") is not None:
        return found, ""
    less = replace(found, techniques=tuple(one for one in found.techniques if one != VIEWS))
    return less, (
        "views: colours stay as they are, since the package kornia is missing, and bases learn less from crops alone: "
        "pip install graftwork[augment]"
    )


def objectives() -> dict[str, type[Pretext]]:
    """The pretext tasks by name, those of other packages behind our own."""
    found = {name: task for name, task in TASKS.usable.items() if issubclass(task, Pretext)}
    return {name: found[name] for name in [*(n for n in USUAL if n in found), *(n for n in found if n not in USUAL)]}


def chosen(objective: str, kinds: Sequence[Modality], base: str, source: str) -> tuple[str, type[Pretext]]:
    """The objective's spec and its task. kinds: that the corpus holds; base: as it was named.

    Raises UsageError for one that there is not, one that reads another kind than the base or the corpus holds, and
    where the corpus holds several kinds and nothing says which one is meant.
    """
    known = objectives()
    reads = None if base == AUTO else parse_base(base).modality
    if objective == AUTO:
        return _by_kind(known, reads, kinds, source)
    name = specs.name_of(objective)
    if name not in known:
        raise UsageError(f"There is no objective '{name}'. {nearest(name, [AUTO, *known])}")
    task = known[name]
    if reads is not None and reads != task.reads:
        raise UsageError(
            f"The objective {name} reads {WORDS[task.reads]}, and the base '{base}' reads {WORDS[reads]}. "
            f"{_for_kind(known, reads)} Bases that {name} can train: {_bases(task.reads)}."
        )
    if task.reads not in kinds:
        raise UsageError(
            f"{source}: the objective {name} reads {WORDS[task.reads]}, and there are none; it has "
            f"{_listed(kinds)}. {' '.join(_for_kind(known, kind) for kind in kinds)}"
        )
    return objective, task


def base_for(base: str, reads: Modality, size: str | None) -> BaseSettings:
    """The base that is trained, in the size that is asked for. Raises UsageError for a size that it does not have."""
    settings = parse_base(DEFAULTS[reads] if base == AUTO else base, reads)
    if size is None:
        return settings
    if size not in settings.sizes:
        if not settings.sizes:
            sized = ", ".join(name for name, each in BASES.usable.items() if each.sizes and each.modality == reads)
            raise UsageError(f"The base '{settings.spec}' has one size: leave out --size. Bases with several: {sized}.")
        raise UsageError(f"--size {size}: {nearest(size, settings.sizes)}")
    given = specs.changed_settings(settings)
    return specs.parse({settings.name: {**settings.sizes[size], **given}}, BASES, "base")


def _by_kind(
    known: dict[str, type[Pretext]], reads: Modality | None, kinds: Sequence[Modality], source: str
) -> tuple[str, type[Pretext]]:
    """The first objective for what the base reads; without a base for the only kind that the corpus holds."""
    readable = [kind for kind in kinds if any(task.reads == kind for task in known.values())]
    if reads is not None and reads not in kinds:
        raise UsageError(
            f"{source} holds {_listed(kinds)}, and the base that is named reads {WORDS[reads]}. "
            f"Choose a base for what is there{_of(kinds)}."
        )
    wanted = [reads] if reads is not None else readable
    fitting = [(name, task) for name, task in known.items() if task.reads in wanted]
    if not fitting:
        every = ", ".join(f"{name} ({WORDS[task.reads]})" for name, task in known.items())
        raise UsageError(f"{source} holds {_listed(kinds)}, and no objective reads that. Objectives: {every}.")
    if len(wanted) > 1:
        raise UsageError(
            f"{source} holds {_listed(readable)}. Say what is to be pretrained: --objective "
            f"{' or '.join(dict.fromkeys(_for_kind_name(known, kind) for kind in wanted))}."
        )
    return fitting[0]


def _for_kind_name(known: dict[str, type[Pretext]], kind: Modality) -> str:
    return next(name for name, task in known.items() if task.reads == kind)


def _for_kind(known: dict[str, type[Pretext]], kind: Modality) -> str:
    names = [name for name, task in known.items() if task.reads == kind]
    return f"Objectives for {WORDS[kind]}: {', '.join(names)}." if names else f"None is for {WORDS[kind]}."


def _bases(kind: Modality) -> str:
    return ", ".join(name for name, each in BASES.usable.items() if each.modality == kind)


def _of(kinds: Sequence[Modality]) -> str:
    return f": {_bases(kinds[0])}" if len(kinds) == 1 else ""


def _listed(kinds: Sequence[Modality]) -> str:
    return " and ".join(WORDS[kind] for kind in kinds) or "nothing to read"
