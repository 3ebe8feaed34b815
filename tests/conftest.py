"""What every test relies on: no network, one thread, a cache and a home of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from everyday import left_to_the_night
from usual_order import keep_to_it

# a busy machine is no failure
settings.register_profile("graftwork", deadline=None)
settings.load_profile("graftwork")

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

DATA = Path(os.environ.get("GRAFTWORK_DATA", Path(__file__).parents[2] / "shared" / "data"))

keep_to_it()

FETCHED = Path(os.environ.get("GRAFTWORK_TEST_HOME", Path(__file__).parents[1] / ".bases"))
"""Where `make bases` puts the real bases that tests read."""


@pytest.hookimpl(tryfirst=True)  # before those that are marked are deselected
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if left_to_the_night(item.path, item.name):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's cache and fetched bases are neither read nor filled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAFTWORK_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("GRAFTWORK_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Results of CPU kernels may depend on the number of threads. Tests that need no torch don't import it."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)


@pytest.fixture
def real_bases(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`real_bases("whisper-base", ...)`: inside the test these bases are at hand; skips where they were not fetched."""

    def needed(*names: str) -> None:
        missing = [name for name in names if not (FETCHED / "bases" / name / "source.json").is_file()]
        if missing:
            pytest.skip(f"not fetched into {FETCHED}: {', '.join(missing)} (`make bases` does)")
        monkeypatch.setenv("GRAFTWORK_HOME", str(FETCHED))

    return needed


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real data sets; skips where there is none."""
    if not DATA.is_dir():
        pytest.skip(f"no data sets in {DATA}: set GRAFTWORK_DATA")
    return DATA
