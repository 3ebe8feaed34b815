from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.fakes import Later, Teller
from graftwork.core.compose import compose
from graftwork.core.fit import fit
from graftwork.core.plan import stages_of
from graftwork.core.rows.examples import make_batch
from graftwork.core.technique import Graft, Multiplier, Term
from graftwork.networks.network import Network
from tinyrun import Worlds


@pytest.mark.parametrize("listed", [("teller", "later"), ("later", "teller")])
def test_stages_nest_by_phase(listed: tuple[str, str], fixtures: Worlds):
    told: list[str] = []
    fakes = {"teller": Teller(told), "later": Later(told)}
    run = fixtures("cnn").run([fakes[name] for name in listed], steps=1)
    assert told == ["teller adapt", "later adapt", "teller start", "later start"]
    told.clear()
    fitted = fit(run)
    step = [
        "teller inputs",
        "later inputs",
        "teller gradient in",
        "later gradient in",
        "teller objective in",
        "later objective in",
        "teller losses",
        "later losses",
        "later objective out",
        "teller objective out",
        "teller combine",
        "later combine",
        "later gradient out",
        "teller gradient out",
        "teller after_step",
        "later after_step",
        "teller view",
        "later view",
    ]
    assert told[: len(step)] == step
    told.clear()
    run.stages.fold(fitted.network)
    assert told == ["later fold", "teller fold"]


def test_weights_and_rates_of_several_techniques_multiply():
    first = Graft(rows=np.array([1.0, 2.0]), groups=lambda _: Multiplier(0.5, 0.0))
    second = Graft(rows=np.array([3.0, 4.0]), groups=lambda name: Multiplier(0.5 if name == "a" else 1.0))
    stages = compose(["first", "second"], [first, second], {})
    assert stages.rows is not None
    assert stages.rows.tolist() == [3.0, 8.0]
    assert stages.groups("a") == Multiplier(0.25, 0.0)
    assert stages.groups("b") == Multiplier(0.5, 0.0)
    assert compose([], [], {}).groups("a") == Multiplier(1.0, 1.0)


def test_the_first_reference_counts_and_every_told_term():
    def reference(network: Network) -> Network:
        return network

    grafts = [Graft(told=("a",)), Graft(reference=reference, told=("b", "a"))]
    stages = compose(["first", "second"], grafts, {})
    assert stages.reference is reference
    assert stages.told == ("a", "b")
    assert stages_of(grafts[1]) == ()
    assert (compose([], [], {}).reference, compose([], [], {}).told) == (None, ())


def test_state_and_generators_are_kept_by_name():
    generator = torch.Generator()
    state = torch.nn.Sequential()  # empty, and still a state
    stages = compose(["a-b"], [Graft(state=state, generators={"noise": generator})], {})
    assert stages.state["a-b"] is state
    assert stages.generators == {"a-b.noise": generator}


def test_an_exclusive_task_loss_replaces_the_tasks_own(fixtures: Worlds):
    fixture = fixtures("cnn")
    batch = make_batch(fixture.train, fixture.network, np.arange(8))
    own = Graft(task=lambda batch, output: {"own": Term(output.features.rows.sum(1), float(batch.size))})
    measured = compose(["own"], [own], fixture.tasks).objective(fixture.network.as_forward(), batch)
    assert list(measured.terms) == ["own"]


def test_the_loss_is_the_weighted_mean_over_labelled_rows(fixtures: Worlds):
    fixture = fixtures("cnn", "classes", True)
    network = fixture.network.eval()
    batch = make_batch(fixture.train, network, np.arange(8))
    mask = batch.labelled["label"]
    assert 0 < int(mask.sum()) < 8
    measured = compose([], [], fixture.tasks).objective(network.as_forward(), batch)
    logits = network(batch).predictions["label"]
    expected = F.cross_entropy(logits[mask], batch.targets["label"][mask])
    torch.testing.assert_close(measured.total, expected)


def test_a_batch_without_any_label_gives_no_gradient_and_no_nan(fixtures: Worlds):
    fixture = fixtures("cnn", "classes", True)
    rows = np.flatnonzero(~fixture.train.labelled["label"])
    batch = make_batch(fixture.train, fixture.network, rows)
    stages = compose([], [], fixture.tasks)
    fixture.network.zero_grad()
    measured = stages.gradient(stages.objective, fixture.network, batch)
    assert float(measured.total.detach()) == 0.0
    assert all(p.grad is None or not p.grad.any() for p in fixture.network.parameters())
    fixture.network.zero_grad()
