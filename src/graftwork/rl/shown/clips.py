"""Short moving pictures of a policy at work: of a few episodes the best and a typical one, as GIFs of bounded size."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from graftwork.errors import GraftworkError
from graftwork.evidence.rl.outcome import Clip
from graftwork.shown import shown_line

if TYPE_CHECKING:
    from PIL.Image import Image

FRAMES, SIDE, BYTES = 200, 240, 1_500_000
"""Pictures of a clip, pixels of its longer side, and bytes of its file, at most."""
LONGEST = 5000
"""Steps after which an episode is no longer filmed."""
_COLOURS = 64
_SHORTEST, _LONGEST = 20, 250
"""Milliseconds of a picture: shorter ones are not shown as such, longer ones look like a slide show."""

Act = Callable[[Sequence[Any]], Sequence[Any]]
"""Observations in, an action for each out."""


@dataclass
class Film:
    """The pictures of an episode: every one at first, then as many as keep them at most `FRAMES`, evenly spread."""

    pictures: list[Image] = field(default_factory=list)
    every: int = 1

    def wants(self, step: int) -> bool:
        """Whether to draw at this step."""
        return step % self.every == 0

    def add(self, pixels: np.ndarray) -> None:
        """pixels (H, W, 3), bytes."""
        if len(self.pictures) == FRAMES:
            self.pictures, self.every = self.pictures[::2], 2 * self.every
        self.pictures.append(small(pixels))


@dataclass(frozen=True)
class _Filmed:
    film: Film
    returned: float
    length: int


def clips(make: Callable[[str], Any], act: Act, seeds: Sequence[int]) -> tuple[tuple[Clip, ...], str]:
    """The best and a typical clip, of an episode for each seed; none, and why, where the environment can't draw.

    make: makes an environment that draws itself in a mode. act: the policy's. A failure to draw is told, never raised:
    what was learned stands.
    """
    env = None
    try:
        with _without_screen():
            env = make("rgb_array")
            filmed = [_filmed(env, act, seed) for seed in seeds]
    except Exception as error:  # whatever an environment's own drawing fails of
        return (), _why(error)
    finally:
        with suppress(Exception):
            if env is not None:
                env.close()
    ordered = sorted(filmed, key=lambda one: one.returned)
    speed = _milliseconds(env)
    best, typical = ordered[-1], ordered[(len(ordered) - 1) // 2]
    return (_clip("best", best, speed), _clip("typical", typical, speed)), ""


def gif(film: Film, milliseconds: float) -> bytes:
    """The film as a GIF of at most `BYTES`: shown at the pace at which it happened, as far as that is to be seen."""
    pictures, every = film.pictures, film.every
    while True:
        pace = int(min(max(milliseconds * every, _SHORTEST), _LONGEST)) // 10 * 10  # GIFs count in hundredths
        content = _encoded(pictures, pace)
        if len(content) <= BYTES or min(pictures[0].size) <= 32:
            return content
        stride = min(math.ceil(len(content) / BYTES), len(pictures) * 4 // FRAMES)
        if stride > 1:
            pictures, every = pictures[::stride], stride * every
        else:
            pictures = [one.resize((one.width // 2, one.height // 2)) for one in pictures]


def small(pixels: np.ndarray) -> Image:
    """A picture no larger than a clip's. Raises ValueError for what is none."""
    from PIL import Image

    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
        raise ValueError(
            f"it drew {pixels.dtype} of shape {pixels.shape}, where bytes of shape (height, width, 3) belong"
        )
    picture = Image.fromarray(pixels)
    if max(picture.size) > SIDE:
        picture.thumbnail((SIDE, SIDE))
    elif max(picture.size) <= SIDE // 2:  # the pixels of a small world stay squares
        factor = SIDE // max(picture.size)
        picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    return picture


@contextmanager
def _without_screen() -> Iterator[None]:
    """SDL, with which most environments draw, looks for no display and no loudspeaker where none is said."""
    usual = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    own = {name: value for name, value in usual.items() if name not in os.environ}
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            os.environ.pop(name, None)


def _filmed(env: Any, act: Act, seed: int) -> _Filmed:
    film, total, length = Film(), 0.0, 0
    observation, _ = env.reset(seed=seed)
    film.add(env.render())
    ended = False
    while not ended and length < LONGEST:
        observation, reward, over, cut, _ = env.step(act([observation])[0])
        total, length, ended = total + float(reward), length + 1, bool(over or cut)
        if ended or film.wants(length):
            film.add(env.render())
    return _Filmed(film, total, length)


def _clip(name: Literal["best", "typical"], one: _Filmed, milliseconds: float) -> Clip:
    return Clip(name, gif(one.film, milliseconds), one.returned, one.length)


def _encoded(pictures: Sequence[Image], milliseconds: int) -> bytes:
    """Each with colours of its own, without dither: flat worlds stay flat, and small."""
    from PIL import Image

    drawn = [one.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE) for one in pictures]
    durations = [milliseconds] * (len(drawn) - 1) + [max(1000, milliseconds)]  # the end is seen before it begins again
    stream = io.BytesIO()
    drawn[0].save(stream, "GIF", save_all=True, append_images=drawn[1:], duration=durations, loop=0, optimize=False)
    return stream.getvalue()


def _milliseconds(env: Any) -> float:
    """Of a step, as the environment says it; a tenth of a second where it does not."""
    try:
        fps = float((getattr(env, "metadata", None) or {}).get("render_fps") or 10)
    except (TypeError, ValueError):
        return 100.0
    return 1000 / fps if fps > 0 else 100.0


def _why(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = lines[0] if lines else type(error).__name__
    if not isinstance(error, GraftworkError):
        told = f"{type(error).__name__}: {told}" if lines else told
    return f"the environment could not draw itself ({shown_line(told)})."
