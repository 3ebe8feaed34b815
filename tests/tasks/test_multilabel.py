"""Multi-label targets: lists or text with a separator, in and out in the same form."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn import functional as F

from graftwork import specs
from graftwork.errors import DataError, UsageError
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.registry import TASKS

TEXTS = pa.chunked_array([["b; a", "a", None], ["", "c;c"]])
LISTS = pa.chunked_array([[["b", "a"], ["a"], None], [[], ["c"]]])
TARGETS = [[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("column", "labelled", "decoded"),
    [
        (TEXTS, [True, True, False, False, True], ["a;b", "c", ""]),
        (LISTS, [True, True, False, True, True], [["a", "b"], ["c"], []]),
        (LISTS.cast(pa.large_list(pa.string())), [True, True, False, True, True], [["a", "b"], ["c"], []]),
    ],
)
def test_targets_in_and_out(column: pa.ChunkedArray, labelled: list[bool], decoded: list) -> None:
    task = Multilabel().learn(column, "train.csv")
    targets, mask = task.encode(column, "train.csv", np.arange(5))
    assert task.classes == ("a", "b", "c")
    assert targets.tolist() == TARGETS
    assert mask.tolist() == labelled
    again = Multilabel().with_state(json.loads(json.dumps(task.state())))
    assert again.decode(np.array([[0.9, 0.5, 0.1], [0.1, 0.2, 0.8], [0.1, 0.1, 0.1]])) == decoded


def test_separator_and_threshold_are_settings() -> None:
    task = specs.parse("multilabel:separator=|,threshold=0.3", TASKS, "task")
    assert isinstance(task, Multilabel)
    task = task.learn(pa.chunked_array([["a|b", "a"]]), "train.csv")
    again = Multilabel().with_state(json.loads(json.dumps(task.state())))
    for one in (task, again):
        assert one.decode(np.array([[0.35, 0.31], [0.29, 0.9]])) == ["a|b", "b"]


def test_sliced_columns_keep_their_rows() -> None:
    task = Multilabel().learn(LISTS, "train.csv")
    assert task.encode(LISTS.slice(1, 4), "t", np.arange(4))[0].tolist() == TARGETS[1:]


def test_unknown_labels_name_the_row() -> None:
    task = Multilabel().learn(TEXTS, "train.csv")
    with pytest.raises(DataError, match=r"'d' \(row 7\)"):
        task.encode(pa.chunked_array([["a", "a;d"]]), "test.csv", np.array([5, 7]))


def test_one_label_only_hints_at_the_separator() -> None:
    with pytest.raises(DataError, match=r"only the label 'a'.*separator"):
        Multilabel().learn(pa.chunked_array([["a", "a"]]), "train.csv")


@pytest.mark.parametrize("settings", ["threshold=0", "threshold=1.5", "separator="])
def test_bad_settings(settings: str) -> None:
    with pytest.raises(UsageError, match="Expected"):
        specs.parse(f"multilabel:{settings}", TASKS, "task")


def test_loss_and_divergence_by_hand() -> None:
    task, logits, other = Multilabel().learn(LISTS, "t"), torch.randn(4, 3), torch.randn(4, 3)
    target = torch.randint(0, 2, (4, 3), dtype=torch.uint8)
    p, q = logits.sigmoid(), other.sigmoid()
    by_hand = -(target * p.log() + (1 - target) * (1 - p).log()).mean(1)
    torch.testing.assert_close(task.loss(logits, target), by_hand)
    assert torch.equal(task.loss(logits, task.soften(target)), task.loss(logits, target))
    kl = (q * (q / p).log() + (1 - q) * ((1 - q) / (1 - p)).log()).mean(1)
    torch.testing.assert_close(task.divergence(logits, other), kl)
    reference = F.binary_cross_entropy_with_logits(logits, target.float(), reduction="none").mean(1)
    assert torch.equal(task.loss(logits, target), reference)
