"""graftwork.discovery.code: a user's own code by name, and who may name it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import graftwork as gw
from command import QUICK, graft, topics
from graftwork.core.contract.phases import Phase
from graftwork.core.contract.setup import Setup
from graftwork.core.technique import Graft, Technique
from graftwork.discovery.code import from_code, module_of
from graftwork.errors import UsageError
from graftwork.networks.network import Network
from graftwork.runs.advice.commands import Commands
from graftwork.runs.advice.techniques import fitting_items
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import make_job
from graftwork.techniques import TECHNIQUES


@dataclass(frozen=True, kw_only=True)
class Asking(Technique):
    """Calls a function of the user's where it trains."""

    name: ClassVar[str] = "asking"
    phase: ClassVar[Phase] = Phase.START
    summary: ClassVar[str] = "for this test"
    call: str = "rewards:profit"

    @property
    def code(self) -> tuple[str, ...]:
        return (module_of(self.call, "asking, setting 'call'"),)

    def attach(self, network: Network, setup: Setup) -> Graft:
        del network, setup
        from_code(self.call, "asking, setting 'call'")()
        return Graft()


@pytest.fixture(autouse=True)
def _known_technique() -> Iterator[None]:
    TECHNIQUES["asking"] = Asking
    yield
    del TECHNIQUES["asking"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder, in which the test stands; what it imports is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_a_function_of_a_file_in_this_folder(here: Path) -> None:
    (here / "rewards.py").write_text("import later_one\nclass Shop:\n    def sell(): return later_one.PRICE\n")
    (here / "later_one.py").write_text("PRICE = 3\n")
    assert from_code("rewards:Shop.sell", "the reward")() == 3
    assert sys.path[0] != str(here)
    assert sys.path[-1] == str(here)


def test_a_file_of_the_name_of_a_package_is_meant(here: Path) -> None:
    (here / "this_is_here").mkdir()
    (here / "this_is_here" / "__init__.py").write_text("")
    (here / "this_is_here" / "rewards.py").write_text("profit = 7\n")
    assert from_code("this_is_here.rewards:profit", "the reward") == 7


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rewards", "Expected module:attribute"),
        ("rewards.py:profit:x", "Expected module:attribute"),
        ("../rewards:profit", "Expected module:attribute"),
        (
            "no_such_thing:profit",
            "there is no module 'no_such_thing' in .*the folder with no_such_thing.py",
        ),
        ("rewards.more:profit", "there is no module 'rewards.more'"),
        ("rewards:profits", "the module 'rewards' has no 'profits'. Did you mean 'profit'"),
        ("broken:profit", "the module 'broken' can't be imported: SyntaxError"),
        ("raising:profit", "the module 'raising' can't be imported: ValueError: of no use.*python -c 'import raising'"),
        ("lacking:profit", "the module 'lacking' can't be imported: ModuleNotFoundError: .*not_there_either"),
        ("leaving:profit", "the module 'leaving' can't be imported: SystemExit"),
    ],
)
def test_what_is_wrong_is_said(here: Path, name: str, words: str) -> None:
    (here / "rewards.py").write_text("def profit():\n    return 1\n")
    (here / "broken.py").write_text("def profit(:\n")
    (here / "raising.py").write_text("raise ValueError('of no use')\n")
    (here / "lacking.py").write_text("import not_there_either\n")
    (here / "leaving.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(UsageError, match=f"the reward.*{words}"):
        from_code(name, "the reward")


def test_a_recipe_file_imports_nothing_unasked(here: Path) -> None:
    (here / "rewards.py").write_text("open('ran', 'w').close()\nprofit = print\n")
    (here / "recipe.yaml").write_text("techniques:\n- asking: {call: 'rewards:profit'}\n")
    table = topics(here / "rows.csv")
    with pytest.raises(UsageError, match=r"recipe.yaml imports code to train: rewards.*--allow-code rewards"):
        gw.Recipe.load("recipe.yaml")
    with pytest.raises(UsageError, match=r"imports code to train: rewards"):
        gw.fit(table, recipe="recipe.yaml", verbose=False)
    with pytest.raises(UsageError, match=r"imports code to train: rewards"):
        gw.Recipe.load("recipe.yaml", allow_code=["reward", "rewards.more"])
    for command in ("plan", "fit", "tune", "ablate"):
        graft(command, table, "--recipe", "recipe.yaml").fails(2, "recipe.yaml imports code to train: rewards")
    (here / "all.yaml").write_text("data: {train: rows.csv}\nsteps:\n- {name: one, recipe: recipe.yaml}\n")
    graft("run", "all.yaml", "--out", "o").fails(2, "recipe.yaml imports code to train: rewards")
    (here / "all.yaml").write_text("data: {train: rows.csv}\nsteps:\n- name: one\n  recipe: {techniques: [asking]}\n")
    graft("run", "all.yaml", "--out", "o").fails(2, "step one, 'recipe' imports code to train: rewards")
    assert not (here / "ran").exists()
    assert gw.Recipe.load("recipe.yaml", allow_code=["rewards"]).code == ("rewards",)


def test_a_model_is_loaded_and_predicts_without_its_module(here: Path) -> None:
    (here / "rewards.py").write_text("profit = print\n")
    table = topics(here / "rows.csv")
    fit = ("--base", "gru:width=8,layers=1", *QUICK[2:], "--with", "asking")
    graft("fit", table, *fit, "--out", "m").works()
    assert "--recipe m/recipe.yaml --allow-code rewards" in (here / "m" / "report.html").read_text()
    (here / "rewards.py").unlink()
    sys.modules.pop("rewards")
    graft("predict", "m", table, "--out", "p.csv").works()
    graft("evaluate", "m", table).works()
    assert len(np.asarray(gw.load("m").predict(["the cat is here"]))) == 1
    assert "rewards" not in sys.modules
    graft("ablate", "m", "--repeats", "5").fails(2, "m imports code to train: rewards", "--allow-code rewards")


def test_advice_on_a_run_imports_nothing(here: Path) -> None:
    """It looks which techniques would go with those of the run, whose folder may come from elsewhere."""
    (here / "rewards.py").write_text("open('ran', 'w').close()\nprofit = print\n")
    recipe = gw.Recipe(base="gru:width=8,layers=1", techniques=[Asking()])
    data = DataArguments(train=topics(here / "rows.csv"))
    items = fitting_items(make_job(data, recipe), recipe, 0.4, set(), Commands(here / "m", data, recipe))
    assert items
    assert not (here / "ran").exists()
