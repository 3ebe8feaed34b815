"""What tests of damage share."""

from __future__ import annotations

import pytest

from fuzz.commands import Made, make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("made"))
