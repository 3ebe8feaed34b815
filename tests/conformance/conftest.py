"""Fixtures of the suite."""

from __future__ import annotations

import pytest

from tinyrun import Worlds, make_worlds


@pytest.fixture(scope="session")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return make_worlds(tmp_path_factory.mktemp("fixtures"))
