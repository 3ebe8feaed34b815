"""Which bases can be had and which are here, with what is to be known before one takes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graftwork.bases.catalogue import Entry, known
from graftwork.bases.home import at_hand, home
from graftwork.bases.source import packages_told, plain_package, source_in
from graftwork.data.table import Modality


@dataclass(frozen=True, kw_only=True)
class ListedBase:
    """A base that can be had, or was fetched by its hub id.

    name: what `--base` takes. uses: what `get` takes too. reads: None where a model of the hub does not say it.
    parameters, size: how many, and bytes on the disk; 0 where that is not known before. licence: an SPDX identifier, or
    "unknown", with a remark where there is one. source: who has it, in which version, uploaded by whom. form: whole
    weights, or ones in fewer bits. hub: the authors' own. folder: where it lies, None where it is not here.
    """

    name: str
    uses: tuple[str, ...] = ()
    summary: str = ""
    reads: Modality | None = None
    languages: str = ""
    parameters: int = 0
    size: int = 0
    fetched: int = 0
    licence: str = "unknown"
    licence_note: str = ""
    source: str = ""
    form: str = ""
    hub: str | None = None
    folder: Path | None = None


def listed() -> list[ListedBase]:
    """All bases that can be had, and those that were fetched by their hub ids. Looks at no network.

    >>> "minilm" in [base.name for base in listed()]
    True
    """
    return [*(_of_entry(entry) for entry in known().values()), *_of_hub()]


def _of_entry(entry: Entry) -> ListedBase:
    folder = at_hand(entry.name)
    told, form = packages_told([plain_package(package) for package in entry.packages]), entry.form
    if folder is not None and (source := source_in(folder)) is not None:
        told, form = source.told, source.form
    return ListedBase(
        name=entry.name,
        uses=entry.uses,
        summary=entry.summary,
        reads=entry.reads,
        languages=entry.languages,
        parameters=entry.parameters,
        size=entry.size,
        fetched=entry.fetched,
        licence=entry.licence,
        licence_note=entry.licence_note,
        source=told,
        form=form,
        hub=entry.hub,
        folder=folder,
    )


def _of_hub() -> list[ListedBase]:
    root = home() / "bases" / "hub"
    found = []
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        source = source_in(folder)
        if source is not None:
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
            found.append(
                ListedBase(
                    name=source.name,
                    size=size,
                    licence=source.licence,
                    source=source.told,
                    form=source.form,
                    hub=source.hub,
                    folder=folder,
                )
            )
    return found
