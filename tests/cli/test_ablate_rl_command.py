"""`graft ablate` in an environment: from options, and from the folder of a policy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from command import graft
from graftwork.rl.ablation import cells as cells_module
from graftwork.rl.learning.run import run_one
from graftwork.rl.recipe import RLRecipe

ASKED = (
    "ablate",
    "--env",
    "quickworlds:Choice",
    "--algorithm",
    "ppo:steps=32,batch=64",
    "--steps",
    "256",
    "--normalise",
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFTWORK_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "rl"))


def told(*asked: object) -> Any:
    return graft(*map(str, asked))


@pytest.mark.slow
def test_what_a_part_brings_is_printed_and_written(tmp_path: Path) -> None:
    done = told(*ASKED, "--repeats", 2, "--out", tmp_path / "page")
    done.works()
    assert "normalisation" in done.out
    assert "over 2 seeds" in done.out
    assert (tmp_path / "page" / "ablation.html").is_file()
    again = told(*ASKED, "--repeats", 2, "--json")
    plain = json.loads(again.out)
    assert plain["env"] == "quickworlds:Choice"
    assert [one["reused"] for one in plain["cells"]] == [True] * 4


@pytest.mark.slow
def test_a_policy_is_ablated_by_what_it_was_learned_by(tmp_path: Path) -> None:
    recipe = RLRecipe(env="CartPole-v1", algorithm="ppo:steps=32,batch=64", steps=256, normalise=True, episodes=3)  # type: ignore[arg-type]
    run_one(recipe, None, seed=0).policy.save(tmp_path / "cart")
    done = told("ablate", tmp_path / "cart", "--repeats", 1, "--json")
    done.works()
    plain = json.loads(done.out)
    assert plain["recipe"]["steps"] == 256
    assert plain["recipe"]["episodes"] == 3
    assert list(plain["arms"]) == ["all", "without normalisation"]


def test_a_folder_does_not_choose_code_to_run(tmp_path: Path) -> None:
    recipe = RLRecipe(env="quickworlds:Choice", algorithm="ppo:steps=32,batch=64", steps=64, normalise=True, episodes=2)  # type: ignore[arg-type]
    run_one(recipe, None, seed=0).policy.save(tmp_path / "own")
    refused = told("ablate", tmp_path / "own", "--repeats", 1)
    assert refused.code == 2
    assert "may not choose code to run" in refused.err
    assert "--env quickworlds:Choice" in refused.err
    done = told("ablate", tmp_path / "own", "--env", "quickworlds:Choice", "--repeats", 1)
    done.works()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((*ASKED, "--columns"), "--columns is for tables of rows"),
        ((*ASKED, "--target", "label"), "--target is for tables of rows"),
        (("ablate", "--env", "CartPole-v1"), "nothing to leave out"),
        (("ablate", "--env", "CartPol-v1", "--normalise"), "CartPole"),
        (("ablate",), "Name the folder of a run, or a table"),
        (("ablate", "nowhere", "--env", "CartPole-v1"), "is no policy that graft rl wrote"),
    ],
)
def test_wrong_use_says_what_to_do(asked: tuple[str, ...], said: str) -> None:
    done = told(*asked)
    assert done.code == 2
    assert said in done.err


def test_options_of_environments_are_refused_for_a_table(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,kind\n1,x\n2,y\n")
    done = told("ablate", tmp_path / "rows.csv", "--steps", 5)
    assert done.code == 2
    assert "--steps is for learning in an environment" in done.err


def test_ctrl_c_says_that_what_was_finished_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(cells_module, "run_one", stopped)
    done = told(*ASKED)
    assert done.code == 130
    assert "the same command goes on from there" in done.err
