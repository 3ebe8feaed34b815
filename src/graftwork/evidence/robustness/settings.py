"""What is tried in a measurement of robustness, and how far; pure data."""

from __future__ import annotations

from dataclasses import dataclass

from graftwork.data.table import Modality
from graftwork.errors import UsageError

EPSILONS: dict[Modality, tuple[float, ...]] = {
    "image": (1 / 255, 2 / 255, 4 / 255, 8 / 255),
    "audio": (0.0005, 0.001, 0.002, 0.005),
    "text": (0.02, 0.05, 0.1, 0.2),
}
"""Tried where the settings name none."""
HUGE: dict[Modality, float] = {"image": 0.5, "audio": 0.5, "text": 1.0}
"""So far that a row can be turned into nearly any other: an attack that fails here is no attack."""
UNITS: dict[Modality, str] = {
    "image": "of the range of a pixel (1/255 is one grey level)",
    "audio": "of full scale, for every sample",
    "text": "of the length of the embeddings",
}


@dataclass(frozen=True, kw_only=True)
class RobustnessSettings:
    """What is tried.

    rows: how many rows, drawn by the seed; 0 takes all. epsilons: how far the attacks may change an input, in its own
        units, each above 0 and at most 1; empty for 1, 2, 4 and 8 of 255 grey levels, 0.0005 to 0.005 of full scale of
        sounds, 2 to 20 % of the length of embeddings. steps, restarts: of the gradient attack (PGD).
    queries: predictions a row that the black-box attack may ask for, at the largest epsilon; 0 leaves it out.
    attacks: whether rows are attacked. corruptions: whether noise, blur, weather, echo or typing errors are tried.
    """

    rows: int = 500
    epsilons: tuple[float, ...] = ()
    steps: int = 20
    restarts: int = 2
    queries: int = 500
    attacks: bool = True
    corruptions: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name, low, high in (
            ("rows", 0, 10**9),
            ("steps", 1, 1000),
            ("restarts", 1, 100),
            ("queries", 0, 100_000),
            ("seed", 0, 2**62),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise UsageError(f"robust: {name} is {value}. Expected a number from {low} to {high}.")
        if not (self.attacks or self.corruptions):
            raise UsageError("robust: neither attacks nor corruptions are to be tried. Leave one of them on.")
        for epsilon in self.epsilons:
            if not 0 < epsilon <= 1:
                raise UsageError(
                    f"robust: epsilon {epsilon:g} is out of the input's range. Expected a number above 0 and at most "
                    "1, such as 8/255 for images, whose pixels go from 0 to 1."
                )

    def tried(self, modality: Modality) -> tuple[float, ...]:
        """The epsilons for inputs of this kind, in rising order."""
        return tuple(sorted(set(self.epsilons or EPSILONS[modality])))
