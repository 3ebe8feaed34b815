"""How differences of scores are shown: in points of a share, or in the metric's own unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from graftwork.tasks.metrics.metric import Metric


@dataclass(frozen=True)
class Scale:
    """What scores are scores of. Scores are so that more is better; an error is stored below 0, and shown as it is.

    display: what the score is called. unit: "percent" is shown in points of a hundred. less: whether less is better.
    """

    display: str = "score"
    unit: Literal["percent", "plain", "own"] = "plain"
    less: bool = False

    def score(self, value: float) -> str:
        """A score, as its metric has it.

        >>> Scale("Accuracy", "percent").score(0.936), Scale("Error", "own", less=True).score(-12.5)
        ('93.6 %', '12.5')
        """
        value = -value if self.less else value
        return f"{100 * value:.1f} %" if self.unit == "percent" else _plain(value)

    def gain(self, value: float) -> str:
        """A difference with its sign and unit; above 0 is better, also where less of the metric is.

        >>> Scale("Accuracy", "percent").gain(0.0182), Scale().gain(-0.25)
        ('+1.8 points', '-0.25')
        """
        return f"{self.number(value)} points" if self.unit == "percent" else self.number(value)

    def number(self, value: float) -> str:
        """The same without its unit."""
        if self.unit == "percent":
            value *= 100
            return f"{value:+.1f}" if abs(value) >= 0.095 else f"{value:+.2f}" if abs(value) >= 0.005 else "0.0"
        return f"{'-' if value < 0 else '+'}{_plain(abs(value))}"

    def interval(self, low: float, high: float) -> str:
        """From where to where: `+0.9 to +2.7`."""
        return f"{self.number(low)} to {self.number(high)}"

    @property
    def what(self) -> str:
        """What a contribution is in, as a column or an axis is called."""
        if self.unit == "percent":
            return f"points of {self.display}"
        return f"{self.display}, less of it" if self.less else self.display

    def to_json(self) -> dict[str, Any]:
        return {"score": self.display, "unit": self.unit, "less_is_better": self.less}


def scale_of(metrics: Mapping[str, Metric]) -> Scale:
    """metrics: by target. Of several the score is the mean over them; its unit is theirs where they share it."""
    kinds = list({(one.display, one.unit, one.higher_is_better): one for one in metrics.values()}.values())
    if not kinds:
        return Scale()
    if len(metrics) == 1 or (len(kinds) == 1 and kinds[0].unit == "percent"):
        one = kinds[0]
        name = one.display if len(metrics) == 1 else f"{one.display}, mean of {len(metrics)} targets"
        return Scale(name, one.unit, not one.higher_is_better)
    alike = all(one.unit == "percent" and one.higher_is_better for one in kinds)
    return Scale(f"mean score of {len(metrics)} targets", "percent" if alike else "plain")


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip("0").rstrip(".") if value else "0"
