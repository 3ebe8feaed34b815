"""2. Every technique alone, every pair and a sample of triples trains, or is refused with a reason."""

from __future__ import annotations

import math
import random
import re

import pytest
import torch

from conformance.table import BY_NAME, OTHERS, ROWS, names_on, sets_on, techniques
from graftwork.errors import RefusedError
from tinyrun import BASES, TASKS, World, Worlds

NAMES = tuple(row.name for row in ROWS)
WAY_OUT = re.compile(r"Drop |[Uu]se |Expected |--task|a base (or|of|whose)|a domain column|a group column")


def outcome(names: tuple[str, ...], worlds: Worlds, *world: object) -> str:
    """ "trained", "refused", or what is wrong."""
    try:
        run, fitted = worlds(*world).fit(techniques(names), steps=3, evaluations=1)
    except RefusedError as error:
        return reason_is_clear(str(error), names)
    except Exception as error:
        return f"{names}: {type(error).__name__}: {error}"
    losses = [point.loss for point in fitted.history if point.loss is not None]
    finite = all(torch.isfinite(value).all() for value in fitted.network.state_dict().values())
    if not (losses and all(map(math.isfinite, losses)) and finite and fitted.steps == run.plan.total_steps == 3):
        return f"{names}: losses {losses}, {fitted.steps} steps, finite weights: {finite}"
    return "trained"


def reason_is_clear(reason: str, names: tuple[str, ...]) -> str:
    named = [name for name in names if name in reason]
    return "refused" if named and WAY_OUT.search(reason) else f"{names}: unclear reason: {reason}"


def counted(sets: list[tuple[str, ...]], worlds: Worlds, *world: object) -> tuple[int, int]:
    outcomes = [outcome(names, worlds, *world) for names in sets]
    wrong = [found for found in outcomes if found not in ("trained", "refused")]
    assert not wrong, "\n".join(wrong)
    trained = outcomes.count("trained")
    print(f"{world}: {len(sets)} sets of {len(sets[0])}: {trained} trained, {len(sets) - trained} refused")  # noqa: T201
    return trained, len(sets) - trained


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("base", BASES)
def test_alone(base: str, task: str, worlds: Worlds):
    trained, _ = counted([(name,) for name in NAMES], worlds, base, task)
    assert trained >= 7


@pytest.mark.parametrize("task", [task for task in TASKS if task != "pairs"])
@pytest.mark.parametrize("base", OTHERS)
def test_alone_elsewhere(base: str, task: str, worlds: Worlds):
    own = [(row.name,) for row in ROWS if row.base == base]
    assert counted(own, worlds, base, task) == (len(own), 0)


@pytest.mark.parametrize("base", BASES)
def test_alone_with_unlabelled_rows(base: str, worlds: Worlds):
    trained, _ = counted([(name,) for name in NAMES], worlds, base, "classes", True)
    assert trained >= 14  # an RNN has no layers for LoRA


@pytest.mark.parametrize("base", [*BASES, *OTHERS])
def test_pairs(base: str, worlds: Worlds):
    pairs = sets_on(base, 2)
    trained, _ = counted(pairs, worlds, base, "classes", True)
    assert trained > len(pairs) // 2


@pytest.mark.parametrize("base", [*BASES, *OTHERS])
def test_a_refused_pair_names_both(base: str, worlds: Worlds):
    """Where each of the two runs alone, the reason must be the two together."""
    alone = {name for name in names_on(base) if refusal((name,), worlds(base)) is None}
    for pair in sets_on(base, 2):
        reason = refusal(pair, worlds(base))
        if reason is not None and alone.issuperset(pair):
            assert all(name in reason for name in pair), reason


def refusal(names: tuple[str, ...], world: World) -> str | None:
    try:
        world.run(techniques(names), started=False)
    except RefusedError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("seed", "base"), list(enumerate([*BASES, *OTHERS])))
def test_triples(base: str, seed: int, worlds: Worlds):
    counted(random.Random(seed).sample(sets_on(base, 3), 14), worlds, base)


@pytest.mark.slow
@pytest.mark.parametrize("base", [*BASES, *OTHERS])
def test_every_triple(base: str, worlds: Worlds):
    counted(sets_on(base, 3), worlds, base)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS[1:])
@pytest.mark.parametrize("base", [*BASES, *OTHERS])
def test_pairs_on_other_tasks(base: str, task: str, worlds: Worlds):
    counted(sets_on(base, 2), worlds, base, task)


@pytest.mark.parametrize("name", NAMES)
def test_twice_is_refused(name: str, worlds: Worlds):
    technique = BY_NAME[name].acts
    with pytest.raises(RefusedError, match=f"{name} is listed 2 times"):
        worlds("cnn").run([technique, technique], started=False)
