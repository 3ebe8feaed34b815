"""Fixtures of the suite, and which of its many compositions are left to the nightly run."""

from __future__ import annotations

import zlib

import pytest

from tinyrun import Worlds, make_worlds

USUAL = {
    "test_every_technique_composes_or_is_refused": 5,
    "test_at_any_step": 3,
    "test_elsewhere": 3,
    "test_saved_is_what_was_scored": 3,
}
"""Of these tests one in so many is made in every run, the same ones always; the nightly run makes all."""


@pytest.fixture(scope="session")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return make_worlds(tmp_path_factory.mktemp("fixtures"))


@pytest.hookimpl(tryfirst=True)  # before those that are marked are deselected
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if zlib.crc32(item.name.encode()) % USUAL.get(item.name.partition("[")[0], 1):
            item.add_marker(pytest.mark.slow)
