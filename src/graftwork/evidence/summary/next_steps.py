"""What to do next: at most three steps, the most promising first, each with its reason and the command to copy.

Nothing is suggested that the run gives no reason for.
"""

from __future__ import annotations

import math
import re
import shlex

from graftwork.evidence.details import EpisodeDetails, LabelDetails, SearchDetails
from graftwork.evidence.results import Findings
from graftwork.evidence.scores.verification import Verification
from graftwork.evidence.summary.summary import NextStep
from graftwork.evidence.words import duration, line, listed, quoted
from graftwork.shown import counted

MOST = 3
_FEW_ROWS_A_CLASS = 20
_DOUBLED = 0.05
_MOSTLY = 0.7
"""The share of its steps below which a run was cut too short to leave it at that."""
_SHORTENED = re.compile(r"(?P<name>.*): (?:ended after )?(?P<made>\d+) of (?P<of>\d+) steps\b.*\bbudget\b")
"""What a run says that has no time for all its steps."""


def next_steps(report: Findings, *, warned: bool) -> tuple[NextStep, ...]:
    """warned: a verdict warns, so that no finding of this model counts as a reason."""
    text, command = report.leads_to
    if text:
        whole = NextStep(text, command.format(folder=shlex.quote(report.folder)) if report.folder else "")
        return (*_more_time(report), whole)
    found = [*_leak(report), *_more_time(report), *_base(report)]
    if warned:
        return tuple([*found, *_rare(report), *_look(report)][:MOST])
    found[:0] = _doubled(report)
    found += [*_labels(report), *_harmful_input(report), *_rare(report), *_test(report), *_use(report)]
    return tuple(found[:MOST])


def ablation_step(report: Findings) -> NextStep | None:
    """How to see what each technique brought, of a run whose techniques were named; None of one that chose them, or has
    none."""
    names = [row[0] for row in report.plan[1:]]
    if not names or len(report.candidates) > 1 or any(one.name != "run" for one in report.candidates):
        return None
    text = f"See what {listed(names)} brought: runs with and without {'it' if len(names) == 1 else 'each'}."
    allowed = [word for module in report.code for word in ("--allow-code", module)]
    command = shlex.join(["graft", "ablate", report.folder, *allowed]) if report.folder else "gw.ablate(…)"
    return NextStep(text, command)


def _look(report: Findings) -> list[NextStep]:
    """Where nothing was learned: can it be?"""
    _, evaluation = report.headline
    if isinstance(evaluation.details, Verification):
        return [NextStep("Give it rows of more, so that more are left to test with.")]
    told = f" from {listed(report.reads)}" if report.reads else ""
    target = f" {quoted(report.target)}" if report.target and not report.more else " the answer"
    return [
        NextStep(f"Look at ten rows yourself: could you tell{target}{told}? If you can't, neither can a model."),
        NextStep("If you can, try another base, or label more rows.", "graft list bases"),
    ]


def _leak(report: Findings) -> list[NextStep]:
    warning = next((one for one in report.warnings if one.kind == "leak"), None)
    if warning is None:
        return []
    return [NextStep(line(warning.message), _again(report, ignore=warning.columns) if warning.columns else "")]


def _doubled(report: Findings) -> list[NextStep]:
    """Rows that measure it and that it has learned, where they are so many that its score is not to be trusted."""
    split, evaluation = report.headline
    for warning in report.warnings:
        counts = warning.kind == "duplicates" and f" {split} rows " in warning.message
        if counts and len(warning.rows) >= _DOUBLED * evaluation.rows:
            return [NextStep(line(warning.message))]
    return []


def _more_time(report: Findings) -> list[NextStep]:
    """More of the budget, where it kept rows or candidates out."""
    if report.budget is None:
        return []
    used, total = report.rows_used, report.rows_total
    if used is not None and total is not None and used < total:
        seconds = _round_up(report.budget_for_all or report.budget * total / used)
        text = f"Give it about {duration(seconds)}, and it uses all {counted(total)} instead of {used:,}."
        return [NextStep(text, _again(report, budget=seconds))]
    if any("the budget is used up" in note for note in report.notes):
        seconds = _round_up(3 * report.budget)
        text = f"Give it more time: the budget of {duration(report.budget)} left out some of what it would have tried."
        return [NextStep(text, _again(report, budget=seconds))]
    made, wanted = _steps(report)
    if made < _MOSTLY * wanted:
        seconds = _round_up(min(wanted / max(1, made), 10) * report.budget)
        text = f"Give it more time: in {duration(report.budget)} it could train for {made:,} steps of {wanted:,}."
        return [NextStep(text, _again(report, budget=seconds))]
    return []


def _steps(report: Findings) -> tuple[int, int]:
    """Of the run that the budget shortened most, the steps that it made and those that it would have made."""
    runs = dict[str, tuple[int, int]]()
    for note in report.notes:
        found = _SHORTENED.match(note)
        if found:
            name, made, of = found["name"], int(found["made"]), int(found["of"])
            runs[name] = made, max(of, runs.get(name, (0, 0))[1])
    return min(runs.values(), key=lambda one: one[0] / one[1], default=(0, 0))


def _base(report: Findings) -> list[NextStep]:
    """A pretrained base, where one is trained from nothing or can't read the rows."""
    return [NextStep(line(one.message)) for one in report.warnings if one.kind == "base"][:1]


def _round_up(seconds: float) -> float:
    """To whole minutes, or to tens of seconds below two."""
    unit = 60 if seconds > 120 else 10
    return float(unit * math.ceil(seconds / unit))


def _labels(report: Findings) -> list[NextStep]:
    count = sum(len(result.suspects) for result in report.results)
    if not count:
        return []
    place = report.sources.get("validation", "")
    of = f" of {line(place)}" if place else ""
    them = "it" if count == 1 else "them, the likeliest first"
    text = f"Look at {counted(count)}{of} whose label may be wrong: the report lists {them}."
    return [NextStep(text)]


def _harmful_input(report: Findings) -> list[NextStep]:
    """An input without which the model scored better, beyond chance."""
    for result in report.results:
        for one in result.inputs:
            if one.gain.high < 0 and one.columns:
                metric = one.metric
                text = (
                    f"Leave out {listed(one.columns)}: without it the {metric.display.lower()} was "
                    f"{metric.text(one.without)} in place of {metric.text(one.score)}."
                )
                return [NextStep(text, _again(report, ignore=one.columns))]
    return []


def _rare(report: Findings) -> list[NextStep]:
    """Classes with few training rows that are found least."""
    for result in report.results:
        counts, details = dict(result.training_rows), result.headline[1].details
        weak = [
            one
            for one in (details.per_class if isinstance(details, LabelDetails) else ())
            if one.rows and counts.get(one.label, _FEW_ROWS_A_CLASS) < _FEW_ROWS_A_CLASS and one.right < one.rows / 2
        ]
        if weak:
            weak.sort(key=lambda one: (one.right / one.rows, -one.rows))
            names = ", ".join(f"{quoted(one.label)} ({counts[one.label]:,})" for one in weak[:4])
            return [NextStep(f"Label more rows of the classes it mostly misses and has few rows of: {names}.")]
    return []


def _test(report: Findings) -> list[NextStep]:
    if "test" in report.evaluations or not report.evaluations:
        return []
    text = "For a number to publish, measure it on rows that had no part in this."
    return [NextStep(text, f"graft evaluate {shlex.quote(report.folder)} NEW.csv" if report.folder else "")]


def _use(report: Findings) -> list[NextStep]:
    """What this kind of model is for."""
    _, evaluation = report.headline
    folder = shlex.quote(report.folder)
    if not report.folder:
        return []
    if isinstance(evaluation.details, Verification):
        return [
            NextStep(
                "Let it know those it is to recognise.", f"graft enroll {folder} KNOWN.csv --out known.safetensors"
            )
        ]
    if isinstance(evaluation.details, EpisodeDetails):
        return [NextStep("Show it a few rows of new classes.", f"graft adapt {folder} FEW.csv --out {folder}-adapted")]
    if isinstance(evaluation.details, SearchDetails):
        return [NextStep("Let it read the rows that are to be found.", f"graft index {folder} ROWS.csv")]
    return [NextStep("Use it on new rows.", f"graft predict {folder} NEW.csv --out predictions.csv")]


def _again(report: Findings, *, budget: float | None = None, ignore: tuple[str, ...] = ()) -> str:
    """The call as it was made, with another budget or a column less; in Python what is to be added to it."""
    if not report.asked:
        added = [f"budget={budget:.0f}"] if budget else []
        added += [f"ignore={list(ignore)!r}"] if ignore else []
        return f"gw.fit(…, {', '.join(added)})"
    words = shlex.split(report.asked)
    if budget is not None:
        words = [*_without(words, "--budget"), "--budget", f"{budget:.0f}s"]
    if ignore:
        words = _without_joins(words, ignore)
        words += [part for name in ignore for part in ("--ignore", name)]
    return shlex.join([*_without([w for w in words if w != "--resume"], "--out"), *_out(report)])


def _without_joins(words: list[str], ignored: tuple[str, ...]) -> list[str]:
    """Less what joins one of these columns with others."""
    kept, skip = list[str](), False
    for word, after in zip(words, [*words[1:], ""], strict=True):
        value = after if word == "--join" else word.removeprefix("--join=") if word.startswith("--join=") else ""
        if not skip and set(value.split("+")).isdisjoint(ignored):
            kept.append(word)
        else:
            skip = word == "--join" and not skip
    return kept


def _out(report: Findings) -> list[str]:
    return ["--out", f"{report.folder}-next"] if report.folder else []


def _without(words: list[str], option: str) -> list[str]:
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word == option:
            skip = True
        elif not word.startswith(f"{option}="):
            kept.append(word)
    return kept
