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


@pytest.mark.parametrize(
    ("spec", "values", "message"),
    [
        ("multilabel", ["a", "a"], "no separator between labels can be told.*separator=TEXT.*--task classification"),
        ("multilabel", ["a,a", "a"], r"no separator between labels can be told"),
        ("multilabel:separator=comma", ["a,a", "a"], r"only the label 'a'.*parted by a comma.*set separator"),
        ("multilabel:separator=comma", ["a;b", "a"], "no row has a comma between labels.*may be parted by ';'"),
        ("multilabel:separator=;", ["a", "b"], "no row has ';' between labels.*one label"),
        ("multilabel", ["0", "1"], r"holds marks \(0 and 1\).*one column of several.*as a target of its own"),
        ("multilabel", ["0,1,1", "1,0,1"], "each row of the target holds 3 marks"),
        ("multilabel", ["[0 1 1]", "[1 0 1]"], "each row of the target holds 3 marks"),
        ("multilabel", [[0, 1, 1], [1, 0, 1]], "each row of the target holds 3 marks"),
        ("multilabel", ["['a']", "['a', 'b']", "['c']", "['d']", "['a', b"], "row 5: '.'a', b' can't be read"),
        ("multilabel", [[["a"]], [["b"]]], "Expected lists of labels"),
    ],
)
def test_what_holds_no_lists_is_refused(spec: str, values: list, message: str) -> None:
    with pytest.raises(DataError, match=message):
        specs.parse(spec, TASKS, "task").learn(pa.chunked_array([values]), "train.csv")  # type: ignore[attr-defined]


def test_a_model_of_an_older_version_keeps_its_separator() -> None:
    state = {"classes": ["a", "b"], "type": "string", "lists": False, "separator": "|", "threshold": 0.5}
    task = Multilabel().with_state(state)
    assert task.decode(np.array([[0.9, 0.9]])) == ["a|b"]
    assert task.encode(pa.chunked_array([["a|b", "b"]]), "t", np.arange(2))[0].tolist() == [[1, 1], [0, 1]]


def test_lists_may_come_back_as_texts() -> None:
    task = Multilabel().learn(LISTS, "train.csv")
    assert task.encode(pa.chunked_array([['["a", "b"]', "[]"]]), "t", np.arange(2))[0].tolist() == [
        [1, 1, 0],
        [0, 0, 0],
    ]
    texts = Multilabel().learn(TEXTS, "train.csv")
    assert texts.encode(LISTS, "t", np.arange(5))[0].tolist() == TARGETS


@pytest.mark.parametrize(
    "spec",
    ["separator=,", 'separator=","', "separator=comma", "separator=, ", "separator=,,threshold=0.5", "threshold=0.5"],
)
def test_a_comma_can_be_named(spec: str) -> None:
    task = specs.parse(f"multilabel:{spec}", TASKS, "task")
    again = specs.parse(specs.write(task, "multilabel"), TASKS, "task")
    assert again == task
    learned = again.learn(pa.chunked_array([["a,b", "a", "b, c"]]), "t")  # type: ignore[attr-defined]
    assert learned.classes == ("a", "b", "c")
    assert "parted by a comma" in learned.reading[0]


@pytest.mark.parametrize(
    ("spec", "text"), [("separator= ", "a b"), ("separator=space", "a b"), ("separator=tab", "a\tb")]
)
def test_white_space_can_be_named(spec: str, text: str) -> None:
    task = specs.parse(f"multilabel:{spec}", TASKS, "task")
    assert task.learn(pa.chunked_array([[text, "a"]]), "t").classes == ("a", "b")  # type: ignore[attr-defined]


def test_labels_in_several_writings_are_one() -> None:
    task = Multilabel().learn(pa.chunked_array([["1;2", "1.0;3", "1", "Pop;pop"]]), "t")
    assert task.classes == ("1", "2", "3", "Pop", "pop")
    assert "read as one class" in task.reading[1]
    assert "differ only in upper and lower case" in task.reading[2]


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
