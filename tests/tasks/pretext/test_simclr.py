"""NT-Xent against its definition, term by term; and how rows become two views."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
import torch

from graftwork.core.judging.held_out import held_out_views
from graftwork.core.rows.corruption import corruption
from graftwork.core.rows.examples import make_batch, prepare
from graftwork.core.run import make_run
from graftwork.data.batch import Batch, whole
from graftwork.data.columns.text import TextSettings
from graftwork.data.table import Column, Schema, Table
from graftwork.errors import UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.network import Network
from graftwork.tasks.pretext.simclr import SimCLR, nt_xent
from graftwork.techniques.augment.crop import Crop
from tinyrun import TRAINING, picture


def by_definition(vectors: np.ndarray, temperature: float) -> list[float]:
    """Chen et al. 2020, equation 1, for views of which 2 k and 2 k + 1 belong together."""
    found = []
    for i in range(len(vectors)):
        j = i + 1 if i % 2 == 0 else i - 1

        def likeness(one: int, other: int) -> float:
            a, b = vectors[one], vectors[other]
            return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

        others = sum(math.exp(likeness(i, k) / temperature) for k in range(len(vectors)) if k != i)
        found.append(-math.log(math.exp(likeness(i, j) / temperature) / others))
    return found


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_the_loss_is_that_of_the_paper(temperature: float) -> None:
    vectors = np.random.default_rng(0).normal(size=(10, 6))
    ids = torch.arange(5).repeat_interleave(2)
    loss, right = nt_xent(torch.from_numpy(vectors), ids, temperature)
    np.testing.assert_allclose(loss.numpy(), by_definition(vectors, temperature), rtol=1e-4)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = (unit @ unit.T - 9 * np.eye(10)).argmax(1)
    assert right.tolist() == [bool(nearest[at] == (at ^ 1)) for at in range(10)]


def test_the_same_picture_in_two_rows_is_no_negative() -> None:
    """All four views of one content are partners: the mean of their log-probabilities."""
    vectors = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    loss, _ = nt_xent(vectors, torch.tensor([7, 7, 7, 7, 3, 3]), 0.5)
    unit = torch.nn.functional.normalize(vectors, dim=1)
    logits = (unit @ unit.T / 0.5).fill_diagonal_(float("-inf"))
    expected = -torch.log_softmax(logits, 1)[0, [1, 2, 3]].mean()
    torch.testing.assert_close(loss[0], expected)


def test_a_view_whose_other_one_is_not_there_gives_nothing() -> None:
    loss, right = nt_xent(torch.randn(3, 4), torch.tensor([0, 0, 1]), 0.5)
    assert float(loss[2]) == 0
    assert not bool(right[2])


def test_each_row_comes_twice_one_behind_the_other() -> None:
    hiding = corruption({"pretext": SimCLR()}, Network.__new__(Network), seed=0)
    assert hiding is not None
    ids = torch.tensor([4, 9, 2])
    labelled = {"pretext": torch.ones(3, dtype=torch.bool)}
    batch = whole(Batch({"photo": {"pixels": torch.rand(3, 3, 4, 4)}}, torch.arange(3), {"pretext": ids}, labelled))
    made = hiding.before(batch)
    assert made.targets["pretext"].tolist() == [4, 4, 9, 9, 2, 2]  # type: ignore[union-attr]
    assert torch.equal(made.inputs["photo"]["pixels"][::2], made.inputs["photo"]["pixels"][1::2])
    assert (made.size, made.labelled_size) == (6, {"pretext": 6.0})
    assert hiding.behind(made).targets["pretext"].tolist() == [4, 4, 9, 9, 2, 2]  # type: ignore[union-attr]


def test_held_out_rows_become_views_by_the_techniques_and_the_same_ones_each_time() -> None:
    values = [picture(("animals", "weather", "food")[at % 3], at) for at in range(60)]
    table = Table(pa.table({"it": values}), Schema((Column("it", "image"),)), "tiny", np.arange(1, 61))
    task = SimCLR(width=8).learn_rows(table, "pretext")
    network = Network({"it": parse_base("small-cnn:width=8,size=8").build(TrainingRows(), 0)}, {})
    network.set_heads({"pretext": task.make_head(network, "projection")})
    examples = prepare(table, network, {"pretext": task}, TextSettings())
    run = make_run(
        network,
        {"pretext": task},
        [Crop(scale=0.3, pad=0.0)],
        TRAINING,
        examples,
        examples,
        metrics={"pretext": "nt_xent"},
    )
    plain = make_batch(examples, network, np.arange(6))
    first, second = held_out_views(run), held_out_views(run)
    assert first is not None
    assert second is not None
    one, other = first(plain).inputs["it"]["pixels"], second(plain).inputs["it"]["pixels"]
    assert torch.equal(one, other)
    assert (one[::2] != one[1::2]).flatten(1).any(1).all()
    assert len(one) == 12


def test_held_out_scores_are_means_over_both_views() -> None:
    vectors = torch.randn(8, 5, generator=torch.Generator().manual_seed(1))
    task = SimCLR(width=5)
    kept = task.keep(vectors)
    assert kept.shape == (4, 10)
    _, found = task.metric_inputs(np.arange(4), kept)
    expected = by_definition(vectors.numpy().astype(float), 0.5)
    assert task.metrics()["nt_xent"](found, found) == pytest.approx(np.mean(expected), rel=1e-4)
    cosines = torch.cosine_similarity(vectors[::2], vectors[1::2])
    np.testing.assert_allclose(task.decode(kept), cosines, rtol=1e-4)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError, match="temperature is 0"):
        SimCLR(temperature=0.0)
    with pytest.raises(UsageError, match="width is 0"):
        SimCLR(width=0)
