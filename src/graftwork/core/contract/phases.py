"""When techniques act: the phases of a run in their order."""

from __future__ import annotations

from enum import IntEnum, auto


class Phase(IntEnum):
    """When a technique acts, by meaning. For wrapped stages (objective, gradient) an earlier phase is further out.

    Two techniques in one phase commute, or claim the same thing, so that their order says nothing (a test holds every
    pair to it); ties are broken by name. One that must come before or behind another has a phase of its own.
    """

    FUSION = auto()
    PARAMETERS = auto()
    START = auto()
    LABELS = auto()
    PRESENCE = auto()  # which inputs a row has
    WORDS = auto()  # texts: what they say, then what of it can be read
    TOKENS = auto()
    AFFINE = auto()  # images: as the thing is turned, lit, framed and mirrored, then edits of the picture
    COLOUR = auto()
    CROP = auto()
    FLIP = auto()
    POLICY = auto()
    LOUDNESS = auto()  # sounds: the source, what is heard beside it, when it comes, then what is made of the wave
    NOISE = auto()
    SHIFT = auto()
    SPECTRUM = auto()
    MIX = auto()
    DISTIL = auto()
    VIEWS = auto()  # each pass of its own through the network moves its running means, so these have an order
    DROPOUT = auto()
    SMOOTHNESS = auto()
    ATTACK = auto()
    REWARD = auto()
    SHARPNESS = auto()
    INNER_LOOP = auto()
    ACCUMULATE = auto()
    TARGETS = auto()
    WEIGHTS = auto()
    INTERPOLATE = auto()  # between the start and what was trained or averaged
    REFIT = auto()
