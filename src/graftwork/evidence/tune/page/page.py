"""A tune as one HTML page in plain words: what won, what could go wrong, what to do next, and all that was tried."""

from __future__ import annotations

from collections import Counter
from typing import Any

from graftwork.evidence.page.page import render
from graftwork.evidence.tune.costs import costs_text, limits_text
from graftwork.evidence.tune.doubts import doubts
from graftwork.evidence.tune.live import count_text
from graftwork.evidence.tune.next_steps import next_steps
from graftwork.evidence.tune.outcome import Outcome
from graftwork.evidence.tune.page.drawn import front_svg, over_time_svg
from graftwork.evidence.tune.page.grids import bases_grid, brought_grid, costs_grid, importance_grid, trials_grid
from graftwork.evidence.tune.superior import ERROR
from graftwork.evidence.tune.won import won
from graftwork.evidence.words import duration
from graftwork.shown import counted, shown_percent


def page(found: Outcome) -> str:
    """HTML that loads nothing from elsewhere."""
    return render("tune.html.jinja", parts(found))


def parts(found: Outcome) -> dict[str, Any]:
    """What the template shows."""
    from markupsafe import Markup

    said = won(found)
    return {
        "title": found.about.title,
        "meta": _meta(found),
        "won": said[0],
        "won_more": said[1:],
        "doubts": doubts(found),
        "steps": next_steps(found),
        "tried": tried(found),
        "notes": found.about.notes,
        "served": f"It needs {costs_text(found.kept)}.",
        "costs": costs_grid(found),
        "brought": brought_grid(found),
        "importance": importance_grid(found),
        "bases": bases_grid(found),
        "transfer": bool(found.about.transfer),
        "over_time": Markup(over_time_svg(found)),
        "front": Markup(front_svg(found)),
        "trials": trials_grid(found),
        "how": how(found),
        "command": found.about.command,
    }


def tried(found: Outcome) -> str:
    """What kinds of trials there were, in a sentence."""
    kinds = Counter(one.origin for one in found.trials)
    told = [
        f"{kinds['default']:,} that graft fit would try",
        f"{kinds['base']:,} of the same on another base",
        f"{kinds['searched']:,} that the search proposed",
        f"{kinds['combined']:,} made of others (ensembles, soups)",
    ]
    there = [text for text in told if not text.startswith("0 ")]
    return f"{count_text(found.trials)}. Of them {', '.join(there)}." if there else "No trial was run."


def how(found: Outcome) -> list[str]:
    """By what the choice, the intervals and the estimates are made, in sentences."""
    told = [
        "Trials are compared on the same rows, and differences are paired: intervals are those of a bootstrap over "
        "these rows, 95 %, each taken by itself (Efron 1979).",
        "The best of what graft fit would have tried stands unless another is better by more than chance. How "
        "far the luckiest of so many gets ahead by chance is reckoned for all of them together (Hansen 2005): where "
        f"nothing is better, another is taken for better in at most {shown_percent(ERROR)} of 100 tunes. Of those that "
        "are better and that chance can't tell from the best score the plainest is kept: the fewest parameters, then "
        "the fewest techniques, then the base that was tried first, then the best score. Where nothing is better, a "
        "smaller model that scores as well as the default, within one standard error of the best, is kept instead.",
        "What new rows may be expected to say is estimated by making the choice again on draws of the judged rows, and "
        "scoring what it picks on the rows that the draw left out (Tsamardinos et al. 2018).",
    ]
    if found.about.importance:
        told.append("What good trials have in common is PED-ANOVA (Watanabe et al. 2023).")
    if found.about.transfer:
        told.append("LogME foretells from the frozen base how well it will do (You et al. 2021); it chose nothing.")
    return told


def _meta(found: Outcome) -> str:
    told = [counted(len(found.trials), "trial"), f"judged on {counted(found.about.rows)}" if found.about.rows else ""]
    if found.about.budget is not None:
        told.append(f"budget {duration(found.about.budget)}")
    if found.about.seconds:
        told.append(f"took {duration(found.about.seconds)}")
    limits = limits_text(found.about.limits)
    told += [f"limits: {limits}" if limits else "", "ended by hand" if found.about.interrupted else ""]
    return " · ".join(filter(None, told))
