"""What reads an input of images or sounds where none is named: the best that is at hand, else one from scratch."""

from __future__ import annotations

from collections.abc import Collection

from graftwork.bases.catalogue import known
from graftwork.data.table import Input
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import parse_base
from graftwork.runs.job.choice import Choice, at_hand, offer
from graftwork.shown import counted
from graftwork.tasks.capabilities import Verifies
from graftwork.tasks.task import Task

IMAGES, SPEECH, VOICES = "efficientnet-lite0", "whisper-base", "ge2e-speaker"


def image_choice(one: Input, base: BaseSettings, rows: int) -> Choice:
    """base: the usual one, from scratch."""
    if at_hand(IMAGES):
        return Choice(parse_base(IMAGES), reason=f"base: {IMAGES} is chosen for '{one.name}' (images)")
    return _from_scratch(one, base, rows, "images", IMAGES, "images")


def sound_choice(one: Input, base: BaseSettings, rows: int, tasks: Collection[Task]) -> Choice:
    """base: the usual one, from scratch. Where rows are compared to tell whose they are, they are taken for voices."""
    compared = any(isinstance(task, Verifies) for task in tasks)
    if compared and at_hand(VOICES):
        return Choice(
            parse_base(VOICES),
            reason=f"base: {VOICES} is chosen for '{one.name}', because identities are compared (of voices, it is "
            "taken; for other sounds name another base)",
        )
    found = [entry for entry in known().values() if entry.reads == "audio" and at_hand(entry.name)]
    if not found:
        return _from_scratch(one, base, rows, "sounds", VOICES if compared else SPEECH, "audio")
    largest_first = sorted(found, key=lambda entry: -entry.size)
    options = (*(entry.name for entry in largest_first), base.spec)
    better = f"base: {VOICES} usually tells voices apart better: {offer(VOICES)}" if compared and offer(VOICES) else ""
    return Choice(parse_base(options[0]), options=options, reason=better)


def _from_scratch(one: Input, base: BaseSettings, rows: int, what: str, better: str, page: str) -> Choice:
    """A base that knows nothing yet, and what would."""
    gives = f"{offer(better)}, or " if offer(better) else ""
    return Choice(
        base,
        warning=f"base: no pretrained base for {what} is named, so {base.spec} learns '{one.name}' from your "
        f"{counted(rows)} alone; a pretrained one usually scores far better: {gives}--base {one.modality}=FOLDER or a "
        f"hub id (docs/{page}.md)",
    )
