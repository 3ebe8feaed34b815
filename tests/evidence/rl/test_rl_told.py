"""What learning by reward came to in words, on learning that was made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from made_learning import STEPS, outcome, run

from graftwork.evidence.rl.scored import Scored, SeedRun
from graftwork.evidence.rl.told import told


def text(found) -> str:
    return "\n".join([*told(found).verdict_lines(), *told(found).trust, *(one.text for one in told(found).trouble)])


def test_what_learned_is_told_beside_acting_at_random() -> None:
    found = outcome([run(seed, lambda step: step / 100) for seed in range(5)])
    said = told(found)
    assert not said.warning
    assert said.verdicts[0].text.startswith("Return 99.7 (95 % interval 98.7 to 101.0) after")
    assert "after 10,000 steps: the interquartile mean over 5 seeds and 100 episodes." in said.verdicts[0].text
    assert "Acting at random returns" in said.verdicts[0].text
    assert any("That of seed 0".lower() in one.lower() for one in said.trust)


def test_what_is_no_better_than_random_is_a_warning_and_never_told_as_a_finding() -> None:
    found = outcome([run(seed, lambda _: 10.0) for seed in range(3)])
    said = told(found)
    assert said.warning
    assert "not distinguishable from acting at random" in said.verdicts[0].text
    assert said.steps[0].command == "longer!"
    assert not any(one.command == "use!" for one in said.steps)


def test_what_is_worse_than_random_says_so() -> None:
    said = told(outcome([run(seed, lambda _: -30.0) for seed in range(3)]))
    assert said.warning
    assert "less than acting at random" in said.verdicts[0].text


def test_solved_is_told_by_the_interval_not_by_the_mean_alone() -> None:
    runs = [run(seed, lambda step: step / 100) for seed in range(5)]
    sure = outcome(runs, about={"threshold": 80.0})
    open_ = outcome(runs, about={"threshold": float(sure.mean.value)})
    missed = outcome(runs, about={"threshold": 120.0})
    assert "and it is" in text(sure)
    assert "its interval reaches below" in text(open_)
    assert "which it is not" in text(missed)
    nearly = outcome(runs, about={"threshold": float(sure.mean.value) + 0.05})
    assert "its interval reaches above" in text(nearly)


def test_what_was_as_good_before_it_learned_is_not_told_as_learned() -> None:
    """An untrained policy may be lucky; here it returns 80 all along, at random 10."""
    steps = (0, *STEPS)
    lucky = outcome([run(seed, lambda _: 80.0, steps) for seed in range(5)])
    assert not told(lucky).warning
    assert "That learning brought anything can't be told from chance" in text(lucky)
    assert told(lucky).steps[0].command == "longer!"
    learned = outcome([run(seed, lambda step: 80.0 if step else 10.0, steps) for seed in range(5)])
    assert learned.learned is not None
    assert 65 < learned.learned.low < 70 < learned.learned.high < 75
    assert "can't be told from chance" not in text(learned)


def test_one_that_still_grows_is_told_to_go_on_and_one_that_is_solved_is_not() -> None:
    runs = [run(seed, lambda step: step / 100) for seed in range(5)]
    assert told(outcome(runs)).steps[0].command == "longer!"
    assert all(one.command != "longer!" for one in told(outcome(runs, about={"threshold": 50.0})).steps)
    flat = [run(seed, lambda step: 80.0 if step > 3000 else 20.0) for seed in range(5)]
    assert all(one.command != "longer!" for one in told(outcome(flat)).steps)


def test_a_return_that_fell_and_seeds_far_apart_are_said() -> None:
    fell = outcome([run(seed, lambda step: 100.0 if step < 8000 else 40.0) for seed in range(5)])
    assert "It was better before its end: at" in text(fell)
    assert "It was better before" not in text(outcome([run(seed, lambda step: step / 100) for seed in range(5)]))
    apart = outcome([run(0, lambda _: 100.0), run(1, lambda _: 20.0)])
    assert "Seeds come out far apart" in text(apart)
    assert "(seed 1) to" in text(apart)


def test_success_is_told_beside_that_of_acting_at_random() -> None:
    found = outcome([run(seed, lambda step: step / 100, goal=True) for seed in range(3)], random=50.0, goal=True)
    assert "It reaches its goal in" in text(found)
    assert "so look at the return too" in text(found)


def test_one_seed_says_that_it_is_one() -> None:
    said = told(outcome([run(0, lambda step: step / 100)]))
    assert any("One seed" in one for one in said.trust)
    assert any(one.command == "seeds!" for one in said.steps)


def test_parts_of_the_recipe_lead_to_an_ablation() -> None:
    runs = [run(seed, lambda _: 90.0) for seed in range(5)]
    said = told(outcome(runs, about={"parts": ("base", "lora")}))
    assert ("See what 'base' and 'lora' brought: runs with and without each.", "ablate!") in [
        (one.text, one.command) for one in said.steps
    ]


def test_a_seed_that_failed_stands_with_what_it_learned_and_says_why() -> None:
    broken = replace(
        run(1, lambda step: step / 100, STEPS[:4]), final=None, failed="the environment raised ValueError: boom"
    )
    found = outcome([run(0, lambda step: step / 100), broken])
    assert "Seed 1 ended early: the environment raised ValueError: boom" in text(found)
    assert told(found).steps[0].command == "resume!"
    assert "As seed 1 ended early, what counts there is the last score while it learned." in text(found)
    assert [one.seeds for one in found.curve] == [2] * 4 + [1] * 6


def test_nothing_scored_is_a_warning_with_its_reason() -> None:
    found = outcome([SeedRun(0, (), failed="it crashed")])
    said = told(found)
    assert said.warning
    assert "it crashed" in said.verdicts[0].text
    assert found.to_json()["final"] is None


def test_a_reward_that_never_varies_is_questioned() -> None:
    one = Scored(100, 1.0, 1.0, (3.0,) * 20, (5,) * 20)
    found = replace(outcome([SeedRun(0, (one,))]), random=one)
    assert "is the reward what you mean it to be" in text(found)


def test_terms_over_seeds_are_sums_and_means() -> None:
    found = outcome([run(seed, lambda _: 50.0) for seed in range(2)])
    assert found.seconds == 2 * 20.0
    assert np.isclose(found.rate, 500)
    assert found.steps == 10_000


def test_how_good_it_is_comes_from_the_final_score_not_from_those_that_chose() -> None:
    one = run(0, lambda step: step / 100)
    lucky = replace(one, final=Scored(9000, 1.0, 1.0, (50.0,) * 20, (30,) * 20))
    found = outcome([lucky])
    assert found.iqm.value == found.mean.value == 50.0
    assert found.steps == 10_000
    assert found.curve[-1].iqm.value > 90
