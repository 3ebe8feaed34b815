"""Provenance as a CycloneDX 1.6 document with its part for machine learning (ECMA-424), and back: plain JSON data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from graftwork.bases.licences import COMMERCIAL, UNKNOWN
from graftwork.bases.origin import Origin
from graftwork.bases.provenance import NOT_KNOWN, BaseUsed, Provenance, TableUsed, Use
from graftwork.data.store.typed import misfit
from graftwork.errors import ModelError

MODEL = "model"
"""The reference of the model itself in its document."""
_OURS = "graftwork:"
"""Before the names of properties that CycloneDX has no place for."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What the document says of the model itself. name: what it predicts from what. inputs: their kinds, by name.
    outputs: the tasks, by target. recipe: as YAML, without folders. parameters: how many."""

    name: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    recipe: str
    parameters: int


def to_cyclonedx(provenance: Provenance, about: About) -> dict[str, Any]:
    """The document. The same model gives the same one: it holds no time and no serial number."""
    bases = [_base(at, base) for at, base in enumerate(provenance.bases)]
    tables = [_table(at, table) for at, table in enumerate(provenance.tables)]
    libraries = [_library(name, version) for name, version in provenance.versions.items()]
    recipe = {
        "type": "data",
        "bom-ref": "recipe",
        "name": "recipe.yaml",
        "data": [_data("configuration", "recipe.yaml", about.recipe, "application/yaml")],
    }
    components = [*bases, *tables, *libraries, recipe]
    refs = [component["bom-ref"] for component in components]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": _model(provenance, about, tables)},
        "components": components,
        "dependencies": [{"ref": MODEL, "dependsOn": refs}, *({"ref": ref} for ref in refs)],
        "compositions": [{"aggregate": "complete" if provenance.known else "unknown", "assemblies": [MODEL]}],
    }


def from_cyclonedx(told: Any, called: str) -> Provenance:
    """What a document says that `to_cyclonedx` made. Raises ModelError where it is none. called: for the message."""
    try:
        components = told["components"]
        model = _properties(told["metadata"]["component"])
        found = Provenance(
            bases=tuple(_base_of(one) for one in components if one["type"] == "machine-learning-model"),
            tables=tuple(_table_of(one) for one in components if one["bom-ref"].startswith("table-")),
            versions={one["name"]: one["version"] for one in components if one["type"] == "library"},
            models=tuple(model.get("models", "").split("\n")) if model.get("models") else (),
            known=told["compositions"][0]["aggregate"] == "complete",
        )
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelError(f"{called} is damaged ({type(error).__name__}: {error}). Train the model again.") from None
    wrong = misfit(found, Provenance)
    if wrong:
        raise ModelError(f"{called} is damaged: {wrong}. Train the model again.")
    return found if found.known else NOT_KNOWN


def _model(provenance: Provenance, about: About, tables: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    unlabelled = any(table.use == "unlabelled" for table in provenance.tables)
    card: dict[str, Any] = {
        "modelParameters": {
            "approach": {"type": "semi-supervised" if unlabelled else "supervised"},
            "task": ", ".join(dict.fromkeys(about.outputs.values())),
            "datasets": [{"ref": table["bom-ref"]} for table in tables],
            "inputs": [{"format": kind} for kind in about.inputs.values()],
            "outputs": [{"format": task} for task in about.outputs.values()],
        }
    }
    if provenance.warnings:
        card["considerations"] = {"technicalLimitations": list(provenance.warnings)}
    ours = {"inputs": ", ".join(about.inputs), "targets": ", ".join(about.outputs), "parameters": str(about.parameters)}
    if provenance.models:
        ours["models"] = "\n".join(provenance.models)
    return {
        "type": "machine-learning-model",
        "bom-ref": MODEL,
        "name": about.name,
        "modelCard": card,
        "properties": _listed(ours),
    }


def _base(at: int, base: BaseUsed) -> dict[str, Any]:
    origin = base.origin
    ours = {"inputs": "\n".join(base.inputs), "reads": base.reads, "commercial-use": _word(origin.commercial)}
    ours |= {name: value for name, value in (("hub", origin.hub), ("by", origin.by)) if value}
    component: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": f"base-{at}",
        "name": origin.name,
        "licenses": [{"license": _licence(origin.licence)}],
        "modelCard": {"modelParameters": {"inputs": [{"format": base.reads}]}},
        "properties": _listed(ours),
    }
    if origin.revision:
        component["version"] = origin.revision
    if origin.sha256:
        component["hashes"] = _hashes(origin.sha256)
    if origin.hub:
        component["externalReferences"] = [{"type": "distribution", "url": f"https://huggingface.co/{origin.hub}"}]
    return component


def _licence(name: str) -> dict[str, str]:
    return {"id": name} if name in COMMERCIAL else {"name": name}


def _base_of(component: Mapping[str, Any]) -> BaseUsed:
    ours, licence = _properties(component), component["licenses"][0]["license"]
    origin = Origin(
        name=component["name"],
        licence=licence.get("id") or licence.get("name") or UNKNOWN,
        commercial=ours["commercial-use"] == _word(True),
        hub=ours.get("hub"),
        revision=component.get("version"),
        sha256=_hash_of(component),
        by=ours.get("by", ""),
    )
    return BaseUsed(origin=origin, reads=ours["reads"], inputs=tuple(filter(None, ours["inputs"].split("\n"))))


def _table(at: int, table: TableUsed) -> dict[str, Any]:
    ours = {"use": table.use, "rows": str(table.rows), "hash-of": table.hashed}
    component = {
        "type": "data",
        "bom-ref": f"table-{at}",
        "name": table.name,
        "data": [{"type": "dataset", "name": table.name}],
        "properties": _listed(ours | ({"learner": table.learner} if table.learner else {})),
    }
    return component | ({"hashes": _hashes(table.sha256)} if table.sha256 else {})


def _table_of(component: Mapping[str, Any]) -> TableUsed:
    ours = _properties(component)
    hints = get_type_hints(TableUsed)
    use, hashed = ours["use"], ours["hash-of"]
    if use not in get_args(Use) or hashed not in get_args(hints["hashed"]):
        raise ValueError(f"a table is used as {use!r:.40}, its hash of {hashed!r:.40}")
    return TableUsed(
        name=component["name"],
        use=use,  # type: ignore[arg-type]  # looked at above
        rows=int(ours["rows"]),
        sha256=_hash_of(component),
        hashed=hashed,  # type: ignore[arg-type]
        learner=ours.get("learner", ""),
    )


def _library(name: str, version: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": f"library-{name}", "name": name, "version": version}


def _data(kind: str, name: str, content: str, form: str) -> dict[str, Any]:
    return {"type": kind, "name": name, "contents": {"attachment": {"contentType": form, "content": content}}}


def _hashes(sha256: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": sha256}]


def _hash_of(component: Mapping[str, Any]) -> str | None:
    return next((one["content"] for one in component.get("hashes", ()) if one["alg"] == "SHA-256"), None)


def _listed(ours: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": f"{_OURS}{name}", "value": value} for name, value in ours.items()]


def _properties(component: Mapping[str, Any]) -> dict[str, str]:
    listed = {one["name"]: one["value"] for one in component.get("properties", ())}
    return {name.removeprefix(_OURS): value for name, value in listed.items() if name.startswith(_OURS)}


def _word(allowed: bool) -> str:
    return "allowed" if allowed else "not known to be allowed"
