"""The table of a tune that is drawn while it runs."""

from __future__ import annotations

import io

from rich.console import Console

from evidence.tune.made_trials import trial
from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.tune.live import count_text, live_table, shown_trials

POINTS = Scale("Accuracy", "percent")
TRIALS = [
    trial(0, 0.80, name="linear probe of minilm"),
    trial(1, 0.85, state="paused", rungs=((10, 0.85),), steps=90),
    trial(2, None, state="failed", failed="out of memory", name="\x1b[31m[bold]red[/bold]\nline"),
]


def drawn(*given: object, **more: object) -> str:
    stream = io.StringIO()
    Console(file=stream, width=100).print(live_table(*given, **more))  # type: ignore[arg-type]
    return stream.getvalue()


def test_it_shows_the_best_first_how_many_there_are_and_what_is_left() -> None:
    text = drawn(TRIALS, POINTS, "8:12 left")
    lines = [line.split() for line in text.splitlines() if line.strip()]
    assert [line[0] for line in lines[2:5]] == ["1", "0", "2"]
    assert "paused after 10 of 90 steps" in text
    assert "3 trials: 1 finished, 1 paused, 1 failed · 8:12 left" in text


def test_names_from_elsewhere_stay_text() -> None:
    text = drawn(TRIALS, POINTS)
    assert "\x1b[31m" not in text
    assert "[bold]red[/bold]" in text


def test_of_many_the_best_and_the_last_one_are_shown() -> None:
    many = [trial(at, at / 100) for at in range(20)] + [trial(20, 0.001)]
    assert [one.number for one in shown_trials(many, 4)] == [19, 18, 17, 20]
    assert [one.number for one in shown_trials(many[:20], 4)] == [19, 18, 17, 16]


def test_before_the_first_trial_it_is_a_table_too() -> None:
    assert "Accuracy" in drawn([], POINTS)
    assert count_text([]) == ""
