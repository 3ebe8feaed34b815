"""What to do next after learning by reward: at most three steps, each with its reason and the command to copy."""

from __future__ import annotations

from graftwork.evidence.rl.outcome import Outcome
from graftwork.evidence.rl.words import interval_text, value_text
from graftwork.evidence.summary.summary import NextStep
from graftwork.evidence.words import listed

MOST = 3
ENOUGH_SEEDS = 5


def next_steps(found: Outcome) -> tuple[NextStep, ...]:
    """The most promising first; nothing that the run gives no reason for."""
    commands, about = found.about.commands, found.about
    steps = list[NextStep]()
    if any(one.interrupted or one.failed for one in found.runs):
        steps.append(NextStep("Go on from where it ended.", commands.resume))
    if not found.scored:
        return tuple(steps)
    no_better = found.lead is not None and found.lead.low <= 0
    if no_better or (found.learned is not None and found.learned.low <= 0 and not _solved(found)):
        than = "acting at random" if no_better else "before it learned, as far as can be told"
        steps += [
            NextStep(f"Give it more steps: after {found.steps:,} it is no better than {than}.", commands.longer),
            NextStep(
                "Look at the reward: does a good episode return more than a bad one, and does a random one ever get "
                "any?"
            ),
        ]
        if "normalisation" not in about.parts:
            steps.append(NextStep("Scale observations and rewards by what was met so far.", commands.normalise))
        return tuple(steps[:MOST])
    grown = found.late_growth
    if grown is not None and grown.low > 0 and not _solved(found):
        text = (
            f"Give it more steps: the return still grew by {value_text(grown)} ({interval_text(grown)}) in the last "
            "third of them."
        )
        steps.append(NextStep(text, commands.longer))
    if len(found.runs) < ENOUGH_SEEDS:
        steps.append(NextStep("Repeat it with five seeds, to see how much is luck.", commands.seeds))
    if about.parts:
        them = "it" if len(about.parts) == 1 else "each"
        steps.append(
            NextStep(f"See what {listed(about.parts)} brought: runs with and without {them}.", commands.ablate)
        )
    steps.append(NextStep("Use it.", commands.use))
    return tuple(steps[:MOST])


def _solved(found: Outcome) -> bool:
    return found.about.threshold is not None and found.mean.low >= found.about.threshold
