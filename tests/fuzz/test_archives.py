"""Damaged zips of images: unpacked whole into the cache, or refused; nothing lands anywhere else."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest

from fuzz.examine import examine, listing
from fuzz.mutations import damaged
from graftwork.data.load import load
from pictures import encoded, picture

NAMES = (
    *(
        "../out.png",
        "/out.png",
        "C:\\out.png",
        "a\\..\\..\\out.png",
        "",
        ".",
        "a//b.png",
        "a/./b.png",
        "con.png",
        "a" * 400 + ".png",
    ),
    *(
        "\u202e.png",
        "é/e\u0301.png",
        "日本/犬.png",
        "a/b.png/",
        "__MACOSX/a/._b.png",
        ".hidden/b.png",
        "a\n/b.png",
        "A/B.PNG",
        "a/b.zip",
    ),
)


CLASSES = [f"{label}/{at}.png" for label in ("cat", "dog") for at in range(3)]


def archive(names: list[str], content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            made.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


@pytest.fixture
def content() -> bytes:
    return encoded(picture(1, 12, 10))


def test_damaged_zips(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = archive(CLASSES, content)
    check(lambda seed: damaged(whole, seed), tmp_path, monkeypatch)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_odd_names(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(seed: int) -> bytes:
        draw = random.Random(seed)
        names = list(CLASSES)
        names += [
            draw.choice(("", "cat/", "dog/", "../")) + name for name in draw.sample(NAMES, draw.choice((1, 2, 3)))
        ]
        draw.shuffle(names)
        return archive(names, content)

    check(made, tmp_path, monkeypatch)


def check(made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    cache, here = tmp_path / "cache", tmp_path / "here"
    here.mkdir()
    monkeypatch.setenv("GRAFTWORK_CACHE", str(cache))
    path = here / "photos.zip"

    def act(seed: int) -> None:
        path.write_bytes(made(seed))
        before = [listing(here), {name for name in listing(tmp_path) if not name.startswith("cache")}]
        try:
            load(path, on_bad_rows="skip")
        finally:
            now = [listing(here), {name for name in listing(tmp_path) if not name.startswith("cache")}]
            assert now == before, "something was written outside of the cache"
            assert not list(cache.rglob("*.partial-*")), "half an archive stays in the cache"

    examine(act).holds()
