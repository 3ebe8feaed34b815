"""Clips of environments that draw themselves, and what is said of those that don't."""

from __future__ import annotations

import io
from typing import Any

import gymnasium
import numpy as np
import pytest
from PIL import Image

from graftwork.rl.shown import clips as clips_module
from graftwork.rl.shown.clips import BYTES, FRAMES, SIDE, Film, clips, gif, small


class Square(gymnasium.Env[np.ndarray, int]):
    """A square moves right by a pixel a step; as long as its seed says, a reward of 1 each."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 25}  # noqa: RUF012
    observation_space = gymnasium.spaces.Box(0, 1000, (1,))
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, render_mode: str | None = None, side: int = 64) -> None:
        self.render_mode, self.side, self.closed = render_mode, side, False

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.ndarray, dict[str, Any]]:
        self.end, self.at = int(seed or 1), 0
        return np.zeros(1, np.float32), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.at += 1
        return np.array([self.at], np.float32), 1.0, self.at >= self.end, False, {}

    def render(self) -> np.ndarray:
        pixels = np.full((self.side, self.side, 3), 230, np.uint8)
        pixels[:, self.at % self.side] = (200, 30, 30)
        return pixels

    def close(self) -> None:
        self.closed = True


def act(observations: Any) -> list[int]:
    return [0 for _ in observations]


def frames_of(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_of_the_episodes_the_best_and_the_median_are_shown() -> None:
    made: list[Square] = []

    def make(mode: str) -> Square:
        made.append(Square(mode))
        return made[-1]

    (best, typical), why = clips(make, act, [3, 40, 7, 12, 5])
    assert why == ""
    assert (best.name, best.returned, best.length) == ("best", 40.0, 40)
    assert (typical.name, typical.returned, typical.length) == ("typical", 7.0, 7)
    assert made[0].closed
    shown = frames_of(best.gif)
    assert shown.n_frames == 41  # the beginning, and each step
    assert shown.info["duration"] == 40  # 25 pictures a second
    assert max(shown.size) <= SIDE


def test_a_long_episode_is_thinned_evenly_and_drawn_no_more_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = 0
    render = Square.render

    def counting(self: Square) -> np.ndarray:
        nonlocal drawn
        drawn += 1
        return render(self)

    monkeypatch.setattr(Square, "render", counting)
    (best, _), _ = clips(Square, act, [3000])
    assert FRAMES / 2 <= frames_of(best.gif).n_frames <= FRAMES
    assert best.length == 3000
    assert drawn < 4 * FRAMES


def test_an_episode_without_an_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips_module, "LONGEST", 50)
    (best, _), _ = clips(Square, act, [10**6])
    assert best.length == 50


def test_noise_that_does_not_compress_stays_within_its_bytes() -> None:
    film, draw = Film(), np.random.default_rng(0)
    for _ in range(80):
        film.add(draw.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
    content = gif(film, 20)
    assert len(content) <= BYTES
    assert frames_of(content).n_frames > 10


def test_pixels_of_a_small_world_stay_squares() -> None:
    pixels = np.zeros((7, 7, 3), np.uint8)
    pixels[3, 3] = 255
    large = np.asarray(small(pixels))
    assert large.shape[0] > 200
    assert set(np.unique(large)) == {0, 255}


class Blind(Square):
    """As many are: no picture in any mode."""

    def render(self) -> None:  # type: ignore[override]
        return None


class Failing(Square):
    def render(self) -> np.ndarray:
        raise OSError("no display\nmore")


@pytest.mark.parametrize(
    ("make", "said"),
    [(Blind, "drew object of shape ()"), (Failing, "OSError: no display"), (lambda _: 1 / 0, "division by zero")],
)
def test_what_can_not_be_drawn_is_said_and_ends_nothing(make: Any, said: str) -> None:
    found, why = clips(make, act, [3])
    assert found == ()
    assert said in why
    assert "\n" not in why


def test_cart_pole_is_filmed() -> None:
    pytest.importorskip("pygame")
    (best, _), why = clips(lambda mode: gymnasium.make("CartPole-v1", render_mode=mode), act, [0, 1])
    assert why == ""
    assert best.length / 2 < frames_of(best.gif).n_frames <= best.length + 1  # pictures that are the same become one
