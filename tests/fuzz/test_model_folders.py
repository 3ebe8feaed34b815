"""Damaged and hostile model folders: refused in words or usable, and never a file written or read outside of them."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

import graftwork as gw
from fuzz.examine import examine, listing
from fuzz.mutations import damaged, damaged_document, written
from made import TEXTS, make, make_ensemble


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    return Path(make(folder).save(folder / "model"))


def files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_the_manifest_says_anything(whole: Path, tmp_path: Path) -> None:
    document = json.loads((whole / "model.json").read_text())
    del document["checksum"]  # what is wrong must be met without it, too
    check(whole, tmp_path, lambda seed: (Path("model.json"), written(damaged_document(document, seed))))


def test_the_base_says_anything(whole: Path, tmp_path: Path) -> None:
    """Every other JSON file of the folder: configuration, tokenizer."""
    names = [name for name in files(whole) if name.suffix == ".json" and name.name != "model.json"]
    assert names

    def one(seed: int) -> tuple[Path, bytes]:
        name = random.Random(seed).choice(names)
        return name, written(damaged_document(json.loads((whole / name).read_text()), seed))

    check(whole, tmp_path, one)


def test_damaged_bytes(whole: Path, tmp_path: Path) -> None:
    def one(seed: int) -> tuple[Path, bytes]:
        name = random.Random(seed).choice(files(whole))
        return name, damaged((whole / name).read_bytes(), seed)

    check(whole, tmp_path, one)


def test_an_ensemble_says_and_holds_anything(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    """Its own manifest, without what seals it, those of its members, and all other files."""
    folder = tmp_path_factory.mktemp("ensemble")
    whole = make_ensemble(folder).save(folder / "model")
    document = json.loads((whole / "model.json").read_text())
    del document["checksum"]
    del document["files"]

    def one(seed: int) -> tuple[Path, bytes]:
        if seed % 2:
            return Path("model.json"), written(damaged_document(document, seed))
        name = random.Random(seed).choice(files(whole))
        return name, damaged((whole / name).read_bytes(), seed)

    check(whole, tmp_path, one)


def check(whole: Path, tmp_path: Path, one) -> None:  # type: ignore[no-untyped-def]
    """Load, predict, save elsewhere; the folder and what lies around it stay as they were."""
    around = tmp_path / "around"
    model, copy = around / "model", around / "copies" / "copy"
    shutil.copytree(whole, model)
    (around / "copies").mkdir()
    kept = {name: (model / name).read_bytes() for name in files(model)}

    def act(seed: int) -> None:
        name, content = one(seed)
        (model / name).write_bytes(content)
        shutil.rmtree(copy, ignore_errors=True)
        before = listing(tmp_path)
        try:
            loaded = gw.load(model)
            loaded.predict(TEXTS)
            loaded.save(copy)
            gw.load(copy).predict(TEXTS)
        finally:
            after = {name: state for name, state in listing(tmp_path).items() if "copies/copy/" not in name}
            (model / name).write_bytes(kept[name])
            assert after == before, "something was written outside of the copy"

    examine(act).holds()


def test_the_base_of_a_fit(whole: Path, tmp_path: Path) -> None:
    """A damaged folder named as a base, by its configuration and its tokenizer."""
    from graftwork.networks.base_settings import TrainingRows
    from graftwork.networks.bases.registry import parse_base

    source = next(whole.glob("encoder-*"))
    base = tmp_path / "base"
    shutil.copytree(source.parent / "base" if (source.parent / "base").is_dir() else source, base)
    named = [name for name in files(base) if name.suffix == ".json"]
    kept = {name: (base / name).read_bytes() for name in files(base)}

    def act(seed: int) -> None:
        name = random.Random(seed).choice(named)
        (base / name).write_bytes(written(damaged_document(json.loads(kept[name]), seed)))
        try:
            parse_base(str(base)).build(TrainingRows(lambda: TEXTS), 0)
        finally:
            (base / name).write_bytes(kept[name])

    examine(act).holds()
