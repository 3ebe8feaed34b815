"""Learning by reward as one HTML page: how good, what next, clips, the learning curve, seeds, and how it was made."""

from __future__ import annotations

import base64
from typing import Any

from graftwork.evidence.page.page import render
from graftwork.evidence.page.tables import Grid, Value
from graftwork.evidence.rl.outcome import Clip, Outcome
from graftwork.evidence.rl.page.drawn import curve_svg, success_svg
from graftwork.evidence.rl.page.grids import curve_grid, final_grid, seeds_grid
from graftwork.evidence.rl.told import told
from graftwork.evidence.rl.words import return_text
from graftwork.shown import counted


def page(found: Outcome) -> str:
    """HTML that loads nothing from elsewhere; clips stand in it."""
    return render("rl.html.jinja", parts(found))


def parts(found: Outcome) -> dict[str, Any]:
    """What the template shows."""
    from markupsafe import Markup

    return {
        "summary": told(found),
        "about": found.about,
        "clips": [_clip(one) for one in found.clips],
        "clips_missing": found.clips_missing,
        "curve": Markup(curve_svg(found)),
        "success": Markup(success_svg(found)),
        "several": len(found.runs) > 1,
        "final": final_grid(found) if found.scored else None,
        "seeds": seeds_grid(found),
        "points": curve_grid(found) if found.curve else None,
        "how": how(found),
        "versions": _versions(found),
    }


def how(found: Outcome) -> list[str]:
    """By what the numbers are made, in sentences."""
    told = [
        "The return of an episode is the sum of its rewards. The interquartile mean leaves out the lowest and the "
        "highest quarter of all episodes of all seeds, so that a few lucky or unlucky ones don't decide (Agarwal "
        "et al. 2021).",
        "Intervals, 95 %, are those of a stratified bootstrap: seeds are drawn with replacement, and of each drawn "
        "seed its episodes. Few seeds say little of how far another could come out elsewhere; five are a beginning.",
    ]
    if len(found.runs) == 1:
        told[1] = (
            "Intervals, 95 %, are those of a bootstrap over the episodes of the one seed; they say nothing of other "
            "seeds."
        )
    return told


def _clip(one: Clip) -> dict[str, str]:
    named = {"best": "The best of the recorded episodes", "typical": "A typical one: the median of the recorded ones"}
    said = f"{named[one.name]}: return {return_text(one.returned)} in {counted(one.length, 'step')}."
    return {"source": "data:image/gif;base64," + base64.b64encode(one.gif).decode("ascii"), "said": said}


def _versions(found: Outcome) -> Grid | None:
    rows = tuple((Value(name), Value(value)) for name, value in found.about.versions.items())
    return Grid("Versions", ("Package", "Version"), rows) if rows else None
