from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn import functional as F

from graftwork.core.technique import Graft
from graftwork.data.batch import whole
from graftwork.errors import RefusedError, UsageError
from graftwork.tasks.embedding.few_shot import FewShot
from graftwork.techniques import ANIL, MAML, ProtoNet, Reptile
from graftwork.techniques.meta.inner_loop import Loop, Weighted, body, logits, zero_head

WAY, SHOT, QUERY = 3, 2, 2
EPISODE = WAY * (SHOT + QUERY)
SHAPE = {"way": WAY, "shot": SHOT, "query": QUERY}
TECHNIQUES = [ProtoNet(**SHAPE), MAML(**SHAPE), ANIL(**SHAPE), Reptile(**SHAPE)]


@pytest.fixture
def few(fixture):
    """A fixture of the task few-shot, whose 24 rows are two episodes. Its base is in double precision, so that finite
    differences of the formulas are exact; features come out of a network in single precision."""

    def build(rows: int = 2 * EPISODE):
        this = fixture(rows=rows)
        task = FewShot(way=WAY).learn(pa.chunked_array([["a", "b", "c"] * 2]), "table")
        this.network.double()
        return replace(this, setup=replace(this.setup, tasks={"classes": task}))

    return build


def gradients(this, technique, episodes: int = 1) -> dict[str, torch.Tensor]:
    """Of one step on the first rows, below the heads."""
    rows = torch.arange(episodes * EPISODE)
    batch = whole(replace(this.batch.part(rows), size=0))
    network = technique.adapt(this.network, this.setup)
    stages = this.stages(technique)
    network.zero_grad(set_to_none=True)
    stages.gradient(stages.objective, network, stages.inputs(batch))
    return {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def parts(this, start: int = 0):
    """Support and queries of an episode, and their classes within it."""
    at = torch.arange(start, start + EPISODE)
    support, asked = at[: WAY * SHOT], at[WAY * SHOT :]
    return (
        this.batch.part(support),
        this.batch.part(asked),
        torch.arange(len(support)) % WAY,
        torch.arange(len(asked)) % WAY,
    )


def inner(network, head, batch, classes, lr: float, steps: int, *, body: bool = True, graph: bool = False):
    """Plain gradient descent by hand on a copy's own parameters: independent of functional calls."""
    named = {n: p for n, p in network.named_parameters() if n.startswith("encoders")} if body else {}
    weights = {**named, **head}
    for _ in range(steps):
        features = run(network, named and {n: weights[n] for n in named}, batch)
        loss = F.cross_entropy(features @ weights["w"].T + weights["b"], classes)
        found = torch.autograd.grad(loss, list(weights.values()), create_graph=graph)
        weights = {n: v - lr * g for (n, v), g in zip(weights.items(), found, strict=True)}
    return weights


def run(network, weights, batch):
    """The tiny encoder's formula with given weights: mean of embeddings, then two tanh layers."""
    own = dict(network.named_parameters()) | (weights or {})
    state = own["encoders.0.embedding.weight"][batch.inputs["text"]["ids"]].mean(dim=1)
    for layer in range(2):
        state = torch.tanh(
            state @ own[f"encoders.0.layers.{layer}.0.weight"].T + own[f"encoders.0.layers.{layer}.0.bias"]
        )
    return state


def zero(network):
    return {
        "w": torch.zeros(WAY, network.width, dtype=torch.double, requires_grad=True),
        "b": torch.zeros(WAY, dtype=torch.double, requires_grad=True),
    }


def test_protonet_loss_is_the_papers(few) -> None:
    """Snell et al. 2017, algorithm 1, with loops."""
    this = few()
    network = ProtoNet(**SHAPE).adapt(this.network, this.setup)
    batch = whole(replace(this.batch.part(torch.arange(EPISODE)), size=0))
    stages = this.stages(ProtoNet(**SHAPE))
    loss = float(stages.gradient(stages.objective, network, batch).total)
    support, asked, _, _ = parts(this)
    known, queries = network.features(support).rows.detach(), network.features(asked).rows.detach()
    prototypes = [sum(known[shot * WAY + k] for shot in range(SHOT)) / SHOT for k in range(WAY)]
    expected = 0.0
    for place, query in enumerate(queries):
        distances = [float(((query - p) ** 2).sum()) for p in prototypes]
        expected += distances[place % WAY] + np.log(sum(np.exp(-d) for d in distances))
    assert loss == pytest.approx(expected / len(queries), rel=1e-6)


def test_protonet_with_cosines(few) -> None:
    this = few()
    technique = ProtoNet(**SHAPE, distance="cosine", scale=5.0)
    network = technique.adapt(this.network, this.setup)
    batch = whole(replace(this.batch.part(torch.arange(EPISODE)), size=0))
    stages = this.stages(technique)
    loss = float(stages.gradient(stages.objective, network, batch).total)
    support, asked, own, classes = parts(this)
    known, queries = network.features(support).rows.detach(), network.features(asked).rows.detach()
    prototypes = torch.stack([known[own == k].mean(dim=0) for k in range(WAY)])
    cosines = torch.stack([F.cosine_similarity(q, prototypes) for q in queries])
    assert loss == pytest.approx(float(F.cross_entropy(5.0 * cosines, classes)), rel=1e-6)


@pytest.mark.parametrize("technique", [MAML(**SHAPE, episodes=1, lr=0.5, steps=3), ANIL(**SHAPE, episodes=1, lr=0.5)])
def test_the_gradient_is_that_of_finite_differences(few, technique) -> None:
    this = few()
    support, asked, own, classes = parts(this)
    body = isinstance(technique, MAML)

    def meta_loss() -> float:
        network = this.network
        found = inner(network, zero(network), support, own, technique.lr, technique.steps, body=body)
        features = run(network, {n: v for n, v in found.items() if n.startswith("enc")}, asked)
        return F.cross_entropy(features @ found["w"].T + found["b"], classes).item()

    found = gradients(this, technique)
    for name, place in (
        ("encoders.0.layers.0.0.weight", (2, 3)),
        ("encoders.0.layers.1.0.bias", (4,)),
        ("encoders.0.embedding.weight", (int(support.inputs["text"]["ids"][0, 0]), 1)),
    ):
        weight = dict(this.network.named_parameters())[name]
        step = 1e-5
        with torch.no_grad():
            weight[place] += step
        above = meta_loss()
        with torch.no_grad():
            weight[place] -= 2 * step
        below = meta_loss()
        with torch.no_grad():
            weight[place] += step
        assert float(found[name][place]) == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-7)


def test_first_order_is_the_gradient_at_the_learned_weights_and_differs_from_the_second(few) -> None:
    this = few()
    settings = {**SHAPE, "episodes": 1, "lr": 0.5, "steps": 3}
    first, second = gradients(this, MAML(**settings, first_order=True)), gradients(few(), MAML(**settings))
    support, asked, own, classes = parts(this)
    found = inner(this.network, zero(this.network), support, own, 0.5, 3)
    leaves = {n: v.detach().requires_grad_() for n, v in found.items()}
    features = run(this.network, {n: v for n, v in leaves.items() if n.startswith("enc")}, asked)
    F.cross_entropy(features @ leaves["w"].T + leaves["b"], classes).backward()
    for name, value in first.items():
        torch.testing.assert_close(value, leaves[name].grad, rtol=1e-4, atol=1e-7)
        assert not torch.allclose(value, second[name])


def test_reptile_moves_towards_the_learned_weights(few) -> None:
    """Nichol et al. 2018, algorithm 1: the layers of the episode in turn, then the difference."""
    this = few()
    technique = Reptile(**SHAPE, episodes=1, lr=0.2, steps=3)
    before = {n: p.detach().clone() for n, p in this.network.named_parameters()}
    found = gradients(this, technique)
    learner, head = copy.deepcopy(this.network), zero(this.network)
    trained = [p for n, p in learner.named_parameters() if n.startswith("enc")]
    for step in range(3):
        at = torch.arange(WAY * SHOT) + (step % 2) * WAY * SHOT
        batch = this.batch.part(at)
        loss = F.cross_entropy(run(learner, None, batch) @ head["w"].T + head["b"], torch.arange(len(at)) % WAY)
        every = [*trained, *head.values()]
        for parameter, gradient in zip(every, torch.autograd.grad(loss, every), strict=True):
            with torch.no_grad():
                parameter -= 0.2 * gradient
    for name, parameter in learner.named_parameters():
        if name.startswith("enc"):
            torch.testing.assert_close(
                found[name], (before[name] - parameter.detach()) / (0.2 * 3), rtol=1e-4, atol=1e-6
            )
    assert all(torch.equal(before[n], p) for n, p in this.network.named_parameters() if n.startswith("enc"))


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda technique: technique.name)
def test_a_step_is_the_mean_over_its_episodes(few, technique) -> None:
    both = gradients(few(), replace(technique, episodes=2), episodes=2)
    one = replace(technique, episodes=1)
    first, this = gradients(few(), one), few()
    this = replace(this, batch=whole(replace(this.batch.part(torch.arange(EPISODE, 2 * EPISODE)), size=0)))
    second = gradients(this, one)
    for name, value in both.items():
        torch.testing.assert_close(value, (first[name] + second[name]) / 2, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    "technique", [MAML(**SHAPE, lr=0.3, use_steps=4), Reptile(**SHAPE, lr=0.3, use_steps=4)], ids=lambda t: t.name
)
def test_learning_at_use_is_gradient_descent_and_leaves_the_network(few, technique) -> None:
    this = few()
    support, asked, own, _ = parts(this)
    before = copy.deepcopy(this.network.state_dict())
    found = technique.learn(this.network.requires_grad_(False), replace(support, targets={"classes": own}), "classes")
    assert all(torch.equal(before[name], value) for name, value in this.network.state_dict().items())
    reference = inner(this.network.requires_grad_(True), zero(this.network), support, own, 0.3, 4)
    features = run(this.network, {n: v for n, v in reference.items() if n.startswith("enc")}, asked)
    expected = features @ reference["w"].T + reference["b"]
    torch.testing.assert_close(found(asked).predictions["classes"], expected.detach().float(), atol=1e-6, rtol=1e-4)


def test_prototypes_at_use(few) -> None:
    this = few()
    support, asked, own, _ = parts(this)
    given = replace(support, targets={"classes": own})
    found = ProtoNet(**SHAPE).learn(this.network, given, "classes")(asked).predictions["classes"]
    known, queries = this.network.features(support).rows, this.network.features(asked).rows
    prototypes = torch.stack([known[own == k].mean(dim=0) for k in range(WAY)])
    assert torch.equal(found.argmax(dim=1), torch.cdist(queries, prototypes).argmin(dim=1))


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda technique: technique.name)
def test_batches_are_episodes_and_repeat(few, technique) -> None:
    this = few(rows=60)
    graft: Graft = technique.attach(this.network, this.setup)
    classes = this.setup.targets["classes"]
    epoch = graft.sampler(1)
    for rows in epoch:
        assert len(rows) == technique.episodes * EPISODE
        for start in range(0, len(rows), EPISODE):
            layers = classes[rows[start : start + EPISODE]].reshape(-1, WAY)
            assert (layers == layers[0]).all()
            assert len(set(layers[0])) == WAY
            assert len(set(rows[start : start + EPISODE].tolist())) == EPISODE
    again = technique.attach(this.network, this.setup).sampler(1)
    assert all(np.array_equal(a, b) for a, b in zip(epoch, again, strict=True))
    assert not np.array_equal(epoch[0], graft.sampler(2)[0])


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda technique: technique.name)
def test_too_little_for_an_episode_is_refused(few, technique) -> None:
    this = few()
    with pytest.raises(RefusedError, match=r"takes 5 classes \(way=5\), and there are 3: 'a' .* set way to 3"):
        replace(technique, way=5).attach(this.network, this.setup)
    with pytest.raises(
        RefusedError, match=r"takes 40 rows of a class \(shot 2, query 38\).*'a' \(\d+\).*shot or query"
    ):
        replace(technique, query=38).attach(this.network, this.setup)


def test_settings_out_of_range() -> None:
    with pytest.raises(UsageError, match=r"maml: steps is 1\. Expected a number from 2"):
        MAML(steps=1)
    with pytest.raises(UsageError, match=r"protonet: way is 1"):
        ProtoNet(way=1)
    with pytest.raises(UsageError, match=r"reptile: lr is 0"):
        Reptile(lr=0.0)
    with pytest.raises(UsageError, match=r"anil: use_steps is 0"):
        ANIL(use_steps=0)


def test_the_memory_of_the_second_order_keeps_its_bound(few) -> None:
    """What is saved for the backward pass, against a plain pass over the rows that the documentation names."""
    this, steps = few(), 3
    support, asked, own, _ = parts(this)

    def saved(measured) -> int:
        sizes: dict[int, int] = {}
        kept = []

        def pack(tensor):
            kept.append(tensor)
            sizes[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            measured()
        return sum(sizes.values())

    network, weights = this.network, sum(p.nbytes for p in this.network.parameters())
    loop, features = Loop(steps, 0.1, second_order=True), Weighted(this.network)

    def second_order() -> None:
        found = loop.run(lambda w: features.with_weights(support, w).rows, body(network) | zero_head(network, WAY), own)
        logits(features.with_weights(asked, found).rows, found).sum()

    rows = 2 * steps * len(support) + len(asked)
    many = this.batch.part(torch.arange(rows) % len(this.batch))
    assert saved(second_order) <= saved(lambda: network(many).predictions["classes"].sum()) + 2 * (steps + 1) * weights
