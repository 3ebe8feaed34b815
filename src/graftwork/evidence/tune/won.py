"""What won, and by how much, in sentences for a reader without statistics."""

from __future__ import annotations

from graftwork.evidence.scores.intervals import Interval
from graftwork.evidence.tune.base_name import base_name
from graftwork.evidence.tune.costs import parameters_text
from graftwork.evidence.tune.outcome import Outcome
from graftwork.evidence.tune.trials import Trial
from graftwork.evidence.words import quoted
from graftwork.shown import counted

NAME = 80
"""Signs of a trial's name that are shown in a sentence."""
ROUNDING = 1e-9
"""An optimism that is no more than that of means of numbers."""


def won(found: Outcome) -> list[str]:
    """The kept one and its score; what it is beside the best score, the default, the runner-up; what new rows may be
    expected to say."""
    told = [_kept(found), found.about.tested and f"On rows that no trial was compared on: {found.about.tested}."]
    told += [_instead(found), _default(found), _runner_up(found), expectation(found)]
    if found.chosen.why:
        told.append(
            f"How much of the difference is chance can't be told: {found.chosen.why}. The best score was kept as it is."
        )
    return [one for one in told if one]


def called(one: Trial) -> str:
    """A trial in a sentence: `trial 3, 'linear probe of minilm'`."""
    return f"trial {one.number}, {quoted(one.name, NAME)}"


def rows_text(found: Outcome) -> str:
    """The rows that judged."""
    rows = counted(found.about.rows)
    if found.about.folds > 1:
        return f"{rows}, each predicted by a model that was trained without it ({found.about.folds} folds)"
    return f"{rows} that it was not trained on"


def gap_text(found: Outcome, gap: Interval) -> str:
    """`+1.8 points, 95 % interval +0.9 to +2.7`."""
    return f"{found.scale.gain(gap.value)}, 95 % interval {found.scale.interval(gap.low, gap.high)}"


def beside_chance(gap: Interval) -> str:
    """What an interval says of a difference."""
    if gap.low > 0:
        return "more than chance"
    return "less, by more than chance" if gap.high < 0 else "no more than chance"


def expectation(found: Outcome) -> str:
    """What may be expected on new rows, as the score of the chosen is partly luck."""
    one = found.optimism
    if one is None:
        return ""
    scale, expected = found.scale, one.expected
    ends = (expected.high, expected.low) if scale.less else (expected.low, expected.high)
    told = f"about {scale.score(expected.value)} ({scale.score(ends[0])} to {scale.score(ends[1])})"
    much = scale.gain(one.optimism).lstrip("+")
    lucky = one.optimism > ROUNDING and scale.number(one.optimism).strip("+") not in ("0", "0.0")
    luck = f"the winner of many is partly lucky, by {much} here" if lucky else "which added no luck to speak of here"
    apart = found.chosen.default != found.chosen.number
    gain = f", and {gap_text(found, one.gain)}, over the default" if one.gain is not None and apart else ""
    joined = ":" if lucky else ","
    return (
        f"{counted(one.trials, 'trial')} were compared on the same rows{joined} {luck}, by estimate. On new rows "
        f"expect {told}{gain}."
    )


def _kept(found: Outcome) -> str:
    one = found.kept
    score = "" if one.score is None else f": {found.scale.display} {found.scale.score(one.score)} on {rows_text(found)}"
    of = f" of {quoted(found.about.target)}" if found.about.target else ""
    unfinished = _unfinished(found) if found.chosen.unfinished else ""
    return f"The model{of} that is kept is {called(one)}{score}.{unfinished}"


def _unfinished(found: Outcome) -> str:
    """Why one is kept that was not trained to its end."""
    others = any(one.state == "finished" for one in found.trials)
    return f" It was not trained to its end: no trial {'that was keeps the limits' if others else 'was'}."


def _instead(found: Outcome) -> str:
    """Why another than the best score was kept."""
    chosen = found.chosen
    if chosen.number == chosen.best:
        return ""
    best, kept = found.trial(chosen.best), found.kept
    gap = found.gaps.get(best.number)
    apart = f" ({gap_text(found, Interval(-gap.value, -gap.high, -gap.low))})" if gap is not None else ""
    lead = f"The best score is that of {called(best)}{apart}"
    if chosen.rule == "default":
        return f"{lead}, but the luckiest of so many gets as far ahead by chance, so the default stands."
    if chosen.rule == "smaller":
        return (
            f"{lead}, but this one is within one standard error of it and smaller: {_saved(kept, best)}. Nothing is "
            "better than the default by more than chance among so many, and this one scores as well."
        )
    if chosen.rule == "near":
        return f"{lead}, but this one is within one standard error of it and plainer: {_saved(kept, best)}."
    if chosen.best not in chosen.among:  # far ahead, and so uncertain that it may be behind
        others = len(chosen.among) > 1
        this = f"Of the {len(chosen.among):,} that are this is the plainest." if others else "Only this one is."
        return f"{lead}, which is not better than the default by more than chance. {this}"
    return (
        f"{lead}, but the luckiest of so many gets as far ahead by chance. Of the {len(chosen.among):,} that are "
        "better than the default by more than chance, and that chance can't tell from the best, this is the plainest: "
        f"{_saved(kept, best)}."
    )


def _saved(kept: Trial, best: Trial) -> str:
    """In what the kept one is plainer, as the rule has it."""
    if kept.plainness[0] != best.plainness[0]:
        return f"{parameters_text(kept.parameters)} parameters instead of {parameters_text(best.parameters)}"
    if len(kept.techniques) != len(best.techniques):
        fewer = counted(len(kept.techniques), "technique") if kept.techniques else "no technique"
        return f"{fewer} instead of {len(best.techniques):,}"
    return f"it is on {quoted(base_name(kept.base), NAME)}, which was tried before {quoted(base_name(best.base), NAME)}"


def _default(found: Outcome) -> str:
    chosen = found.chosen
    if chosen.default is None:
        return "None of the candidates of graft fit came to its end, so there is no default to compare it with."
    if chosen.default == chosen.number:
        others = sum(one.state == "finished" for one in found.trials) - 1
        if not others:
            return "It is the best of what graft fit would have tried; nothing else came to its end."
        return (
            "It is the best of what graft fit would have tried: the search found nothing that is better by more than "
            "chance."
        )
    gap, default = chosen.to_default, found.trial(chosen.default)
    if gap is None:
        return ""
    return (
        f"Beside the best of what graft fit would have tried ({called(default)}): {gap_text(found, gap)}, on the same "
        f"rows. That is {beside_chance(gap)}."
    )


def _runner_up(found: Outcome) -> str:
    chosen = found.chosen
    if chosen.runner_up in (None, chosen.default) or chosen.to_runner_up is None:
        return ""
    if chosen.runner_up == chosen.best:
        return ""  # told as the best score
    assert chosen.runner_up is not None
    one, gap = found.trial(chosen.runner_up), chosen.to_runner_up
    return f"Beside the runner-up ({called(one)}): {gap_text(found, gap)}. That is {beside_chance(gap)}."
