"""The page of learning by reward, and the files beside it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from made_learning import outcome, run

from graftwork.evidence.rl.outcome import Clip, Outcome
from graftwork.evidence.rl.page.files import write
from graftwork.evidence.rl.page.page import page
from graftwork.evidence.rl.scored import Scored, SeedRun

GIF = b"GIF89a-not-really"


@pytest.fixture
def found() -> Outcome:
    runs = [run(seed, lambda step: step / 100, goal=True) for seed in range(3)]
    about = {"threshold": 80.0, "recipe": "env: Cart-v1\n", "command": "graft rl --env Cart-v1", "parts": ("base",)}
    clips = (Clip("best", GIF, 101.5, 30), Clip("typical", GIF, 99.0, 31))
    return outcome(runs, goal=True, about=about, clips=clips)


def test_the_page_shows_the_curve_the_clips_the_seeds_and_how_to_repeat_it(found: Outcome) -> None:
    html = page(found)
    assert html.count('src="data:image/gif;base64,') == 2
    assert html.count("<svg") == 2  # returns and successes
    assert "The best of the recorded episodes: return 101.5 in 30 steps." in html
    for said in ("counts as solved", "At random", "graft rl --env Cart-v1", "Agarwal et al. 2021", "seeds!", "ablate!"):
        assert said in html
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL).lower().replace("finance", "")
    assert "://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", html)  # nothing is loaded from elsewhere


def test_the_same_learning_gives_the_same_page(found: Outcome) -> None:
    assert page(found) == page(replace(found))


def test_where_there_is_no_clip_it_is_said_why(found: Outcome) -> None:
    html = page(replace(found, clips=(), clips_missing="the environment can't draw itself"))
    assert "No clip: the environment can" in html
    assert "image/gif" not in html


def test_names_from_elsewhere_are_text(found: Outcome) -> None:
    bad = "<script>alert(1)</script>"
    html = page(replace(found, about=replace(found.about, env=bad, recipe=bad, command=bad, notes=(bad,))))
    assert bad not in html


@pytest.mark.parametrize("failed", ["it crashed", ""])
def test_a_page_of_nothing_scored_is_a_page(failed: str) -> None:
    html = page(outcome([SeedRun(0, (), interrupted=not failed, failed=failed)]))
    assert "Nothing was learned that could be scored" in html


def test_files_hold_all_that_was_measured(found: Outcome, tmp_path: Path) -> None:
    write(tmp_path / "run", found)
    assert {one.name for one in (tmp_path / "run").iterdir()} == {
        "report.html",
        "scores.json",
        "best.gif",
        "typical.gif",
    }
    plain = json.loads((tmp_path / "run" / "scores.json").read_text(encoding="utf-8"))
    assert plain["final"]["iqm"]["value"] == pytest.approx(found.iqm.value)
    assert len(plain["curve"]) == 10
    assert [one["seed"] for one in plain["seeds"]] == [0, 1, 2]
    assert [tuple(map(Scored.from_json, one["scored"])) for one in plain["seeds"]] == [one.scored for one in found.runs]
    assert Scored.from_json(plain["random"]) == found.random
