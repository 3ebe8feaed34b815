"""graftwork.runs.one_at_a_time: fits in threads give the bits that each gives alone."""

from __future__ import annotations

import threading

import pandas as pd
import pytest

import graftwork as gw
from graftwork.runs.one_at_a_time import one_at_a_time
from tiny import tiny_rows
from tinyrun import same, weights

TABLE = pd.DataFrame(tiny_rows(60), columns=["text", "label"])


def fitted(seed: int) -> gw.Model:
    training = gw.Training(steps=12, batch=8, precision="fp32")
    return gw.fit(
        TABLE, target="label", recipe=gw.Recipe(base="gru:width=8", techniques=(), training=training, seed=seed)
    )


def test_two_threads_make_the_models_that_each_makes_alone() -> None:
    alone = {seed: weights(fitted(seed).network) for seed in (0, 1)}
    together: dict[int, gw.Model] = {}

    def work(seed: int) -> None:
        together[seed] = fitted(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (0, 1):
        assert same(weights(together[seed].network), alone[seed])


def test_the_second_waits_and_one_inside_another_does_not() -> None:
    inside, free = threading.Event(), threading.Event()
    order = list[str]()

    @one_at_a_time
    def make(name: str) -> str:
        order.append(f"{name} begins")
        if name == "first":
            inside.set()
            assert free.wait(20)
            assert make("nested") == "nested"
        order.append(f"{name} ends")
        return name

    first = threading.Thread(target=make, args=("first",))
    first.start()
    assert inside.wait(20)
    second = threading.Thread(target=make, args=("second",))
    second.start()
    second.join(0.2)
    assert second.is_alive()
    free.set()
    first.join(20)
    second.join(20)
    assert order == ["first begins", "nested begins", "nested ends", "first ends", "second begins", "second ends"]


def test_a_fit_that_fails_lets_the_next_one_in() -> None:
    @one_at_a_time
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    found = list[int]()
    thread = threading.Thread(target=one_at_a_time(lambda: found.append(1)))
    thread.start()
    thread.join(20)
    assert found == [1]
