"""Fixtures of the suite, and which of its many compositions are left to the nightly run."""

from __future__ import annotations

import zlib

import pytest

from tinyrun import Worlds, make_worlds

EACH_TECHNIQUE = "test_every_technique_composes_or_is_refused"
USUAL = 3
"""One of so many techniques is tried with each head and each task in every run, the same ones always; the nightly run
tries all."""


@pytest.fixture(scope="session")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return make_worlds(tmp_path_factory.mktemp("fixtures"))


@pytest.hookimpl(tryfirst=True)  # before those that are marked are deselected
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.name.startswith(EACH_TECHNIQUE) and zlib.crc32(item.name.encode()) % USUAL:
            item.add_marker(pytest.mark.slow)
