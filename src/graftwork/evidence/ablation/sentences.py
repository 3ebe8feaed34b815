"""A finding in words: helps, hurts, or not distinguishable from noise, and what would settle it."""

from __future__ import annotations

from graftwork.evidence.ablation.corrected_t import FEWEST, Weighed
from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.words import line, quoted
from graftwork.shown import counted


def finding_sentence(name: str, weighed: Weighed, scale: Scale, *, failed: int = 0, alone: bool = False) -> str:
    """Of a comparison that can be run. failed: runs. alone: whether its own interval leaves 0 out."""
    told = f"{line(name)} {_told(weighed, scale, alone=alone)}"
    return f"{told} {counted(failed, 'run')} failed." if failed else told


def refused_sentence(name: str, why: str) -> str:
    """Of a comparison whose arm can't be run."""
    return f"{line(name)} can't be compared: {line(why)}"


def interaction_sentence(players: tuple[str, str], weighed: Weighed, scale: Scale) -> str:
    """Of two players."""
    one, other = map(quoted, players)
    measured = "" if weighed.value is None else f" ({_measured(weighed, scale)})"
    if weighed.holm is None:
        return f"Of {one} and {other} together there is no verdict yet{measured}: it needs {FEWEST} repeats or more."
    if weighed.side > 0:
        return f"{one} and {other} bring more together than apart{measured}."
    if weighed.side < 0:
        return f"{one} and {other} bring less together than apart{measured}: one does part of what the other does."
    return f"That {one} and {other} act on each other is not distinguishable from noise{measured}."


def _told(weighed: Weighed, scale: Scale, *, alone: bool) -> str:
    if weighed.value is None:
        return f"has no repeat with all its runs yet; a verdict needs {FEWEST}."
    if weighed.holm is None:
        so_far = f"{scale.gain(weighed.value)} in {counted(weighed.repeats, 'repeat')}"
        return f"has no verdict: {so_far}, and it needs {(weighed.settles or 0) + weighed.repeats}."
    if weighed.side:
        return f"{'helps' if weighed.side > 0 else 'hurts'}: {_measured(weighed, scale)}."
    if weighed.low == weighed.high == 0:
        return f"made no difference: the same score with and without it in all {weighed.repeats} repeats."
    told = f"is not distinguishable from noise: {_measured(weighed, scale)}."
    if alone:
        told += (
            f" Its own interval leaves 0 out, but among so many comparisons chance does that (p {weighed.holm:.2f})."
        )
    if weighed.settles is None:
        return f"{told} If it stays so small, more repeats won't settle it; more rows may."
    return f"{told} If it stays so, about {counted(weighed.settles, 'more repeat')} would settle it."


def _measured(weighed: Weighed, scale: Scale) -> str:
    assert weighed.value is not None
    gain, repeats = scale.gain(weighed.value), counted(weighed.repeats, "repeat")
    if weighed.low is None or weighed.high is None:
        return f"{gain}, {repeats}"
    return f"{gain} (95 % interval {scale.interval(weighed.low, weighed.high)}, {repeats})"
