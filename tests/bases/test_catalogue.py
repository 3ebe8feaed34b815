"""What is known of the bases that can be had: complete, and as the page says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from graftwork.bases.catalogue import Entry, known
from graftwork.bases.home import is_hub_id
from graftwork.networks.bases.registry import BASES

PAGE = (Path(__file__).parents[2] / "docs" / "bases.md").read_text(encoding="utf-8")
HASH = re.compile(r"[0-9a-f]{64}")


@pytest.fixture(params=known().values(), ids=lambda one: one.name)
def base(request: pytest.FixtureRequest) -> Entry:
    found: Entry = request.param
    return found


def test_each_package_is_pinned(base: Entry) -> None:
    assert base.packages
    for package in base.packages:
        assert HASH.fullmatch(package.sha256)
        assert package.files
        assert all(HASH.fullmatch(sha256) for sha256 in package.files.values())
        assert package.size > 1e6
        assert package.by
        assert re.fullmatch(r"\d+(\.\d+)+", package.version)


def test_each_says_what_is_to_be_known(base: Entry) -> None:
    assert base.summary
    assert base.licence == "unknown" or re.fullmatch(r"[A-Z][A-Za-z0-9.-]+", base.licence)
    assert base.hub is None or is_hub_id(base.hub)
    assert base.size > 1e6 < base.parameters
    assert bool(base.languages) or base.reads == "image"
    assert base.commercial or base.licence in ("unknown",) or "NC" in base.licence


def test_each_stands_on_the_page(base: Entry) -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("|") and f"`{base.name}`" in line]
    assert any(f"| {base.fetched / 1e6:.0f} MB |" in line for line in lines), (
        f"{base.name}: {base.fetched / 1e6:.0f} MB"
    )
    for use in base.uses:
        assert any(f"`{use}`" in line for line in lines), use


def test_each_can_be_named_as_a_base(base: Entry) -> None:
    assert BASES[base.name].modality == base.reads
    assert f"graft bases get {base.name}" in BASES[base.name].source
