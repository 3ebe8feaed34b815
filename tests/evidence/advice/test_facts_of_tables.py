"""graftwork.evidence.advice.fitting: techniques that facts speak for."""

from __future__ import annotations

from graftwork.evidence.advice.fitting import TableFacts, fitting
from graftwork.techniques import TECHNIQUES

PLAIN = {"a": 500, "b": 480}


def named(facts: TableFacts) -> list[str]:
    return [one.technique for one in fitting(facts)]


def test_each_fact_by_itself() -> None:
    assert named(TableFacts(980, PLAIN)) == []
    assert named(TableFacts(980, {"a": 900, "b": 80})) == ["class-weights", "balanced-sampling"]
    assert named(TableFacts(24, {"a": 8, "b": 8, "c": 8})) == ["supervised-contrastive"]
    assert named(TableFacts(980, PLAIN, doubted=0.05)) == ["generalised-cross-entropy"]
    assert named(TableFacts(980, PLAIN, doubted=0.01)) == []
    assert named(TableFacts(980, PLAIN, domains=3)) == ["group-dro"]
    assert named(TableFacts(980, PLAIN, lacking=("photo",))) == ["modality-dropout"]
    assert named(TableFacts(980, PLAIN, modalities=("image",))) == ["rand-augment"]
    assert named(TableFacts(50_000, PLAIN, modalities=("image", "audio"))) == []


def test_they_exist_and_say_why() -> None:
    facts = TableFacts(24, {"a": 20, "b": 2}, 0.5, 2, ("photo",), ("image", "audio"))
    found = fitting(facts)
    assert all(one.technique in TECHNIQUES for one in found)
    assert "'a' has 20 rows, 'b' has 2" in found[0].why
