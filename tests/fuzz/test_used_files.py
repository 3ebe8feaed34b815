"""Damaged galleries, indexes and records of sequences: what lies beside a model and is read by later commands."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from command import graft
from fuzz.commands import Made
from fuzz.examine import examine
from fuzz.killing import forked
from fuzz.mutations import damaged, damaged_document, written


def test_damaged_galleries(made: Made, tmp_path: Path) -> None:
    from graftwork.model import load
    from graftwork.uses.gallery import load_gallery

    verifier, path = load(made / "people").verifier(), tmp_path / "people.safetensors"
    forked(lambda: graft("enroll", made / "people", made / "who.csv", "--out", path).works())
    whole = path.read_bytes()
    found = verifier.identify("the cat is here", load_gallery(path))

    def act(seed: int) -> None:
        path.write_bytes(damaged(whole, seed))
        assert verifier.identify("the cat is here", load_gallery(path)) == found, "damage is used"

    examine(act).holds()


def test_damaged_indexes(made: Made, tmp_path: Path) -> None:
    from graftwork.model import load

    folder = tmp_path / "finder"
    shutil.copytree(made / "finder", folder)
    forked(lambda: graft("index", folder, made / "pairs.csv").works())
    files = sorted(path for path in (folder / "index").rglob("*") if path.is_file())
    kept = {path: path.read_bytes() for path in files}
    found = load(folder).searcher().search("the cat is here", 3, by="text")

    def act(seed: int) -> None:
        draw = random.Random(seed)
        path = draw.choice(files)
        document = path.suffix == ".json" and draw.random() < 0.7
        path.write_bytes(
            written(damaged_document(json.loads(kept[path]), seed)) if document else damaged(kept[path], seed)
        )
        try:
            assert load(folder).searcher().search("the cat is here", 3, by="text") == found, "damage is used"
        finally:
            path.write_bytes(kept[path])

    examine(act).holds()


@pytest.mark.slow
def test_damaged_records_of_sequences(made: Made, tmp_path: Path) -> None:
    """A finished sequence is asked for again: its models are found, or its record is named as damaged."""
    out = tmp_path / "out"
    forked(lambda: graft("run", made / "steps.yaml", "--out", out).works())
    record = out / "sequence.json"
    whole = record.read_bytes()

    def act(seed: int) -> None:
        content = written(damaged_document(json.loads(whole), seed)) if seed % 2 else damaged(whole, seed)
        record.write_bytes(content)
        ran = graft("run", made / "steps.yaml", "--out", out, "--resume")
        assert ran.code in (0, 1, 2), ran.err
        assert "not expected" not in ran.err, ran.err
        assert "Traceback" not in ran.err, ran.err

    examine(act, 12).holds()


def test_damaged_ablations(tmp_path: Path) -> None:
    """What `graft advise` reads of an ablation in a run's folder is whole, or named as damaged."""
    from graftwork.evidence.advice.ablated import ablations_in, findings_in, of_findings

    one = {"kind": "technique", "verdict": "helps", "value": 0.1, "low": 0.05, "high": 0.2, "repeats": 10, "settles": 0}
    whole, file = {"findings": [{**one, "name": name} for name in ("a", "b", "c")]}, tmp_path / "ablation.json"

    def act(seed: int) -> None:
        file.write_bytes(written(damaged_document(whole, seed)))
        for path in ablations_in(tmp_path):
            of_findings(findings_in(path), {"a"}, str, str, str)

    examine(act).holds()
