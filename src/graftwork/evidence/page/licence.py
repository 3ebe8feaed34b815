"""The licence section of the model card: what binds the model, by what it was made from."""

from __future__ import annotations

from graftwork.bases.origin import Origin
from graftwork.bases.provenance import Provenance, TableUsed
from graftwork.evidence.page.markdown import plain

_OWNER = (
    "*Under which licence this model itself is given away is to be filled in by the owner, and that of the training "
    "data with it: both licences bind the model too.*"
)
_HEAD = "| base | licence | commercial use | source |\n|---|---|---|---|"


def licence_section(provenance: Provenance) -> str:
    """Each base with its licence and source, the tables, and what the owner has to add."""
    parts = ["## Licence"]
    rows = [_row(base.origin) for base in provenance.bases]
    if rows:
        parts.append("\n".join([_HEAD, *rows]))
    elif provenance.known:
        parts.append("It was trained from scratch, so no base's licence binds it.")
    parts += [f"**{plain(warning[0].upper() + warning[1:])}.**" for warning in provenance.warnings]
    if provenance.models:
        parts.append(f"It was made from other models: {', '.join(map(plain, provenance.models))}.")
    tables = [f"- {plain(one.name)}: {one.rows:,} rows ({_use(one)})" for one in provenance.tables]
    if tables:
        parts.append("Tables:\n\n" + "\n".join(tables) + "\n\nTheir hashes stand in provenance.json.")
    return "\n\n".join([*parts, _OWNER])


def _row(origin: Origin) -> str:
    hub = f"{origin.hub} on the hub" if origin.hub else ""
    source = ", ".join(filter(None, [hub, f"uploaded by {origin.by}" if origin.by else ""]))
    allowed = "allowed" if origin.commercial else "not known to be allowed"
    return f"| {plain(origin.name)} | {plain(origin.licence)} | {allowed} | {plain(source)} |"


def _use(table: TableUsed) -> str:
    return f"{table.use} of {plain(table.learner)}" if table.learner else table.use
