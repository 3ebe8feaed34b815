"""provenance.json: what the schema of CycloneDX 1.6 asks for, and the same when it is read again."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest

from graftwork.bases.cyclonedx import About, from_cyclonedx, to_cyclonedx
from graftwork.bases.origin import Origin
from graftwork.bases.provenance import NOT_KNOWN, BaseUsed, Provenance, TableUsed, mixed
from graftwork.errors import ModelError

FULL = Provenance(
    bases=(
        BaseUsed(
            origin=Origin(
                name="known",
                licence="Apache-2.0",
                commercial=True,
                hub="org/known",
                revision="abc",
                sha256="0" * 64,
                by="somebody",
            ),
            reads="text",
            inputs=("title", "body"),
        ),
        BaseUsed(origin=Origin(name="mine"), reads="image", inputs=("photo",)),
        BaseUsed(origin=Origin(name="theirs", licence="CC-BY-NC-4.0"), reads="audio"),
    ),
    tables=(
        TableUsed(name="train.csv", use="train", rows=12, sha256="1" * 64),
        TableUsed(name="photos", use="unlabelled", rows=3, sha256="2" * 64, hashed="files", learner="earlier"),
        TableUsed(name="the frame", use="validation", rows=4),
    ),
    versions={"graftwork": "0.1.0", "torch": "2.13.0"},
    models=("earlier", "teacher"),
)
ABOUT = About(
    name="topic from text",
    inputs={"text": "text"},
    outputs={"topic": "classification"},
    recipe="base: minilm\n",
    parameters=7,
)


def valid(document: dict[str, Any]) -> None:
    """Raises where the schema that cyclonedx-python-lib carries is not kept."""
    cyclonedx = pytest.importorskip("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    error = cyclonedx.JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))
    assert error is None, str(error)


@pytest.mark.parametrize("provenance", [FULL, Provenance(), NOT_KNOWN], ids=["full", "from scratch", "not known"])
def test_it_is_valid_and_reads_back(provenance: Provenance) -> None:
    document = to_cyclonedx(provenance, ABOUT)
    valid(document)
    assert from_cyclonedx(json.loads(json.dumps(document)), "x") == provenance
    assert to_cyclonedx(provenance, ABOUT) == document, "the same model gives the same file"


def test_the_validator_would_say_so() -> None:
    document = to_cyclonedx(FULL, ABOUT)
    document["components"][0]["kind"] = "not in the schema"
    with pytest.raises(AssertionError):
        valid(document)


def test_what_it_says() -> None:
    document = to_cyclonedx(FULL, ABOUT)
    base, mine = document["components"][:2]
    assert base["type"] == "machine-learning-model"
    assert base["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert base["hashes"] == [{"alg": "SHA-256", "content": "0" * 64}]
    assert mine["licenses"] == [{"license": {"name": "unknown"}}]
    card = document["metadata"]["component"]["modelCard"]
    assert len(card["considerations"]["technicalLimitations"]) == 2
    assert card["modelParameters"]["datasets"] == [{"ref": f"table-{at}"} for at in range(3)]


@pytest.mark.parametrize("seed", range(40))
def test_damage_is_said(seed: int) -> None:
    """Whatever is missing or of another type: an error for the user, or the rest of it."""
    document = json.loads(json.dumps(to_cyclonedx(FULL, ABOUT)))
    damaged = copy.deepcopy(document)
    component = damaged["components"][seed % 6]
    name = list(component)[(seed // 6) % len(component)]
    component[name] = [None, 3, "x", []][seed % 4]
    with contextlib.suppress(ModelError):
        assert isinstance(from_cyclonedx(damaged, "m/provenance.json"), Provenance)
    for told in (None, [], {"components": 3}, {"components": []}):
        with pytest.raises(ModelError, match="is damaged"):
            from_cyclonedx(told, "x")


def test_a_mix_has_the_bases_and_tables_of_all() -> None:
    one = Provenance(bases=FULL.bases[:1], tables=FULL.tables[:1], models=("old",))
    found = mixed([("a", one), ("b", replace_tables(one))], {"graftwork": "9"})
    assert found.bases == FULL.bases[:1]
    assert [(table.name, table.learner) for table in found.tables] == [("train.csv", "a"), ("train.csv", "b")]
    assert (found.models, found.versions, found.known) == (("a", "b"), {"graftwork": "9"}, True)
    assert not mixed([("a", one), ("b", NOT_KNOWN)], {}).known


def replace_tables(one: Provenance) -> Provenance:
    return Provenance(bases=one.bases, tables=one.tables)
