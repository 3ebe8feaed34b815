"""The finding on more rows: what doubling them would bring, by a curve through the scores of smaller draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.profile.learning_curve import Forecast, SizeErrors, forecasts
from graftwork.shown import counted, shown_number

ABOUT = "learning-curve"
TIMES = (2, 4)
"""Of how many times the rows the score is forecast."""


def more_rows(
    curve: Sequence[SizeErrors], rows: int, *, metric: str, percent: bool, best: float, scored: str
) -> Finding:
    """What doubling `rows` rows should bring.

    curve: the errors of draws of them, `best` minus the score. metric: as a reader knows it. percent: it is shown times
    100. scored: the rows that were scored, in words ("the test rows").
    """
    found = forecasts(curve, [rows, *(times * rows for times in TIMES)])
    now = found[0]
    if curve[-1].rows == rows:  # then it was measured, on the same rows
        now = Forecast(rows, curve[-1].mean, curve[-1].mean, curve[-1].mean)
    numbers = {
        "metric": metric,
        "scored_on": scored,
        "rows": rows,
        "score": best - now.error,
        "curve": [
            {"rows": one.rows, "score": best - one.mean, "scores": [best - error for error in one.errors]}
            for one in curve
        ],
        "forecast": [_forecast(one, now, best) for one in found[1:]],
    }
    double = found[1]
    low, gain, high = (now.error - error for error in (double.high, double.error, double.low))
    sentences = (
        f"Doubling the rows to {double.rows:,} should bring about {_points(gain, percent)} of {metric} to a probe "
        f"({_points(low, percent, unit=False)} to {_points(high, percent)} with 95 % confidence).",
        f"Now it has {_score(best - now.error, percent)} with {counted(rows)}; with {found[2].rows:,} it should have "
        f"{_score(best - found[2].error, percent)}, measured on {scored}.",
    )
    return Finding(ABOUT, sentences, numbers, remedy="" if low <= 0 else "Label more rows: they are worth it.")


def too_few(rows: int) -> Finding:
    """What is said where there are too few rows for a curve."""
    said = f"{counted(rows)} are too few to say what more of them would bring."
    return Finding(ABOUT, (said,), {"rows": rows, "forecast": []})


def _forecast(one: Forecast, now: Forecast, best: float) -> dict[str, float | int]:
    low, gain, high = (now.error - error for error in (one.high, one.error, one.low))
    score = {"score": best - one.error, "low": best - one.high, "high": best - one.low}
    return {"rows": one.rows, **score, "gain": gain, "gain_low": low, "gain_high": high}


def _points(gain: float, percent: bool, *, unit: bool = True) -> str:
    """A difference with its sign.

    >>> _points(0.018, True), _points(-0.25, False), _points(0.018, True, unit=False)
    ('+1.8 points', '-0.25', '+1.8')
    """
    if percent:
        return f"{100 * gain:+.1f}" + (" points" if unit else "")
    shown = shown_number(float(np.format_float_positional(abs(gain), 2, fractional=False)))
    return ("+" if gain >= 0 else "-") + shown


def _score(value: float, percent: bool) -> str:
    return f"{100 * value:.1f} %" if percent else shown_number(round(abs(value), 4))
