"""A tiny pretrained base, and jobs on texts by topic."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiny import tiny_bert


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny pretrained Transformer."""
    return tiny_bert(tmp_path_factory.mktemp("base") / "bert")
