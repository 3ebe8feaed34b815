"""A tune in one value."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from evidence.tune.made_trials import answers, judged, redone, scored, trial
from graftwork.errors import UsageError
from graftwork.evidence.ablation.scale import Scale
from graftwork.evidence.tune.outcome import About, outcome
from graftwork.evidence.tune.trials import Limits

RANDOM = np.random.default_rng(0)
PLAIN = answers(0.7, 300, RANDOM)
FOUND = judged({0: PLAIN, 1: redone(PLAIN, 0.5, 0.95, RANDOM), 2: redone(PLAIN, 0.05, 0.7, RANDOM)})
TRIALS = scored(FOUND)
POINTS = Scale("Accuracy", "percent")


def test_it_chooses_and_says_what_is_known_of_all() -> None:
    made = outcome(TRIALS, FOUND, POINTS, About(rows=300))
    assert (made.kept.number, made.chosen.default) == (1, 0)
    assert set(made.gaps) == {0, 2}
    assert made.chosen.to_default == made.gaps[0]
    assert made.gaps[0] == FOUND.compared(1, 0)
    assert made.optimism is not None
    assert (made.optimism.trials, made.optimism.rows) == (3, 300)
    assert made.optimism.gain is not None
    assert made.optimism.gain.low > 0
    plain = made.to_json()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["trials"][0]["behind_the_kept"]["value"] == made.gaps[0].value


def test_the_optimism_is_of_those_that_were_chosen_among() -> None:
    """Trial 1 is beyond the limit, and trial 3 is not finished."""
    timed = [replace(one, latency=0.009 if one.number == 1 else 0.002) for one in TRIALS]
    made = outcome([*timed, trial(3, 0.99, state="paused")], FOUND, POINTS, About(limits=Limits(latency=0.005)))
    assert made.kept.number == 0
    assert made.chosen.beyond == (1,)
    assert made.optimism is not None
    assert made.optimism.trials == 2


def test_where_rows_are_not_scored_each_by_itself_the_best_score_stands() -> None:
    made = outcome(TRIALS, None, POINTS, About(), why="words are scored")
    assert (made.kept.number, made.chosen.why, made.optimism, made.gaps) == (1, "words are scored", None, {})


def test_nothing_to_choose_from_is_an_error() -> None:
    with pytest.raises(UsageError, match="nothing to choose from"):
        outcome([], None, POINTS, About())
