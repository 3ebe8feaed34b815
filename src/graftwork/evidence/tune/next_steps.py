"""What to do after a tune, with the commands to copy: only what it gives a reason for, the most promising first."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

from graftwork.evidence.summary.summary import NextStep
from graftwork.evidence.tune.costs import costs_text, options_text
from graftwork.evidence.tune.doubts import FEW_ROWS, came_late
from graftwork.evidence.tune.outcome import Outcome
from graftwork.evidence.tune.trials import Trial
from graftwork.evidence.tune.won import called

MOST = 5
_OWN_OPTIONS = re.compile(r" --(?:resume|new|(?:out|latency|size)[ =](?:'[^']*'|\S+))(?= |$)")
"""What another search, in a folder of its own, doesn't share with the one that was made."""
_NEW, _OUT = re.compile(r" --new(?= |$)"), re.compile(r" --out[ =]")
_TRIALS = re.compile(r"( --trials[ =])(\d+)")
SLACK = 1.3
"""Of a time for a row that another search is to keep."""
_MUCH_CHEAPER = 0.6
"""The share of its time or bytes below which another one on the front is worth naming."""


def next_steps(found: Outcome) -> tuple[NextStep, ...]:
    """At most five."""
    told = [*_failures(found), *_go_on(found), *_test(found), *_label(found), *_ablate(found), *_cheaper(found)]
    return (*told[: MOST - 1], *_use(found))


def _failures(found: Outcome) -> list[NextStep]:
    failed = [one for one in found.trials if one.state == "failed"]
    if 2 * len(failed) <= len(found.trials):
        return []
    text = "Mend what most trials failed of (it stands in the table of trials), and search anew: failed ones stay so."
    command = found.about.command
    anew = f"{command} --new" if command and not _NEW.search(command) and "--resume" not in command.split() else ""
    return [NextStep(text, anew)]


def _go_on(found: Outcome) -> list[NextStep]:
    if not (came_late(found) or found.about.interrupted) or not found.about.command:
        return []
    command, folder = _NEW.sub("", found.about.command), found.about.folder
    more = _TRIALS.sub(lambda count: f"{count[1]}{2 * int(count[2])}", command)
    more += f" --out {shlex.quote(folder)}" if folder and not _OUT.search(command) else ""
    resume = "" if "--resume" in command.split() else " --resume"
    return [NextStep("Go on searching from where it ended.", f"{more}{resume}")]


def _test(found: Outcome) -> list[NextStep]:
    if found.about.tested:
        return []
    text = "Score it on labelled rows that no trial saw: that number nothing has flattered."
    return [NextStep(text, f"graft evaluate {_folder(found)} test.csv")]


def _label(found: Outcome) -> list[NextStep]:
    gap = found.chosen.to_runner_up
    open_ = found.chosen.number != found.chosen.best or (gap is not None and gap.low <= 0)
    if found.about.rows >= FEW_ROWS or not open_:
        return []
    text = "Label more rows: so few can't tell the first trials apart. This says which rows would help most."
    return [NextStep(text, f"graft advise {_folder(found)}")]


def _ablate(found: Outcome) -> list[NextStep]:
    if not found.kept.techniques or found.kept.members:
        return []
    text = "See what each technique of the kept model brings, by runs with and without it on several splits."
    return [NextStep(text, f"graft ablate {_folder(found)}")]


def _cheaper(found: Outcome) -> list[NextStep]:
    one = cheaper(found)
    if one is None or one.score is None or not found.about.command:
        return []
    score = found.scale.score(one.score)
    text = f"Where it has to be cheaper, {called(one)} scores {score} and needs {costs_text(one)}. To keep such a one:"
    plain = _OWN_OPTIONS.sub("", found.about.command)
    beside = f" --out {shlex.quote(found.about.folder + '-cheaper')}" if found.about.folder else ""
    slack = replace(one, latency=SLACK * one.latency)  # which is measured anew, and never quite the same
    small = one.size < _MUCH_CHEAPER * found.kept.size
    return [NextStep(text, f"{plain} {options_text(slack, latency=not small, size=small)}{beside}")]


def cheaper(found: Outcome) -> Trial | None:
    """On the front, the best score of those that need much less time or bytes than the kept one; None without any."""
    kept = found.kept
    for number in found.front:
        one = found.trial(number)
        saves = one.latency < _MUCH_CHEAPER * kept.latency or one.size < _MUCH_CHEAPER * kept.size
        if saves and one.number != kept.number and one.latency <= kept.latency and one.size <= kept.size:
            return one
    return None


def _use(found: Outcome) -> list[NextStep]:
    return [NextStep("Use it.", f"graft predict {_folder(found)} new.csv --out predictions.csv")]


def _folder(found: Outcome) -> str:
    return shlex.quote(found.about.folder) if found.about.folder else "FOLDER"
