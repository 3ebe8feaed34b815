"""What learning by reward came to in plain sentences: how good, what that rests on, where not, what it cost, what next.

The page and the terminal show these same words.
"""

from __future__ import annotations

import numpy as np

from graftwork.evidence.rl.curve import iqm
from graftwork.evidence.rl.next_steps import next_steps
from graftwork.evidence.rl.outcome import Outcome
from graftwork.evidence.rl.words import both_text, interval_text, return_text, share_text, value_text
from graftwork.evidence.summary.summary import Summary, Trouble, Verdict
from graftwork.evidence.words import duration, line, of_hundred
from graftwork.shown import counted

_APART = 0.25
"""Part of the lead over random actions by which seeds differ before it is said."""


def told(found: Outcome) -> Summary:
    """In the order of a report's first screen."""
    return Summary(
        title=f"How well does {line(found.about.algorithm.partition(':')[0], 40)} act in {line(found.about.env, 80)}?",
        verdicts=tuple(_verdicts(found)),
        trust=tuple(_trust(found)),
        trouble=tuple(Trouble(one) for one in _trouble(found)),
        made_from=tuple(_made_from(found)),
        steps=next_steps(found),
    )


def _verdicts(found: Outcome) -> list[Verdict]:
    if not found.scored:
        why = f": {line(found.failed[0].failed)}" if found.failed else ""
        return [Verdict("", f"Nothing was learned that could be scored{why}.", warning=True)]
    nothing = found.lead is not None and found.lead.low <= 0
    parts = [_return(found), _beside_random(found)]
    verdicts = [Verdict("", " ".join(filter(None, parts)), warning=nothing)]
    verdicts += [Verdict("", one) for one in (_success(found), _solved(found)) if one]
    return verdicts


def _return(found: Outcome) -> str:
    episodes = sum(len(one.returns) for one in found.last)
    over = f"{counted(len(found.last), 'seed')} and {counted(episodes, 'episode')}"
    return f"Return {both_text(found.iqm)} after {found.steps:,} steps: the interquartile mean over {over}."


def _beside_random(found: Outcome) -> str:
    if found.random is None or found.lead is None:
        return ""
    random = return_text(iqm(np.array(found.random.returns)))
    if found.lead.low > 0:
        return f"Acting at random returns {random}."
    if found.lead.high < 0:
        return f"That is less than acting at random, which returns {random}."
    return f"That is not distinguishable from acting at random, which returns {random}."


def _success(found: Outcome) -> str:
    if found.success is None:
        return ""
    told = f"It reaches its goal in {share_text(found.success)}."
    if found.random is not None and found.random.successes:
        random = sum(found.random.successes) / len(found.random.successes)
        told += f" Acting at random does in {of_hundred(random)}{', so look at the return too' if random else ''}."
    return told


def _solved(found: Outcome) -> str:
    threshold = found.about.threshold
    if threshold is None:
        return ""
    mean, said = found.mean, f"The environment counts as solved from a mean return of {return_text(threshold)} on"
    if mean.low >= threshold:
        return f"{said}, and it is: the mean is {both_text(mean)}."
    if mean.high < threshold:
        return f"{said}, which it is not: the mean is {both_text(mean)}."
    if mean.value >= threshold:
        return f"{said}. The mean, {both_text(mean)}, reaches that, but its interval reaches below."
    return f"{said}. The mean, {both_text(mean)}, is below that; its interval reaches above, so it may yet be."


def _trust(found: Outcome) -> list[str]:
    if not found.scored:
        return []
    told = [
        "Of each seed the policy that did best while it learned is kept, and scored once more: on episodes that "
        "nothing was chosen by, with its most probable action in each step."
    ]
    early = [run for run in found.runs if run.last is not None and run.final is None]
    if early:
        which = f"seed {early[0].seed} ended" if len(early) == 1 else f"{len(early)} seeds ended"
        told.append(f"As {which} early, what counts there is the last score while it learned.")
    if len(found.last) == 1:
        told.append(
            "One seed: the interval is over its episodes alone, and another seed may come out elsewhere. Five tell "
            "more."
        )
    else:
        told.append(
            f"Intervals are over seeds and episodes. The policy that is saved is that of seed {found.kept}, the one "
            "that did best while it learned; expect of another run what all seeds say."
        )
    return told


def _trouble(found: Outcome) -> list[str]:
    told = [f"Seed {one.seed} ended early: {line(one.failed, 300)}" for one in found.failed]
    if not found.scored:
        return told
    means = {run.seed: float(np.mean(run.last.returns)) for run in found.runs if run.last is not None}
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    lead = abs(found.lead.value) if found.lead is not None else abs(means[high])
    if len(means) > 1 and means[high] - means[low] > _APART * lead:
        told.append(
            f"Seeds come out far apart: a mean return of {return_text(means[low])} (seed {low}) to "
            f"{return_text(means[high])} (seed {high})."
        )
    if found.learned is not None and found.learned.low <= 0:
        told.append(
            "That learning brought anything can't be told from chance: what it returns beyond the untrained policy "
            f"is {both_text(found.learned)}."
        )
    if found.fall is not None:
        step, gap = found.fall
        told.append(
            f"It was better before its end: at {step:,} steps the return was higher by {value_text(gap)} "
            f"({interval_text(gap)}). The best policy is kept; a lower learning rate makes learning steadier."
        )
    if _never_varies(found):
        told.append("Every episode returned the very same, also at random: is the reward what you mean it to be?")
    return told


def _never_varies(found: Outcome) -> bool:
    values = {value for one in (*found.last, *([found.random] if found.random else [])) for value in one.returns}
    return found.random is not None and len(values) == 1


def _made_from(found: Outcome) -> list[str]:
    about = found.about
    each = counted(found.steps, "step")
    seeds = f" for each of {counted(len(found.runs), 'seed')}" if len(found.runs) > 1 else ""
    told = [
        f"{each} of {line(about.env, 80)}{seeds}, learned by {line(about.algorithm, 120)}; {line(about.network, 160)}."
    ]
    if found.seconds:
        told.append(
            f"Learning took {duration(found.seconds)}, {duration(found.cpu)} of processor time: {found.rate:,.0f} "
            f"steps a second in {counted(about.envs, 'environment')} side by side."
        )
    return told
