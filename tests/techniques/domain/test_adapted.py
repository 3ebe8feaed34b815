"""AdaBN and Tent: what a network becomes on the rows that it predicts."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from graftwork.core.plan import base_facts, check
from graftwork.core.rows.examples import make_batch
from graftwork.core.scoring import predict_examples
from graftwork.core.technique import Rows
from graftwork.errors import RefusedError
from graftwork.networks.norms import batch_norms, norms, separate
from graftwork.techniques import TTA, AdaBN, Tent
from graftwork.techniques.domain.adabn import shared
from graftwork.techniques.domain.statistics import measure
from graftwork.techniques.domain.tent import entropy
from tinyrun import Fixture, Worlds, make_worlds, same, weights


@pytest.fixture(scope="module")
def fixtures(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return make_worlds(tmp_path_factory.mktemp("fixtures"))


def rows_of(fixture: Fixture) -> Rows:
    return Rows(len(fixture.train), lambda picked: make_batch(fixture.train, fixture.network, picked))


def predictions(fixture: Fixture, *techniques):
    return predict_examples(fixture.network, fixture.train, techniques)["label"]


# --- statistics ---------------------------------------------------------------------------------------------------
def test_statistics_are_those_of_the_rows_at_hand(fixtures: Worlds):
    """Of the first norm, whose input no other norm changes: counted by numpy on what it reads."""
    fixture = fixtures("normed")
    seen: list[np.ndarray] = []
    network = separate(fixture.network.eval(), batch_norms(fixture.network))
    first = next(batch_norms(network))
    with torch.no_grad():
        hook = first.register_forward_pre_hook(lambda _, args: seen.append(args[0].numpy()))
        network.features(make_batch(fixture.train, network, np.arange(40)))
        hook.remove()
    values = np.moveaxis(seen[0], 1, 0).reshape(seen[0].shape[1], -1)
    measure(network, rows_of(fixture), np.arange(40))
    np.testing.assert_allclose(first.running_mean, values.mean(1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(first.running_var, values.var(1, ddof=1), rtol=1e-4)
    assert not network.training
    assert not any(layer.training for layer in batch_norms(network))


def test_a_share_is_a_mean_of_both(fixtures: Worlds):
    fixture = fixtures("normed")
    whole, half = (separate(fixture.network.eval(), batch_norms(fixture.network)) for _ in range(2))
    measure(whole, rows_of(fixture), np.arange(40))
    measure(half, rows_of(fixture), np.arange(40), 0.25)
    for before, new, mixed in zip(batch_norms(fixture.network), batch_norms(whole), batch_norms(half), strict=True):
        torch.testing.assert_close(mixed.running_var, 0.25 * new.running_var + 0.75 * before.running_var)


def test_a_norm_that_no_row_comes_by_keeps_its_statistics(fixtures: Worlds):
    fixture = fixtures("normed")
    network = separate(fixture.network.eval(), batch_norms(fixture.network))
    network.encoders[0].register_module("unused", nn.BatchNorm2d(4))
    network.encoders[0].unused.running_mean.fill_(3.0)
    measure(network, rows_of(fixture), np.arange(40))
    assert network.encoders[0].unused.running_mean.tolist() == [3.0] * 4


def test_each_domain_is_normalised_by_its_own_rows(fixtures: Worlds):
    """As if each were predicted by itself; those with few rows as if they were one."""
    fixture = fixtures("normed")
    codes = fixture.train.domain
    assert codes is not None
    together = predictions(fixture, AdaBN())
    sizes = np.bincount(codes)
    parts = [np.flatnonzero(codes == code) for code in range(3) if sizes[code] >= 8]
    rest = np.flatnonzero(sizes[codes] < 8)
    assert len(parts) >= 2
    for rows in parts:
        alone = predict_examples(fixture.network, fixture.train, [AdaBN()], rows=rows)["label"]
        np.testing.assert_allclose(together[rows], alone, atol=1e-5)
    assert not np.allclose(together, predictions(fixture), atol=1e-3)
    if len(rest):
        assert not np.array_equal(together[rest], predictions(fixture)[rest])


def test_whose_rows_serve_a_domain():
    found = shared(Rows(30, lambda _: None, np.array([0] * 9 + [1] * 8 + [2] * 7 + [-1] * 6)))
    assert {code: rows.tolist() for code, rows in found.items()} == {
        0: list(range(9)),
        1: list(range(9, 17)),
        -1: list(range(17, 30)),
    }
    few = shared(Rows(19, lambda _: None, np.array([0] * 9 + [1] * 8 + [-1] * 2)))
    assert few[-1].tolist() == list(range(19))
    assert list(shared(Rows(5, lambda _: None))) == [-1]


def test_few_rows_keep_the_statistics_of_training_and_say_so(fixtures: Worlds):
    fixture, few = fixtures("normed"), np.arange(5)
    with pytest.warns(UserWarning, match="adabn: 5 rows to predict together, fewer than 8"):
        found = predict_examples(fixture.network, fixture.train, [AdaBN()], rows=few)["label"]
    np.testing.assert_array_equal(found, predict_examples(fixture.network, fixture.train, rows=few)["label"])


# --- entropy ------------------------------------------------------------------------------------------------------
def test_entropy_is_that_of_the_formula():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    expected = float((-(p * np.log(p)).sum(1)).mean())
    assert float(entropy({"a": logits})) == pytest.approx(expected, rel=1e-6)
    assert float(entropy({"a": logits, "b": logits})) == pytest.approx(2 * expected, rel=1e-6)


def test_one_step_is_adam_on_scales_and_shifts(fixtures: Worlds):
    """The first step of Adam (Kingma & Ba 2015) moves each parameter by lr * g / (|g| + eps)."""
    fixture = fixtures("transformer")
    found = Tent(1, lr=0.01).adapted(fixture.network.eval(), rows_of(fixture))
    peer = copy.deepcopy(fixture.network).eval()
    scales = [value for layer in norms(peer) for value in layer.parameters()]
    logits = peer(make_batch(fixture.train, peer, np.random.default_rng(0).permutation(40))).predictions["label"]
    gradients = torch.autograd.grad(F.softmax(logits, 1).mul(-F.log_softmax(logits, 1)).sum(1).mean(), scales)
    new = [value for layer in norms(found) for value in layer.parameters()]
    for before, gradient, after in zip(scales, gradients, new, strict=True):
        clear = gradient.abs() > 1e-4  # where it is almost none, rounding decides its sign
        expected = before.detach() - 0.01 * gradient / (gradient.abs() + 1e-8)
        torch.testing.assert_close(after[clear], expected[clear], atol=2e-5, rtol=1e-3)


@pytest.mark.parametrize("base", ["transformer", "normed", "image"])
def test_predictions_become_surer(base: str, fixtures: Worlds):
    fixture = fixtures(base)
    start = AdaBN() if base == "normed" else Tent(0)
    plain, adapted = predictions(fixture, start), predictions(fixture, Tent(10, lr=0.01))
    assert float(entropy({"": torch.from_numpy(adapted)})) < float(entropy({"": torch.from_numpy(plain)}))


@pytest.mark.parametrize(("base", "technique"), [("transformer", Tent(3)), ("normed", Tent(3)), ("normed", AdaBN())])
def test_nothing_is_left_behind(base: str, technique: Tent | AdaBN, fixtures: Worlds):
    fixture = fixtures(base)
    before, stream = weights(fixture.network), torch.get_rng_state()
    plain = predictions(fixture)
    first = predictions(fixture, technique)
    assert np.array_equal(predictions(fixture, technique), first)
    assert np.array_equal(predictions(fixture), plain)
    assert not np.array_equal(first, plain)
    assert same(weights(fixture.network), before)
    assert torch.equal(torch.get_rng_state(), stream)
    assert all(value.grad is None for value in fixture.network.parameters())


def test_views_are_predicted_by_the_adapted_network(fixtures: Worlds):
    fixture = fixtures("normed")
    both = predictions(fixture, AdaBN(), TTA(2))
    assert not np.allclose(both, predictions(fixture, TTA(2)), atol=1e-3)
    assert not np.allclose(both, predictions(fixture, AdaBN()), atol=1e-6)


def test_few_rows_are_predicted_as_they_are(fixtures: Worlds):
    fixture = fixtures("transformer")
    with pytest.warns(UserWarning, match="tent: 1 row to predict together"):
        found = predict_examples(fixture.network, fixture.train, [Tent()], rows=np.arange(1))["label"]
    np.testing.assert_array_equal(found, predict_examples(fixture.network, fixture.train, rows=np.arange(1))["label"])


@pytest.mark.parametrize(
    ("base", "task", "technique", "message"),
    [
        ("cnn", "classes", Tent(), "tent needs norm_layers.*use a Transformer"),
        ("transformer", "classes", AdaBN(), "adabn needs batch_norm.*MobileNet"),
        ("transformer", "number", Tent(), "tent needs only_class_targets.*--task classification"),
        ("transformer", "many", Tent(), "tent needs only_class_targets"),
    ],
)
def test_what_does_not_fit_is_refused(base: str, task: str, technique: Tent | AdaBN, message: str, fixtures: Worlds):
    fixture = fixtures(base, task)
    with pytest.raises(RefusedError, match=message):
        check([technique], base_facts(fixture.network, fixture.tasks))


def test_they_keep_each_other_out(fixtures: Worlds):
    fixture = fixtures("normed")
    with pytest.raises(RefusedError, match="both decide by what the base is normalised"):
        check([Tent(), AdaBN()], base_facts(fixture.network, fixture.tasks))


def test_a_copy_shares_the_memory_of_all_but_its_own_tensors(fixtures: Worlds):
    network = fixtures("normed").network
    own = separate(network, batch_norms(network))
    before = {name: value.data_ptr() for name, value in network.state_dict().items()}
    apart = {name for name, value in own.state_dict().items() if value.data_ptr() != before[name]}
    owner = {name.rpartition(".")[0] for name in apart}
    assert owner == {name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert all(value.requires_grad == (name in apart) for name, value in own.named_parameters())
