"""Where the bases of a run come from: of each its origin, of one that was tuned before all that it was made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from graftwork.bases.origin import origin_of
from graftwork.bases.provenance import BaseUsed, Provenance, TableUsed
from graftwork.errors import GraftworkError
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import DEFAULTS, FROM_PATH, parse_base
from graftwork.networks.bases.saved import saved_inputs
from graftwork.networks.manifest import is_model, provenance_in, read_manifest


def made_from(bases: Mapping[str, BaseSettings], *, hashed: bool = True) -> Provenance:
    """What is known of these bases, by input, before a model learns: those with pretrained weights, and of models that
    were tuned before their own bases, and the tables that they learned from.

    hashed: whether weights are read for their checksums."""
    used: dict[BaseUsed, tuple[str, ...]] = {}
    tables: list[TableUsed] = []
    models: list[str] = []
    for name, base in bases.items():
        for one in _origins(base, hashed, tables, models):
            bare = replace(one, inputs=())
            used[bare] = (*used.get(bare, ()), name)
    return Provenance(
        bases=tuple(replace(one, inputs=inputs) for one, inputs in used.items()),
        tables=tuple(dict.fromkeys(tables)),
        models=tuple(dict.fromkeys(models)),
    )


def _origins(base: BaseSettings, hashed: bool, tables: list[TableUsed], models: list[str]) -> Sequence[BaseUsed]:
    """Of one base: none where it begins from scratch, or several."""
    try:
        where = base.weights()
    except GraftworkError:  # it is not installed, or was not fetched: whoever builds it says so
        return ()
    if where is None:
        return ()
    folder = Path(where).expanduser()
    if is_model(folder):
        return _tuned(base, folder, hashed, tables, models)
    name = None if base.name in FROM_PATH.values() else base.name
    return [BaseUsed(origin=origin_of(name, where, hashed=hashed), reads=base.modality)]


def _tuned(
    base: BaseSettings, folder: Path, hashed: bool, tables: list[TableUsed], models: list[str]
) -> Sequence[BaseUsed]:
    """Of a base that is a model of ours: what it was made from."""
    name = folder.absolute().name
    provenance = provenance_in(folder, read_manifest(folder))
    models += [name, *provenance.models]
    tables += [replace(table, learner=table.learner or name) for table in provenance.tables]
    if provenance.known:
        return [one for one in provenance.bases if one.reads == base.modality]
    found = list[BaseUsed]()
    for spec in {one.base for one in saved_inputs(folder) if one.modality == base.modality}:
        try:
            earlier = parse_base(DEFAULTS[base.modality] if spec == "auto" else spec, base.modality)
        except GraftworkError:
            continue
        found += _origins(earlier, hashed, tables, models)
    return found
