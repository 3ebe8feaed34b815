"""The techniques that train against attacks, on tiny networks over pictures, tones and texts."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from graftwork.core.rows.examples import make_batch
from graftwork.core.technique import Cost
from graftwork.errors import RefusedError, UsageError
from graftwork.techniques import FGM, TRADES, VAT, Adversarial, AugMix, Noise, SpecAugment
from graftwork.techniques.adversarial.attack import Ball
from graftwork.techniques.adversarial.perturbed_inputs import ball, shifted, steady, task_loss
from graftwork.techniques.adversarial.vat import most_moving
from graftwork.techniques.augment.augmix import chains, jensen_shannon, mixtures
from graftwork.techniques.augment.operations import operations
from tinyrun import make_worlds, same, weights


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory):
    return make_worlds(tmp_path_factory.mktemp("fixtures"))


def started(fixture, *techniques, **changes):
    run = fixture.run(techniques, **changes)
    batch = make_batch(run.train, run.network.train(), next(run.rows_from(0)), run.cached)
    return run, run.stages.inputs(batch)


def seen_by(run, batch, column, key):
    """What the encoder of a column reads in the passes of one step: the last one is trained on."""
    seen = []
    handle = run.network.encoder(column).register_forward_pre_hook(
        lambda _, args: seen.append(args[0][key].detach() if key != "hidden" else args[1].states.detach())
    )
    torch.manual_seed(4)
    measured = run.stages.gradient(run.stages.objective, run.network, batch)
    handle.remove()
    return seen, measured


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize(("kind", "key"), [("image", "pixels"), ("audio", "wave")])
def test_rows_are_learned_as_the_attack_has_changed_them(kind, key, steps, fixtures):
    run, batch = started(fixtures(kind), Adversarial(0.05, steps))
    plain = batch.inputs[kind][key]
    seen, measured = seen_by(run, batch, kind, key)
    assert len(seen) == steps + 1
    moved = seen[-1] - plain
    assert float(moved.abs().max()) == pytest.approx(0.05, abs=1e-6)
    low, high = (0.0, 1.0) if kind == "image" else (-1.0, 1.0)
    assert low - 1e-6 <= float(seen[-1].min())
    assert float(seen[-1].max()) <= high + 1e-6
    if kind == "audio":
        beyond = torch.arange(plain.shape[1]) >= batch.inputs[kind]["samples"][:, None]
        assert not moved[beyond].any()
    with torch.no_grad(), steady(run.network):
        forward = run.network.as_forward()
        clean = task_loss(run.tasks, forward, batch).mean()
        hit = task_loss(run.tasks, forward, shifted(run.network, batch, {kind: moved})).mean()
    assert float(hit) > float(clean)
    assert list(measured.terms) == ["label"]


def test_the_gradient_is_that_of_the_changed_rows(fixtures):
    run, batch = started(fixtures("image"), Adversarial(0.05, 2))
    seen, _ = seen_by(run, batch, "image", "pixels")
    found = {name: p.grad.clone() for name, p in run.network.named_parameters()}
    run.network.zero_grad()
    plain, _ = started(fixtures("image"))
    changed = replace(batch, inputs={"image": {"pixels": seen[-1]}})
    torch.manual_seed(4)
    plain.stages.gradient(plain.stages.objective, plain.network.train(), changed)
    for name, parameter in plain.network.named_parameters():
        torch.testing.assert_close(found[name], parameter.grad, msg=name)


def test_clean_rows_have_their_share_of_the_loss(fixtures):
    run, batch = started(fixtures("image"), Adversarial(0.05, 2, clean=0.25))
    other, _ = started(fixtures("image"), Adversarial(0.05, 2))
    plain, _ = started(fixtures("image"))
    values = []
    for one in (run, other, plain):
        one.network.eval()  # without dropout, whose draws would differ
        values.append(float(one.stages.objective(one.network.as_forward(), batch).total.detach()))
    assert values[0] == pytest.approx(0.75 * values[1] + 0.25 * values[2], rel=1e-5)


@pytest.mark.parametrize("base", ["transformer", "rnn", "cnn"])
@pytest.mark.parametrize("steps", [1, 3])
def test_embeddings_of_texts_are_moved_by_a_share_of_their_length(base, steps, fixtures):
    run, batch = started(fixtures(base), FGM(0.2, steps, clean=0.0))
    network, mask = run.network, batch.inputs["text"]["attention_mask"].bool()
    with steady(network):
        states = network.encoder("text").states(batch.inputs["text"], 1).detach()
    seen = []
    encoder = network.encoder("text")
    handle = encoder.register_forward_pre_hook(lambda _, args: seen.append(args[1].states.detach()))
    with steady(network):  # so that dropout does not move the embeddings too
        run.stages.objective(network.as_forward(), batch)
        moved = seen[-1] - states
    handle.remove()
    assert len(seen) == steps + 1
    lengths = (states * mask.unsqueeze(2)).flatten(1).norm(dim=1)
    if steps == 1:
        torch.testing.assert_close(moved.flatten(1).norm(dim=1), 0.2 * lengths, rtol=1e-4, atol=1e-5)
    assert (moved.flatten(1).norm(dim=1) <= 0.2 * lengths * 1.0001).all()
    assert not moved[~mask].any()
    with torch.no_grad(), steady(network):
        forward = network.as_forward()
        hit = task_loss(run.tasks, forward, shifted(network, batch, {"text": moved}))
        clean = task_loss(run.tasks, forward, batch)
    assert float(hit.mean()) > float(clean.mean())


def test_moving_by_nothing_changes_no_prediction(fixtures):
    for base in ("transformer", "rnn", "cnn", "image", "audio", "mixed"):
        run, batch = started(fixtures(base))
        with torch.no_grad(), steady(run.network):
            names = [name for name in run.network.columns if run.network.encoder(name).modality != "table"]
            none = {name: ball(run.network, name, batch, 0.1, "l2").zero() for name in names}
            moved, plain = run.network(shifted(run.network, batch, none)), run.network(batch)
        torch.testing.assert_close(moved.predictions["label"], plain.predictions["label"])


def test_trades_adds_the_divergence_under_attack_on_all_rows(fixtures):
    run, batch = started(fixtures("image", "classes", True), TRADES(0.05, 2, beta=3.0))
    torch.manual_seed(4)
    measured = run.stages.objective(run.network.as_forward(), batch)
    term = measured.terms["trades label"]
    assert (term.weight, term.count) == (3.0, len(batch))
    assert (term.value > 0).all()  # rows without a label too
    plain = started(fixtures("image", "classes", True))[0]
    torch.manual_seed(4)
    before = plain.stages.objective(plain.network.as_forward(), batch)
    assert torch.equal(before.terms["label"].value, measured.terms["label"].value)


def test_power_iteration_finds_the_steepest_direction():
    """Of a quadratic form: the eigenvector of the largest eigenvalue."""
    basis = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(1)))[0]
    hessian = basis @ torch.diag(torch.tensor([9.0, 2.0, 1.0, 0.5, 0.1, 0.0])) @ basis.T

    def harm(delta):
        return 0.5 * torch.einsum("bi,ij,bj->b", delta["x"], hessian, delta["x"])

    found = most_moving(harm, {"x": Ball(torch.zeros(4, 6), 0.5, "l2")}, 8, torch.Generator().manual_seed(0))["x"]
    torch.testing.assert_close(found.norm(dim=1), torch.full((4,), 0.5))
    assert ((found @ basis[:, 0]).abs() > 0.4999).all()


@pytest.mark.parametrize("base", ["transformer", "image", "audio"])
def test_vat_learns_from_rows_without_a_label(base, fixtures):
    run, batch = started(fixtures(base, "classes", True), VAT(0.3, 2.0))
    bare = replace(batch, labelled={"label": torch.zeros(len(batch), dtype=torch.bool)})
    measured = run.stages.gradient(run.stages.objective, run.network, bare)
    term = measured.terms["vat label"]
    assert (term.weight, term.count) == (2.0, len(batch))
    assert (term.value > 0).all()
    assert any(
        p.grad is not None and p.grad.abs().max() > 0 for p in run.network.encoder(base_column(base)).parameters()
    )


def base_column(base):
    return base if base in ("image", "audio") else "text"


def test_jensen_shannon_against_its_definition():
    p, q, r = (torch.rand(5, 3).softmax(1) for _ in range(3))
    mean = (p + q + r) / 3
    expected = sum((one * (one / mean).log()).sum(1) for one in (p, q, r)) / 3
    torch.testing.assert_close(jensen_shannon([p, q, r]), expected)
    torch.testing.assert_close(jensen_shannon([p, p, p]), torch.zeros(5), atol=1e-6, rtol=0)


def test_mixtures_are_images_and_the_same_for_the_same_draws():
    pixels = torch.rand(6, 3, 8, 8)
    known = list(operations().values())
    first, again = (mixtures(pixels, known, 0.3, torch.Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])
    for view in first:
        assert 0 <= float(view.min()) <= float(view.max()) <= 1
    nothing = chains(pixels, [lambda given, _: given], 0.3, torch.Generator().manual_seed(5))
    assert torch.equal(nothing, pixels)


@pytest.mark.parametrize("technique", [AugMix(), Adversarial(0.1, 2), TRADES(0.1, 2), VAT(0.2)], ids=lambda t: t.name)
def test_the_main_random_stream_is_left_alone(technique, fixtures):
    run, batch = started(fixtures("image"), technique)
    plain, _ = started(fixtures("image"))
    states = []
    for one in (plain, run):
        torch.manual_seed(4)
        one.stages.objective(one.network.as_forward(), batch)
        states.append(torch.get_rng_state())
    assert torch.equal(*states)


def test_costs():
    assert Adversarial(steps=7).cost(Cost()) == Cost(8, 8)
    assert Adversarial(steps=1).cost(Cost()) == Cost(2, 2)
    assert Adversarial(steps=3, clean=0.5).cost(Cost(2, 2)) == Cost(7, 7)
    assert TRADES(steps=7).cost(Cost()) == Cost(9, 9)
    assert VAT().cost(Cost()) == Cost(4, 3)
    assert AugMix().cost(Cost()) == Cost(3, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adversarial(8.0), r"adversarial: epsilon is 8.0. Expected a number from 0 to 1"),
        (lambda: Adversarial(-0.1), r"epsilon is -0.1"),
        (lambda: Adversarial(math.nan), r"epsilon is nan"),
        (lambda: Adversarial(steps=0), r"steps is 0. Expected a number from 1 to 1000"),
        (lambda: TRADES(1.5), r"trades: epsilon is 1.5"),
        (lambda: FGM(2.0), r"fgm: epsilon is 2.0"),
        (lambda: FGM(clean=1.0), r"clean is 1.0"),
        (lambda: VAT(epsilon=3.0), r"vat: epsilon is 3.0"),
        (lambda: AugMix(magnitude=11), r"augmix: magnitude is 11"),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(UsageError, match=message):
        make()


def test_what_can_not_be_attacked_is_refused(fixtures):
    with pytest.raises(
        RefusedError, match=r"adversarial needs signals.*numbers and categories can't; for texts .* fgm"
    ):
        fixtures("transformer").run([Adversarial()], started=False)
    with pytest.raises(RefusedError, match=r"fgm needs embeddings"):
        fixtures("image").run([FGM()], started=False)
    with pytest.raises(UsageError, match=r"adversarial: columns names 'table'. Expected inputs of this run: photo"):
        fixtures("mixed").run([Adversarial(columns=("table",))], started=False)
    with pytest.raises(RefusedError, match=r"adversarial and trades both decide how the inputs are attacked"):
        fixtures("image").run([Adversarial(), TRADES()], started=False)
    with pytest.raises(RefusedError, match=r"adversarial needs signals, but spec-augment removes them"):
        fixtures("audio").run([Adversarial(), SpecAugment()], started=False)
    fixtures("audio").run([Adversarial(0.01, 1), Noise()], started=False)


def test_nothing_is_cached_below_an_attack(fixtures):
    from graftwork.techniques import Partial

    run = fixtures("image").run([Partial(1), Adversarial(0.05, 1)], started=False)
    assert not run.plan.cache
    assert any("adversarial changes the input of block 0" in note for note in run.plan.notes)


def test_a_null_attack_is_no_attack(fixtures):
    fixture = fixtures("audio")
    plain = weights(fixture.fit()[1].network)
    for technique in (Adversarial(0.0), TRADES(0.0), TRADES(beta=0.0), VAT(0.0), VAT(weight=0.0)):
        assert same(weights(fixture.fit([technique])[1].network), plain)
