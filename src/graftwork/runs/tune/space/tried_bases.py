"""Which bases a tune tries for each input: those that are here and read it, or those that the user names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from graftwork import specs
from graftwork.bases.catalogue import known
from graftwork.bases.home import at_hand, fetched_from_hub
from graftwork.data.table import Input, Modality
from graftwork.errors import UsageError
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import BASES, DEFAULTS, check_base, parse_base, written
from graftwork.recipe import Recipe
from graftwork.runs.bases.affordable import MEMORY
from graftwork.runs.bases.memory import free_memory
from graftwork.runs.job.base_choice import sampled_texts
from graftwork.runs.job.choice import Choice
from graftwork.runs.job.job import Job
from graftwork.runs.job.media_choice import VOICES
from graftwork.runs.job.text_choice import fitted_to_lengths

FROM_SCRATCH: dict[Modality, tuple[str, ...]] = {
    "text": ("cnn", "gru"),
    "image": ("small-cnn",),
    "audio": ("mel-cnn",),
    "table": ("table-mlp", "ft-transformer"),
}
"""Bases that are trained from scratch, by what they read. Of texts and images only where no pretrained one is here, of
numbers and categories only where nothing else is read: a pretrained base beside one that begins from nothing would have
to be trained whole, and can't be probed."""
LARGE = 60_000_000
"""Parameters from which a base needs `MEMORY` free."""
Kind = Literal["solved", "tuned", "scratch"]


@dataclass(frozen=True)
class Tries:
    """What the user wants tried. bases: by spec, `minilm`, or for one input, `photo=./folder`; empty for those that are
    here and suit. techniques: as written, `mixup` or `mixup:alpha=0.3`; empty for those that suit. large: whether bases
    of `LARGE` are among those that are here."""

    bases: Sequence[str] = ()
    techniques: Sequence[str] = ()
    large: bool = True


def bases_tried(job: Job, recipe: Recipe, tries: Tries) -> dict[str, tuple[BaseSettings, ...]]:
    """By input, its bases: first the job's own, then the others, the cheapest first and those from scratch last.

    A base that the user named when the job was made stays, unless `tries` names others to be tried beside it.
    Raises UsageError for a base of `tries` that no input can be read with, ModelError for a folder that is none.
    """
    inputs = recipe.read(job.train.schema)
    own = own_bases(job, recipe)
    given = _given(tries.bases, inputs)
    found = {}
    for one in inputs:
        if given:
            more = given[one.name]
        elif one.name not in job.bases.free:
            more = []
        else:
            more = _suiting(one, own[one.name], alone=len(inputs) == 1, large=tries.large)
        read = [_as_read(job, recipe, one, base.for_input(one.name)) for base in more]
        others = {base.spec: base for base in read if core_of(base) != core_of(own[one.name])}
        found[one.name] = (own[one.name], *sorted(others.values(), key=cost_of))
    return found


def own_bases(job: Job, recipe: Recipe) -> dict[str, BaseSettings]:
    """What the job reads each input with, as it was settled."""
    bases = recipe.bases(job.train.schema)
    chosen = {name: choice.base for name, choice in job.bases.each.items()}
    return {name: chosen.get(name, base) for name, base in bases.items()}


def candidate_bases(job: Job, recipe: Recipe, tries: Tries) -> list[Recipe]:
    """The recipe with each further base that is here and reads these inputs, one input changed at a time: the cheapest
    first, those from scratch last. Raises as `bases_tried` does."""
    own = own_bases(job, recipe)
    others = [(name, base) for name, bases in bases_tried(job, recipe, tries).items() for base in bases[1:]]
    ordered = sorted(others, key=lambda pair: cost_of(pair[1]))
    return [replace(recipe, base=written({**own, name: base})) for name, base in ordered]


def kind_of(base: BaseSettings) -> Kind:
    """What becomes of it: nothing but a head is solved on it, it is tuned or left frozen, or it begins from nothing."""
    if not base.pretrained:
        return "scratch"
    return "tuned" if base.suggested_lr else "solved"


def cost_of(base: BaseSettings) -> tuple[bool, int, str]:
    """Less is cheaper: those that have to be trained from scratch last, then by the bytes of their weights."""
    return not base.pretrained, _bytes(base), base.spec


def _bytes(base: BaseSettings) -> int:
    entry = known().get(base.name)
    if entry is not None:
        return entry.size
    place = base.weights()
    folder = None if place is None else fetched_from_hub(place) or Path(place).expanduser()
    if folder is None or not folder.is_dir():
        return 0
    return sum(file.stat().st_size for file in folder.rglob("*.safetensors"))


def _given(wanted: Sequence[str], inputs: Sequence[Input]) -> dict[str, list[BaseSettings]]:
    """The bases that the user names, by input; empty where none is named."""
    found: dict[str, list[BaseSettings]] = {one.name: [] for one in inputs} if wanted else {}
    for spec in wanted:
        use, equals, alone = spec.partition("=")
        named = bool(equals) and not set(use) & set(":/\\")
        places = [one for one in inputs if not named or use in (one.name, one.modality)]
        if not places:
            uses = ", ".join(dict.fromkeys(part for one in inputs for part in (one.name, one.modality)))
            raise UsageError(f"--try-base {spec}: there is no input '{use}'. Expected one of: {uses}.")
        reading = []
        for one in places:
            base = parse_base(alone if named else spec, one.modality if named or len(inputs) == 1 else None)
            check_base(base)
            reading += [(one.name, base)] if base.modality == one.modality else []
        if not reading:
            kinds = " and ".join(dict.fromkeys(one.modality for one in places))
            raise UsageError(f"--try-base {spec}: this base reads {base.modality}, but here is {kinds} to be read.")
        for name, base in reading:
            found[name].append(base)
    return found


def room_for_large() -> bool:
    """Whether there is as much memory free as large bases take, as far as that is known."""
    free = free_memory()
    return free is None or free >= MEMORY


def _suiting(one: Input, own: BaseSettings, *, alone: bool, large: bool) -> list[BaseSettings]:
    """Bases that are here, read such an input and may be used, and those from scratch that are worth a try."""
    names = [name for name in _here(one.modality, large=large) if _suits(name, own)]
    pretrained = [parse_base(name) for name in names]
    if one.modality == "table":
        return [parse_base(DEFAULTS["table"]), *(map(parse_base, FROM_SCRATCH["table"]) if alone else ())]
    learned = (alone and one.modality == "audio") or not (pretrained or own.pretrained)
    return [*pretrained, *(map(parse_base, FROM_SCRATCH[one.modality]) if learned else ())]


def _here(modality: Modality, *, large: bool) -> list[str]:
    return [
        entry.name
        for entry in known().values()
        if entry.reads == modality
        and entry.commercial
        and entry.name in BASES
        and at_hand(entry.name) is not None
        and (large or entry.parameters < LARGE)
    ]


def _suits(name: str, own: BaseSettings) -> bool:
    """Not an English base for texts that the job reads by one of many languages, or by one from scratch, since no
    English one could; nor one for voices, unless it is the job's own."""
    if name == VOICES:
        return own.name == VOICES
    entry, chosen = known()[name], known().get(own.name)
    if entry.reads != "text" or entry.languages != "English":
        return True
    return own.pretrained and (chosen is None or chosen.languages == "English")


def _as_read(job: Job, recipe: Recipe, one: Input, base: BaseSettings) -> BaseSettings:
    """The base as it reads the texts of an input: more of long ones where that pays and nothing else is named."""
    if one.modality != "text":
        return base
    texts = sampled_texts(job.train, one.columns, recipe.text)
    return fitted_to_lengths(one, Choice(base), texts).base


def core_of(base: BaseSettings) -> Mapping[str, object]:
    """What makes two bases the same one to be tried: all but what is fitted to the texts or searched."""
    left = {"windows", "max_length", "keep", *type(base).searched}
    changed = {name: value for name, value in specs.changed_settings(base).items() if name not in left}
    return {"name": base.name, **changed}
