"""Free adversarial training, on tiny networks over pictures and tones."""

from __future__ import annotations

import pytest
import torch

from graftwork.core.rows.examples import make_batch
from graftwork.errors import RefusedError, UsageError
from graftwork.techniques import Adversarial, FreeAdversarial
from graftwork.techniques.adversarial.attack import Ball
from graftwork.techniques.adversarial.free_adversarial import carried
from graftwork.techniques.adversarial.perturbed_inputs import task_loss
from tinyrun import make_worlds

EPSILON = 0.05


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory):
    return make_worlds(tmp_path_factory.mktemp("fixtures"))


def test_the_change_follows_the_sign_of_the_gradient_in_the_inputs(fixtures):
    """Three replays of one batch, weights held: the paper's algorithm 1 by hand."""
    run = fixtures("image").run([FreeAdversarial(EPSILON, 3)])
    network = run.network.eval()
    batch = make_batch(run.train, network, next(run.rows_from(0)), run.cached)
    pixels = batch.inputs["image"]["pixels"]
    delta = torch.zeros_like(pixels)
    for _ in range(3):
        seen = []
        handle = network.encoder("image").register_forward_pre_hook(
            lambda _, args, seen=seen: seen.append(args[0]["pixels"].detach())
        )
        run.stages.gradient(run.stages.objective, network, run.stages.inputs(batch))
        handle.remove()
        assert len(seen) == 1
        torch.testing.assert_close(seen[0], pixels + delta)
        batch.inputs["image"]["pixels"] = leaf = (pixels + delta).requires_grad_(True)
        slope = torch.autograd.grad(task_loss(run.tasks, network.as_forward(), batch).sum(), leaf)[0]
        batch.inputs["image"]["pixels"] = pixels
        delta = (delta + EPSILON * slope.sign()).clamp(-EPSILON, EPSILON)
        delta = (pixels + delta).clamp(0.0, 1.0) - pixels
        torch.testing.assert_close(run.stages.state["free-adversarial"].delta0, delta)


def test_each_batch_comes_so_many_times_in_a_row(fixtures):
    fixture = fixtures("image")
    plain = [rows.tolist() for rows in fixture.run([], steps=6).rows_from(0)]
    run = fixture.run([FreeAdversarial(EPSILON, 3)], steps=6)
    drawn = [rows.tolist() for rows in run.rows_from(0)]
    assert drawn == [plain[0]] * 3 + [plain[1]] * 3
    assert [rows.tolist() for rows in run.rows_from(4)] == drawn[4:]
    assert "batches: each comes 3 times in a row" in run.plan.explain()
    assert "each step: 1 forwards, 1 backwards a row" in run.plan.explain()


def test_a_change_is_carried_over_into_the_next_ball():
    middle = torch.tensor([[0.0, 0.5, 1.0]])
    kept = carried(torch.tensor([[-0.3, 0.1, 0.3]]), Ball(middle, 0.2, "linf", 0.0, 1.0))
    torch.testing.assert_close(kept, torch.tensor([[0.0, 0.1, 0.0]]))
    assert not carried(torch.ones(2, 3), Ball(middle, 0.2)).any()


def test_parts_of_a_batch_get_the_changes_of_their_rows(fixtures):
    from graftwork.techniques import Accumulate

    found = []
    for techniques in ([FreeAdversarial(EPSILON, 3)], [FreeAdversarial(EPSILON, 3), Accumulate(3)]):
        run = fixtures("image").run(techniques)
        network = run.network.eval()
        batch = make_batch(run.train, network, next(run.rows_from(0)), run.cached)
        for _ in range(2):
            run.stages.gradient(run.stages.objective, network, run.stages.inputs(batch))
        found.append(run.stages.state["free-adversarial"].delta0)
    assert found[0].any()
    torch.testing.assert_close(found[0], found[1])


def test_sounds_stay_silent_where_they_were_filled_up(fixtures):
    run = fixtures("audio").run([FreeAdversarial(EPSILON, 3)])
    batch = make_batch(run.train, run.network.train(), next(run.rows_from(0)), run.cached)
    run.stages.gradient(run.stages.objective, run.network, run.stages.inputs(batch))
    delta, samples = run.stages.state["free-adversarial"].delta0, batch.inputs["audio"]["samples"]
    beyond = torch.arange(delta.shape[1]) >= samples[:, None]
    assert float(delta.abs().max()) == pytest.approx(EPSILON, abs=1e-6)
    assert not delta[beyond].any()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: FreeAdversarial(8.0), r"free-adversarial: epsilon is 8.0. Expected a number from 0 to 1"),
        (lambda: FreeAdversarial(replays=0), r"free-adversarial: replays is 0. Expected a number from 1"),
    ],
)
def test_settings_out_of_range(make, reason):
    with pytest.raises(UsageError, match=reason):
        make()


def test_refused(fixtures):
    with pytest.raises(RefusedError, match=r"adversarial and free-adversarial both decide how the inputs are attacked"):
        fixtures("image").run([FreeAdversarial(), Adversarial()], started=False)
    with pytest.raises(RefusedError, match=r"free-adversarial needs signals"):
        fixtures("transformer").run([FreeAdversarial()], started=False)
