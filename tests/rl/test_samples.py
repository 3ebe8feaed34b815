from __future__ import annotations

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from graftwork.rl.samples import MOVES, Reach


def test_it_is_an_environment_as_gymnasium_wants_them() -> None:
    check_env(Reach(), skip_render_check=True)


def test_the_same_seed_is_the_same_world() -> None:
    first, second, other = Reach(), Reach(), Reach()
    pictures = [env.reset(seed=seed)[0] for env, seed in ((first, 4), (second, 4), (other, 5))]
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != pictures[2]).any()
    assert (first.step(2)[0] == second.step(2)[0]).all()


def test_the_best_way_reaches_the_disc_and_nothing_else() -> None:
    env = Reach()
    for seed in range(40):
        env.reset(seed=seed)
        away = abs(env._place[0] - env._goal[0]) + abs(env._place[1] - env._goal[1])
        total, ended, info, steps = 0.0, False, {}, 0
        while not ended:
            _, reward, ended, cut, info = env.step(env.best_action())
            total, steps = total + reward, steps + 1
            assert not cut
        assert info == {"is_success": True}
        assert total == pytest.approx(1.0 + 0.1 * away - 0.02 * steps)
        assert steps <= 20


def test_another_shape_ends_it_badly() -> None:
    env = Reach(others=8)
    draw, touched = np.random.default_rng(0), 0
    for seed in range(20):
        env.reset(seed=seed)
        ended = cut = False
        while not (ended or cut):
            _, reward, ended, cut, info = env.step(int(draw.integers(len(MOVES))))
        assert (reward > 0) == info["is_success"]
        touched += reward < -0.5
    assert touched > 0


def test_it_is_cut_off_after_the_limit() -> None:
    env = Reach(limit=3, others=0)
    env.reset(seed=0)
    env._goal = (3, 3)
    env._place = (0, 0)
    assert [env.step(0)[3] for _ in range(3)] == [False, False, True]


def test_what_is_drawn_is_seen() -> None:
    env = Reach(render_mode="rgb_array")
    picture, _ = env.reset(seed=1)
    drawn = env.render()
    assert drawn is not None
    assert drawn.shape == (256, 256, 3)
    assert (drawn[::4, ::4] == picture).all()
    colours = {tuple(colour) for colour in picture.reshape(-1, 3).tolist()}
    assert {(235, 235, 235), (214, 48, 49)} < colours
    assert Reach().render() is None


@pytest.mark.parametrize("settings", [{"others": 9}, {"limit": 0}])
def test_settings_out_of_range_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="Expected"):
        Reach(**settings)
