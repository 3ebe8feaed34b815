"""The figures of an ablation: as SVG for its page, and as one matplotlib figure for notebooks and files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graftwork.evidence.ablation.outcome import Outcome
from graftwork.evidence.ablation.page.drawn import bars_height, draw_contributions, draw_heat_map, drawn_findings
from graftwork.evidence.page.drawing import INK, drawing, svg
from graftwork.shown import shown_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH = 6.0


def contributions_svg(found: Outcome) -> str:
    """The bars; empty where nothing has a value yet."""
    if not drawn_findings(found):
        return ""
    with drawing("contributions", _WIDTH, bars_height(found)) as (figure, axes):
        draw_contributions(axes, found, INK)
        return svg(figure, "What each brings, with its interval")


def heat_map_svg(found: Outcome) -> str:
    """The interactions; empty where there are none."""
    if not found.interactions:
        return ""
    side = 1.6 + 0.6 * len(found.design.players)
    with drawing("interactions", side + 0.6, side) as (figure, axes):
        draw_heat_map(axes, found)
        return svg(figure, "What two bring together beyond what each brings")


def figure(found: Outcome) -> Figure:
    """Contributions, and beside them the interactions where there are some."""
    import matplotlib as mpl

    from graftwork.evidence.page.png_figure import PngFigure

    pairs = bool(found.interactions)
    with mpl.rc_context({"text.parse_math": False}):  # user text is never read as a formula
        height = max(bars_height(found), 1.6 + 0.6 * len(found.design.players) if pairs else 0.0, 2.2)
        made = PngFigure(figsize=(_WIDTH + 5.0 * pairs, height), layout="constrained")
        axes = made.subplots(1, 1 + pairs, squeeze=False)[0]
        draw_contributions(axes[0], found, "#1c2733")
        axes[0].set_title(shown_line(found.title), fontsize=10, loc="left")
        if pairs:
            draw_heat_map(axes[1], found)
            axes[1].set_title("together, beyond each", fontsize=10, loc="left")
    return made
