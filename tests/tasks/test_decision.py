from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import graftwork as gw
from graftwork.errors import DataError, UsageError

ROLES = {"rollout": "game", "step": "move", "reward": "points"}


def log(games: int = 30, seed: int = 0) -> pa.Table:
    """Numbers of which the first says the good move; those who play badly do the other one most of the time."""
    draw = np.random.default_rng(seed)
    rows = [
        (f"game {game}", move, float(draw.normal()), float(draw.normal()), float(draw.random()))
        for game in range(games)
        for move in range(8)
    ]
    good = [("left", "right")[first > 0] for _, _, first, _, _ in rows]
    other = {"left": "right", "right": "left"}
    done = [each if chance < 0.35 else other[each] for each, (*_, chance) in zip(good, rows, strict=True)]
    points = [float(each == best) for each, best in zip(done, good, strict=True)]
    names = ("game", "move", "first", "second")
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    return pa.table({**columns, "action": done, "points": points, "good": good})


def fitted(table: pa.Table, techniques: list[str], **more: object) -> gw.Model:
    training = gw.Training(steps=150, batch=64, evaluations=1, precision="fp32", lr=1e-2)
    recipe = gw.Recipe(base="table-mlp:width=16,layers=1", task="decision", techniques=techniques, training=training)
    return gw.fit(table, target="action", roles=ROLES, ignore=["good"], recipe=recipe, verbose=False, **more)


def test_what_brought_more_is_learned_though_it_was_done_less_often() -> None:
    fresh = log(seed=1)
    good = fresh.column("good").to_pylist()

    def right(techniques: list[str]) -> float:
        chosen = fitted(log(), techniques).predict(fresh).tolist()
        return float(np.mean([one == other for one, other in zip(chosen, good, strict=True)]))

    assert right([]) < 0.3
    assert right(["advantage-weighted:temperature=0.3,discount=0"]) > 0.8


def test_a_new_table_needs_no_role_and_the_report_tells_of_the_log(tmp_path: Path) -> None:
    model = fitted(log(), ["advantage-weighted"], out=tmp_path / "model")
    plain = log(seed=2).select(["first", "second"])
    again = gw.load(tmp_path / "model")
    assert again.predict(plain).tolist() == model.predict(plain).tolist()
    page = (tmp_path / "model" / "report.html").read_text(encoding="utf-8")
    assert "What the log brought" in page
    assert "graft evaluate MODEL --env" in page


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_is_lacking_is_named(role: str) -> None:
    with pytest.raises(UsageError, match=f"no column has the role {role}. Name the column: --role {role}=COLUMN"):
        gw.fit(
            log(),
            target="action",
            recipe=gw.Recipe(base="table-mlp", task="decision", techniques=[]),
            roles={name: column for name, column in ROLES.items() if name != role},
            verbose=False,
        )


def test_a_step_that_stands_twice_and_a_reward_that_is_missing_are_refused_with_their_rows() -> None:
    table = log()
    steps = table.column("move").to_pylist()
    steps[3] = 2
    doubled = table.set_column(1, "move", pa.array(steps))
    with pytest.raises(DataError, match=r"step 2 of 'game 0' \(row 3 and row 4\)"):
        fitted(doubled, [])
    rewards = table.column("points").to_pylist()
    rewards[9] = None
    lacking = table.set_column(table.column_names.index("points"), "points", pa.array(rewards))
    with pytest.raises(DataError, match=r"row 10"):
        fitted(lacking, [])


def test_every_run_of_the_default_weighs_the_rows() -> None:
    from graftwork.runs.candidates.planned import planned_recipes
    from graftwork.runs.job.data_arguments import DataArguments
    from graftwork.runs.job.job import make_job

    recipe = gw.Recipe(task="decision")
    job = make_job(DataArguments(train=log(), target="action", roles=ROLES, ignore=["good"]), recipe)
    named = {name: {technique.name for technique in each.named} for name, each in planned_recipes(job, recipe)}
    assert "boosting" in named
    assert all("advantage-weighted" in techniques for techniques in named.values())
