from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn import functional as F

from graftwork import specs
from graftwork.data.table import Column, Schema, Table
from graftwork.errors import DataError, UsageError
from graftwork.tasks.embedding.contrast import clip_loss, siglip_loss
from graftwork.tasks.embedding.retrieval import Retrieval
from graftwork.tasks.metrics.registry import METRICS, score
from graftwork.tasks.registry import TASKS, head_of

WIDTH = 3


def table(names: list[str | None], photos: list[str | None], *more: str) -> Table:
    columns = {"name": names, "photo": photos, **{name: [str(at) for at in range(len(names))] for name in more}}
    schema = Schema(tuple(Column(name, "text") for name in columns))
    return Table(pa.table(columns), schema, "rows.csv", np.arange(1, len(names) + 1))


def learned(contrast: str = "clip") -> Retrieval:
    task = specs.parse(f"retrieval:width={WIDTH},contrast={contrast}", TASKS, "task")
    made = task.learn_rows(table(["a", "b"], ["x", "y"]), "match")
    assert isinstance(made, Retrieval)
    return made


def predictions(rows: int, learnt: tuple[float, ...] = (2.0,), seed: int = 0) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    sides = [F.normalize(torch.randn(rows, WIDTH, generator=draw), dim=1) for _ in range(2)]
    learned = {name: torch.full((rows, 1), value) for name, value in zip(("scale", "bias"), learnt, strict=False)}
    return {"first": sides[0], "second": sides[1], **learned}


def targets(task: Retrieval, names: list[str | None], photos: list[str | None]) -> tuple[np.ndarray, np.ndarray]:
    found = task.encode_rows(table(names, photos), "match")
    assert found is not None
    return found


def test_rows_that_share_a_side_are_partners() -> None:
    task = learned()
    ids, labelled = targets(task, ["a", "a", "b", "c"], ["x", "y", "z", None])
    assert labelled.tolist() == [True, True, True, False]
    given = predictions(4)
    same = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
    expected = clip_loss(given["first"][:3], given["second"][:3], same, torch.tensor(2.0).exp())
    found = task.loss(given, torch.from_numpy(ids))
    torch.testing.assert_close(found[:3], expected)
    assert float(found[3]) == 0.0


def test_siglip_reads_its_bias() -> None:
    task = learned("siglip")
    ids, _ = targets(task, ["a", "b", "c"], ["x", "y", "z"])
    given = predictions(3, (1.0, -3.0))
    expected = siglip_loss(
        given["first"], given["second"], torch.eye(3).bool(), torch.tensor(1.0).exp(), torch.tensor(-3.0)
    )
    torch.testing.assert_close(task.loss(given, torch.from_numpy(ids)), expected)
    assert task.outputs == 6


def test_a_batch_without_a_pair_can_be_descended() -> None:
    task = learned()
    ids, _ = targets(task, ["a", None], [None, "y"])
    given = {name: values.requires_grad_() for name, values in predictions(2).items()}
    task.loss(given, torch.from_numpy(ids)).sum().backward()  # type: ignore[no-untyped-call]
    for values in given.values():
        assert values.grad is not None
        assert bool((values.grad == 0).all())


def test_metrics_read_ranks_over_all_rows() -> None:
    task = learned()
    ids, _ = targets(task, [f"n{at}" for at in range(30)], [f"p{at}" for at in range(30)])
    given = task.keep(predictions(30))
    likeness = given[:, :3] @ given[:, 3:6].T
    own = np.diag(likeness)
    ranks = np.stack([(likeness > own[:, None]).sum(1), (likeness > own[None]).sum(0)], axis=1) + 1
    assert score(task, "recall_at_10", ids, given) == pytest.approx((ranks <= 10).mean())
    assert score(task, "forward_recall_at_5", ids, given) == pytest.approx((ranks[:, 0] <= 5).mean())
    assert set(task.metric_names) <= set(METRICS)


def test_divergence_and_decoding() -> None:
    task, given, other = learned(), predictions(4), predictions(4, seed=1)
    distance = [(given[side] - other[side]).square().sum(1) for side in ("first", "second")]
    torch.testing.assert_close(task.divergence(given, other), (distance[0] + distance[1]) / 2)
    assert task.decode(task.keep(given)) == pytest.approx((given["first"] * given["second"]).sum(1).tolist())


def test_state_comes_back() -> None:
    task = learned("siglip")
    assert Retrieval().with_state(task.state()) == task


def test_other_tables_are_refused() -> None:
    with pytest.raises(UsageError, match=r"aligns two inputs, but rows.csv has 3 \(name, photo, more\)"):
        Retrieval().learn_rows(table(["a", "b"], ["x", "y"], "more"), "match")
    with pytest.raises(DataError, match="1 different value in 'photo'"):
        Retrieval().learn_rows(table(["a", "b"], ["x", "x"]), "match")
    with pytest.raises(UsageError, match="width is 0"):
        Retrieval(width=0)


def test_heads_fit_their_tasks() -> None:
    assert head_of(Retrieval(), "linear") == "towers"
    assert head_of(Retrieval(), "towers:hidden=8") == "towers:hidden=8"
    with pytest.raises(UsageError, match=r"'mlp' does not fit the task retrieval\. Expected one of: towers"):
        head_of(Retrieval(), "mlp")
    with pytest.raises(UsageError, match="'towers' does not fit the task classification"):
        head_of(TASKS["classification"](), "towers")
    assert head_of(TASKS["classification"](), "mlp:width=4") == "mlp:width=4"
