"""What could go wrong with the model that a tune keeps, in sentences; only what this tune gives a reason for."""

from __future__ import annotations

from collections import Counter

from graftwork.evidence.tune.costs import latency_text, size_text
from graftwork.evidence.tune.outcome import Outcome
from graftwork.evidence.tune.won import called
from graftwork.evidence.words import line, of_hundred, sentence
from graftwork.shown import counted

FEW_ROWS = 200
"""Judged rows below which it is said what they can't see."""
NEARLY = 0.9
"""The share of a limit from which a model nearly reaches it."""
TOSS_UP = 0.5
LATE = 0.75
"""The share of the time after which the best score came late."""


def doubts(found: Outcome) -> list[str]:
    """The gravest first."""
    told = [
        _failed(found),
        _few_rows(found),
        _toss_up(found),
        _luck(found),
        _fitted(found),
        _untested(found),
        *_near_limits(found),
    ]
    told += [_beyond(found), _late(found), _stopped_early(found), _refitted(found), _refused(found)]
    return [one for one in told if one]


def came_late(found: Outcome) -> bool:
    """Whether the best score came in the last quarter of the time, so that more time may bring more."""
    best = [one for one in found.trials if one.score is not None and one.origin != "combined"]
    if not best or not found.about.seconds:
        return False
    first = max(best, key=lambda one: (one.score or 0.0, -one.at))
    return first.at > LATE * found.about.seconds and first.origin == "searched"


def _failed(found: Outcome) -> str:
    failed = [one for one in found.trials if one.state == "failed"]
    if not failed:
        return ""
    why, times = Counter(line(one.failed, 160) for one in failed).most_common(1)[0]
    often = "" if times == len(failed) else f", {times:,} of them so"
    return f"{counted(len(failed), 'trial')} of {len(found.trials):,} failed{often}: {sentence(why)}"


def _few_rows(found: Outcome) -> str:
    if not 0 < found.about.rows < FEW_ROWS:
        return ""
    widths = sorted(one.high - one.low for one in found.gaps.values() if one.high > one.low)
    least = found.scale.gain(widths[len(widths) // 2] / 2).lstrip("+") if widths else ""
    unseen = f": differences below some {least} can't be seen" if least else ""
    return f"Only {counted(found.about.rows)} judged the trials{unseen}. More labelled rows would tell more apart."


def _toss_up(found: Outcome) -> str:
    one = found.optimism
    if one is None or one.again >= TOSS_UP:
        return ""
    return (
        f"Other rows would have chosen another trial: on draws of the judged rows this one is chosen in "
        f"{of_hundred(round(one.again, 2))}. What was learned is how good a model can be here, less so which one it is."
    )


def _luck(found: Outcome) -> str:
    """What the estimate of optimism can't see."""
    searched = sum(one.origin == "searched" for one in found.trials)
    if searched < 10:
        return ""
    return (
        f"The search looked at the judged rows for each of its {searched:,} proposals. The estimate for new rows "
        "makes the final choice anew, not the search, so it may still be a little high."
    )


def _fitted(found: Outcome) -> str:
    """What is made of others by the judged rows was fitted to them."""
    if found.kept.origin != "combined":
        return ""
    return (
        "Which models it is made of, and their shares, were picked by their score on the judged rows. The estimate for "
        "new rows takes that as given, so its own gain may be a little high."
    )


def _untested(found: Outcome) -> str:
    if found.about.tested:
        return ""
    return "No row was kept apart from all choosing, so no score here is quite free of it. A test table gives one."


def _near_limits(found: Outcome) -> list[str]:
    one, limits, told = found.kept, found.about.limits, []
    if limits.latency is not None and one.latency >= NEARLY * limits.latency:
        told.append(
            f"It takes {latency_text(one.latency)} a row of the {latency_text(limits.latency)} allowed, measured on "
            "this machine. On a slower or busier one it may be beyond that."
        )
    if limits.size is not None and one.size >= NEARLY * limits.size:
        told.append(f"Its weights take {size_text(one.size)} of the {size_text(limits.size)} allowed.")
    return told


def _beyond(found: Outcome) -> str:
    if not found.chosen.beyond:
        return ""
    best = found.trial(found.chosen.beyond[0])
    score = "" if best.score is None else f", {found.scale.score(best.score)}"
    return (
        f"{counted(len(found.chosen.beyond), 'trial')} scored better and can't be kept within the limits, first of all "
        f"{called(best)}{score}: {latency_text(best.latency)} a row, {size_text(best.size)}."
    )


def _late(found: Outcome) -> str:
    if not came_late(found):
        return ""
    return "The best score came in the last quarter of the time: the search was cut short, more time may bring more."


def _stopped_early(found: Outcome) -> str:
    paused = sum(one.state == "paused" for one in found.trials)
    left = sum(one.state == "left out" for one in found.trials)
    were = f"{counted(paused, 'trial')} {'was' if paused == 1 else 'were'}"
    told = [f"{were} paused early, as others were ahead; one that starts slowly may be among them."] * bool(paused)
    told += [f"{counted(left, 'trial')} had no time for a first step."] * bool(left)
    return " ".join(told)


def _refitted(found: Outcome) -> str:
    if found.about.folds < 2:
        return ""
    return (
        f"The scores are those of {found.about.folds} models, each trained without a fold. The kept model is trained "
        "on all rows by the same recipe; it was not scored itself, and should be about as good or a little better."
    )


def _refused(found: Outcome) -> str:
    if not found.about.refused:
        return ""
    proposals = counted(found.about.refused, "proposal")
    return f"{proposals} could not be run: techniques or settings that exclude each other."
