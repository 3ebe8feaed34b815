"""From the command line: whatever is damaged in the cache, the next command mends it, says so, and gives the same."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from command import graft, topics
from graftwork.data.store import entries
from tiny import tiny_model


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("damage")
    tiny_model(folder / "base", "bert")
    topics(folder / "t.csv")
    return folder


def fit(folder: Path, out: Path) -> bytes:
    chosen = ("--target", "label", "--base", folder / "base", "--with", "probe")
    ran = graft("fit", folder / "t.csv", *chosen, "--out", out).works()
    (out / "said.txt").write_text(ran.err)
    return (out / "weights.safetensors").read_bytes()


@pytest.mark.filterwarnings("default:The cache entry")
@pytest.mark.slow
@pytest.mark.parametrize(
    "damage",
    [emptied, zeros, Path.unlink, cut],
)
def test_each_file_of_the_cache(
    damage: Callable[[Path], None], fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "cache"))
    whole = fit(fitted, tmp_path / "whole")
    files = [path for path in sorted((tmp_path / "cache").rglob("*")) if path.is_file() and path.name != entries.SEAL]
    assert {path.name for path in files} >= {"rows.bin", "ragged.json", "offsets.npy", "values.bin"}
    for number, path in enumerate(files):
        damage(path)
        monkeypatch.setattr(entries, "_known", set())
        assert fit(fitted, tmp_path / f"again{number}") == whole
        said = (tmp_path / f"again{number}" / "said.txt").read_text()
        assert f"cache entry {path.parent} is damaged" in said or "/taught/" in str(path)
        monkeypatch.setattr(entries, "_known", set())
        assert fit(fitted, tmp_path / f"mended{number}") == whole
        assert "damaged" not in (tmp_path / f"mended{number}" / "said.txt").read_text()


def test_images_are_predicted_without_a_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    photos = tmp_path / "photos"
    for number in range(20):
        kind = "red" if number % 2 else "blue"
        (photos / kind).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), kind).save(photos / kind / f"{number}.png")
    chosen = ("--base", "small-cnn:size=16", "--with", "none", "--set", "steps=2")
    graft("fit", photos, *chosen, "--out", tmp_path / "m").works()
    shutil.make_archive(str(tmp_path / "photos"), "zip", photos)
    (tmp_path / "file").write_text("")
    for cache in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("GRAFTWORK_CACHE", str(cache))
        for source in (photos, tmp_path / "photos.zip"):
            out = tmp_path / f"{source.name}.csv"
            graft("predict", tmp_path / "m", source, "--out", out).works()
            with open(out, encoding="utf-8") as file:
                assert len(list(csv.DictReader(file))) == 20
