from __future__ import annotations

import re

import pytest

from core.fakes import Needs, Other, Shallow
from graftwork.core.contract.facts import CLAIMS, FACTS
from graftwork.core.plan import base_facts, check, order, step_cost
from graftwork.core.technique import Cost, Graft
from graftwork.errors import RefusedError
from graftwork.techniques import (
    EMA,
    SAM,
    Accumulate,
    Consistency,
    Distil,
    LabelSmoothing,
    LoRA,
    Mixup,
    Partial,
    Probe,
    SelfDistil,
    SupervisedContrastive,
)
from tinyrun import Worlds


def test_order_is_by_phase_then_name():
    listed = [EMA(), Mixup(), LabelSmoothing(), LoRA()]
    assert order(listed) == order(reversed(listed)) == (LoRA(), LabelSmoothing(), Mixup(), EMA())


def test_what_is_off_is_left_out_before_all_checks_and_named(fixtures: Worlds):
    assert order([EMA(0.0), Mixup(0.0), LoRA()]) == (LoRA(),)
    listed = [SupervisedContrastive(), Mixup(0.0), SAM(0.0), Consistency(0.0), Probe()]
    with pytest.raises(RefusedError, match="supervised-contrastive needs trainable_features, but probe removes them"):
        fixtures("cnn").run(listed, started=False)
    plan = fixtures("cnn").run(listed[1:], started=False).plan
    assert [technique.name for technique in plan.techniques] == ["probe"]
    assert plan.notes[:3] == ("mixup:alpha=0.0 is off", "sam:rho=0.0 is off", "consistency:weight=0.0 is off")
    assert "note: mixup:alpha=0.0 is off" in plan.explain()
    assert plan.cost == Cost(1, 1)
    assert fixtures("cnn").run([Distil("nobody", weight=0.0)], started=False).teacher_outputs == {}


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (
            [SupervisedContrastive(), Mixup()],
            "supervised-contrastive needs hard_labels, but mixup removes them. Drop one of them.",
        ),
        ([Probe(), LoRA()], "lora and probe both decide which parameters of the base are trained. Drop one of them."),
        ([Mixup(), Mixup(0.5)], "mixup is listed 2 times. A technique can be used once in a run."),
        (
            [Needs(need="domain")],
            "needs needs domain, which this run does not have: a domain column: --role domain=COLUMN.",
        ),
        ([Needs(drop="domain"), Other(need="domain")], "other needs domain, but needs removes them. Drop one of them."),
        ([Needs(claim="sampler"), Other(claim="sampler")], "needs and other both decide how rows make a batch."),
    ],
    ids=lambda value: "+".join(t.name for t in value) if isinstance(value, list) else "",
)
def test_refusals_say_who_why_and_what_to_do(listed: list[Needs], message: str):
    with pytest.raises(RefusedError, match=re.escape(message)):
        check(order(listed), frozenset(FACTS) - {"domain"})


def test_what_one_gives_another_may_need():
    check([Needs(give="domain"), Other(need="domain")], frozenset())
    with pytest.raises(RefusedError):
        check([Needs(give="domain", need="domain")], frozenset())  # not from itself


def test_facts_come_from_base_heads_task_and_table(fixtures: Worlds):
    fixture = fixtures("rnn")
    facts = base_facts(fixture.network, fixture.tasks, ["domain"])
    assert facts >= {"sequence_blocks", "dropout", "hard_labels", "classes", "domain", "trainable_features"}
    assert not facts & {"linear_layers", "group", "real_targets"}
    assert "linear_layers" in base_facts(fixtures("transformer").network, fixture.tasks)
    assert "hard_labels" not in base_facts(fixture.network, fixtures("rnn", "number").tasks)


def test_every_word_says_how_to_mend_it():
    assert all(len(text) > 10 for text in (*FACTS.values(), *CLAIMS.values()))


def test_dropout_that_freezing_leaves_nothing_of_is_refused(fixtures: Worlds):
    """The top block of the CNN has no dropout, so two passes would agree and the loss would always be 0."""
    with pytest.raises(RefusedError, match=r"consistency needs dropout, and partial leaves nothing of it.*Drop one"):
        fixtures("cnn").run([Consistency(), Partial(1)], started=False)
    fixtures("cnn").run([Consistency(), Partial(2)], started=False)


def test_cost_counts_gradient_stages_outermost():
    listed = order([SAM(), Consistency(), Accumulate()])
    assert [technique.name for technique in listed] == ["consistency", "sam", "accumulate"]
    descends, measures = Graft(gradient=lambda inner: inner), Graft(objective=lambda inner: inner)
    assert step_cost(listed, [measures, descends, descends]) == Cost(4, 4)


def test_a_cost_that_depends_on_the_run_goes_before_the_usual_one():
    thrice = Graft(gradient=lambda inner: inner, cost=lambda inner: Cost(inner.forwards, 3 * inner.backwards))
    assert step_cost(order([SAM(), Accumulate()]), [Graft(gradient=lambda inner: inner), thrice]) == Cost(2, 6)


def test_explain(fixtures: Worlds):
    run = fixtures("cnn").run([Partial(1), SAM(), Mixup(), EMA(), Shallow(1)], started=False)
    text = run.plan.explain()
    lines = text.splitlines()
    head = lines[0].split()
    assert {"adapt", "objective", "gradient", "view", "after_step", "state"} <= set(head)
    marks = {line.split()[0]: line for line in lines[1:6]}
    assert list(marks) == ["partial", "shallow", "mixup", "sam", "ema"]
    for line in (*marks.values(),):
        assert len(line) <= len(lines[0])
    trained = sum(p.numel() for p in run.network.parameters() if p.requires_grad)
    assert f"trained: {trained:,} of {run.plan.parameters:,} parameters" in text
    assert "steps: 6 of at most 8 rows over 40 rows, lr 0.003, heads 0.01, fp32" in text
    assert "each step: 2 forwards, 2 backwards a row" in text
    assert "note: shallow changes the input of block 1 of text: the cache ends there" in text
    assert "note: mixup compares the rows of a batch" in text
    assert "cache: text: none" in text


def test_explain_without_techniques(fixtures: Worlds):
    text = fixtures("cnn").run([], started=False).plan.explain()
    assert text.startswith("techniques: none (plain loop)")
    assert "(100.0%)" in text


def test_rows_without_a_target_that_teach_nothing_are_told(fixtures: Worlds):
    bare = fixtures("cnn", "classes", True)
    told = [note for note in bare.run([LabelSmoothing()], started=False).plan.notes if "have no target" in note]
    assert len(told) == 1
    assert told[0].startswith("10 training rows have no target, and no technique of the recipe learns from such rows")
    for listed in ([Consistency()], [SelfDistil(), LabelSmoothing()]):
        assert not any("have no target" in note for note in bare.run(listed, started=False).plan.notes)
    off = bare.run([Consistency(0.0)], started=False).plan.notes
    assert any("have no target" in note for note in off)
    assert not any("have no target" in note for note in fixtures("cnn").run([], started=False).plan.notes)
