"""Cells that other machines make are those that are made here, in the same order, whatever is lost under them."""

from __future__ import annotations

import pytest

import graftwork as gw
from fakehands import FakeHands
from graftwork.cluster import hands
from graftwork.cluster.connection import Cluster
from graftwork.errors import UsageError
from graftwork.runs import finished_store
from graftwork.runs.ablation import ablate as ablate_module
from graftwork.runs.ablation import on_cluster
from graftwork.runs.machines import needs
from tiny import tiny_rows

ROWS = [{"text": text, "label": topic} for text, topic in tiny_rows(72)]
RECIPE = gw.Recipe(
    base="gru:width=8",
    techniques=(gw.Mixup(0.3), gw.EMA(0.9)),
    training=gw.Training(steps=6, batch=16, precision="fp32", evaluations=1, lr=1e-3),
)


def ablated(**more) -> gw.Ablation:
    finished_store.prune()
    return gw.ablate(ROWS, target="label", recipe=RECIPE, verbose=False, **more)


def cells(found: gw.Ablation):
    return [(one.arm, one.repeat, one.score, one.rows, one.trained_rows, one.failed) for one in found.cells]


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> list[FakeHands]:
    """A cluster of three, on which the first run of the second arm is lost twice over."""
    from contextlib import nullcontext

    made: list[FakeHands] = []

    def faked(cluster, function, shared) -> FakeHands:
        del cluster
        fate = lambda piece, times: "machine" if piece.number == 2 and times < 3 else "done"
        made.append(FakeHands(function, shared, count=3, fate=fate))
        monkeypatch.setattr(Cluster, "nodes", property(lambda _: made[0].nodes()), raising=False)
        return made[-1]

    def reached(address, *_, **__):
        return nullcontext(None if address is None else Cluster("head:1", own=False))

    monkeypatch.setattr(hands, "RayHands", faked)
    monkeypatch.setattr(ablate_module, "reached", reached)
    monkeypatch.setattr(on_cluster, "check_bases", lambda *_: None)
    monkeypatch.setattr(on_cluster, "asks_of", lambda *_: needs.Asks())
    return made


@pytest.mark.slow
def test_they_are_as_here(machines: list[FakeHands]) -> None:
    here = ablated(repeats=3)
    there = ablated(repeats=3, cluster="auto")
    assert cells(there) == cells(here)
    assert [one.sentence for one in there.findings] == [one.sentence for one in here.findings]
    assert machines[0].most > 3
    assert len(machines[0].begun) == len(here.cells) + 2
    assert any("node-" in note and "runs in" in note for note in there.notes)
    again = gw.ablate(ROWS, target="label", recipe=RECIPE, verbose=False, repeats=3, cluster="auto")
    assert again.reused == 1.0
    assert cells(again) == cells(here)
    assert [len(one.begun) for one in machines] == [11, 0]


@pytest.mark.slow
def test_a_race_looks_at_the_same_repeats(machines: list[FakeHands]) -> None:
    here = ablated(repeats=6, race=True)
    assert cells(ablated(repeats=6, race=True, cluster="auto")) == cells(here)
    assert machines


def test_insecure_alone_is_refused() -> None:
    with pytest.raises(UsageError, match="give --cluster too"):
        ablated(insecure=True)
