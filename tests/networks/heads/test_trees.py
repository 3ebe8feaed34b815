"""graftwork.networks.heads.layers.trees: rows fall through trees, and damaged trees are refused."""

from __future__ import annotations

import pytest
import torch

from graftwork.networks.heads.layers.trees import CATEGORY, KNOWS_MISSING, LEFT_WHERE_MISSING, TreesLayer

NAN = float("nan")


def trees() -> dict[str, torch.Tensor]:
    """Three features: two numbers, the flag of the second. Two outputs: the first has a tree of two nodes and a leaf by
    itself, the second none."""
    integers = {
        "columns": [[0, 1, -1], [1, 1, 2]],
        "roots": [0, -4],
        "starts": [0, 2, 2],
        "feature": [0, 1],
        "kind": [0, KNOWS_MISSING | LEFT_WHERE_MISSING],
        "left": [-1, -2],
        "right": [1, -3],
    }
    return {
        **{name: torch.tensor(values, dtype=torch.int32) for name, values in integers.items()},
        "threshold": torch.tensor([0.5, 0.0]),
        "value": torch.tensor([1.0, 2.0, 3.0, 10.0]),
        "sets": torch.zeros(0, 0, dtype=torch.bool),
        "bias": torch.tensor([0.0, -1.0]),
    }


def layer(**changed: list[int]) -> TreesLayer:
    made = TreesLayer(3, 2)
    made.put({**trees(), **{name: torch.tensor(values, dtype=torch.int32) for name, values in changed.items()}})
    return made


def test_each_row_ends_in_a_leaf_of_each_tree() -> None:
    rows = torch.tensor([[0.5, 9.0, 0.0], [0.6, 0.0, 0.0], [0.6, 0.1, 0.0], [0.6, 5.0, 1.0], [NAN, 5.0, 0.0]])
    expected = [11.0, 12.0, 13.0, 12.0, 11.0]  # the last but one misses the second; a bare NaN counts as 0
    torch.testing.assert_close(layer()(rows), torch.tensor([[one, -1.0] for one in expected]))


def test_a_category_goes_left_where_it_is_in_the_set() -> None:
    made = TreesLayer(4, 1)
    found = trees()
    found |= {name: found[name][:1] for name in ("feature", "threshold", "kind", "left")}
    found |= {
        "columns": torch.tensor([[1, 3, -1]], dtype=torch.int32),
        "roots": torch.tensor([0], dtype=torch.int32),
        "starts": torch.tensor([0, 1], dtype=torch.int32),
        "kind": torch.tensor([CATEGORY], dtype=torch.int32),
        "threshold": torch.tensor([0.0]),
        "right": torch.tensor([-2], dtype=torch.int32),
        "sets": torch.tensor([[False, True]]),
        "bias": torch.zeros(1),
    }
    made.put(found)
    rows = torch.cat([torch.zeros(4, 1), torch.cat([torch.eye(3), torch.zeros(1, 3)])], dim=1)
    assert made(rows)[:, 0].tolist() == [2.0, 1.0, 2.0, 2.0]


def test_without_trees_it_gives_its_bias_and_of_no_rows_nothing() -> None:
    assert TreesLayer(3, 2)(torch.ones(4, 3)).tolist() == [[0.0, 0.0]] * 4
    assert layer()(torch.zeros(0, 3)).shape == (0, 2)


def test_many_rows_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    whole = layer()(rows)
    monkeypatch.setattr("graftwork.networks.heads.layers.trees.CELLS", 14)
    assert torch.equal(layer()(rows), whole)


def test_it_is_restored_from_its_tensors_alone() -> None:
    made, again = layer(), TreesLayer(3, 2)
    again.load_state_dict(made.state_dict())
    rows = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again(rows), made(rows))
    assert not any(parameter.requires_grad for parameter in again.parameters())


@pytest.mark.parametrize(
    "changed",
    [
        {"left": [0, -2]},  # its own child: rows would fall for ever
        {"left": [-1, 0]},
        {"right": [2, -3]},
        {"left": [-5, -2]},
        {"roots": [2, -4]},
        {"feature": [0, 2]},
        {"feature": [0, -1]},
        {"columns": [[0, 1, -1], [1, 3, 2]]},
        {"columns": [[0, 1, -1], [1, 0, 2]]},
        {"columns": [[0, 1, -1], [1, 1, 3]]},
        {"starts": [0, 3, 2]},
        {"starts": [0, 2]},
        {"kind": [0]},
    ],
    ids=str,
)
def test_damaged_trees_are_refused(changed: dict[str, list[int]]) -> None:
    with pytest.raises(ValueError, match="the trees of a head"):
        layer(**changed)
    state = layer().state_dict()
    state |= {name: torch.tensor(values, dtype=torch.int32) for name, values in changed.items()}
    with pytest.raises(ValueError, match="the trees of a head"):
        TreesLayer(3, 2).load_state_dict(state)
