"""`graft cache`: what lies there, and what `prune` takes and leaves."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from command import QUICK, graft, topics
from graftwork.data.store.contents import WORDS

SOURCE = Path(__file__).parents[2] / "src" / "graftwork"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two entries, the older one of 300,000 bytes; one that is being written; one that was left two days ago."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("GRAFTWORK_CACHE", str(folder))
    now = time.time()
    for name, size, age in (
        ("prepared/old", 300_000, 3_600),
        ("frozen/new", 200_000, 60),
        ("frozen/.now.graft-1-abcdef0123456789.partial-", 50_000, 1),
        ("frozen/left.partial-2", 50_000, 2 * 24 * 3_600),
        ("spool/mine.arrow", 10_000, 1),
    ):
        path = folder / name
        path.mkdir(parents=True)
        (path / "data").write_bytes(b"x" * size)
        os.utime(path, (now - age, now - age))
    return folder


def left(cache: Path) -> list[str]:
    return sorted(path.relative_to(cache).as_posix() for path in cache.glob("*/*"))


def test_what_lies_there(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_CACHE_LIMIT_GB", "2")
    for arguments in (("cache",), ("cache", "list")):
        said = graft(*arguments).works().out
        assert "0.3 MB" in said
        assert "texts cut into tokens" in said
        assert "1 and 2 unfinished" in said
        assert f"{cache}: 0.6 MB of at most 2.00 GB" in said
    told = json.loads(graft("cache", "list", "--json").works().out)
    assert (told["bytes"], told["limit_bytes"], told["folder"]) == (610_000, 2_000_000_000, str(cache))
    assert [one["section"] for one in told["sections"]] == ["frozen", "prepared", "spool"]


def test_prune_keeps_within_the_limit(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_CACHE_LIMIT_GB", "0.0003")
    said = graft("cache", "prune").works().out
    assert "1 entry deleted" in said
    assert "prepared/old" not in left(cache)
    assert "frozen/new" in left(cache)


def test_all_takes_everything_but_what_is_being_written(cache: Path) -> None:
    said = graft("cache", "prune", "--all").works().out
    assert "2 entries deleted, 0.6 MB freed" in said
    assert "2 entries stayed" in said
    assert left(cache) == ["frozen/.now.graft-1-abcdef0123456789.partial-", "spool/mine.arrow"]


def test_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_CACHE", str(tmp_path / "none"))
    assert "0.0 MB of at most" in graft("cache").works().out
    assert "0 entries deleted" in graft("cache", "prune", "--all").works().out
    assert not (tmp_path / "none").exists()


def test_a_limit_that_is_none(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_CACHE_LIMIT_GB", "much")
    graft("cache", "prune").fails(2, "GRAFTWORK_CACHE_LIMIT_GB is 'much'")
    assert "prepared/old" in left(cache)


def test_a_fit_after_it_is_the_same(tmp_path: Path) -> None:
    table = topics(tmp_path / "t.csv")
    fit = ("fit", table, "--base", "gru:width=16", *QUICK)
    graft(*fit, "--out", tmp_path / "a").works()
    graft("cache", "prune", "--all").works()
    graft(*fit, "--out", tmp_path / "b").works()
    a, b = ((tmp_path / name / "weights.safetensors").read_bytes() for name in "ab")
    assert a == b


def test_every_section_is_told_in_words() -> None:
    import re

    found = {
        name
        for path in SOURCE.rglob("*.py")
        for name in re.findall(r'\bentry\("([\w-]+)"', path.read_text(encoding="utf-8"))
    }
    assert found <= WORDS.keys()
