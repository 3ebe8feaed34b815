"""What a machine says of itself, held against what is needed."""

from __future__ import annotations

import pytest

import graftwork
from graftwork.cluster.checks import Asks, Needs, check_facts, check_room, fits
from graftwork.cluster.connection import Node
from graftwork.cluster.facts import facts
from graftwork.errors import ClusterError

NODE = Node("1", "node-1", 4.0, 8_000_000_000, 1.0)


def test_facts_of_this_process(tmp_path) -> None:
    (tmp_path / "there").touch()
    found = facts(["json", "no_such_package"], [str(tmp_path / "there"), str(tmp_path / "secret")])
    assert found["graftwork"] == graftwork.__version__
    assert found["lacks"] == ["no_such_package"]
    assert found["unseen"] == [str(tmp_path / "secret")]
    assert len(found["source"]) == 16


def test_a_machine_like_this_one_passes() -> None:
    mine = facts((), ())
    check_facts(NODE, dict(mine), mine, Needs())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"python": "3.9.1"}, "node-1 runs Python 3.9.1, and this machine Python 3"),
        ({"ray": "2.50.0"}, "node-1 runs Ray 2.50.0"),
        ({"graftwork": ""}, "node-1 has no Graftwork"),
        ({"graftwork": "0.0.1"}, "node-1 runs Graftwork 0.0.1"),
        ({"source": "0"}, "with other files"),
        ({"lacks": ["lightgbm"]}, r"node-1 lacks the package lightgbm.*pip install \"graftwork\[tables\]\""),
        ({"unseen": ["/secret/pictures"]}, "node-1 does not see the folder of the pictures"),
    ],
)
def test_what_differs_is_said_with_the_machine_and_the_remedy(changed, said) -> None:
    needs = Needs({"lightgbm": 'pip install "graftwork[tables]"'}, {"/secret/pictures": "the folder of the pictures"})
    mine = facts((), ())
    with pytest.raises(ClusterError, match=said) as error:
        check_facts(NODE, {**mine, **changed}, mine, needs)
    assert "/secret" not in str(error.value)


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        (Asks(8), "A trial asks for 8 cores, and the most that a machine has is 4 cores"),
        (Asks(1, 64_000_000_000), "64.0 GB of memory, and the most that a machine has is 8.0 GB"),
        (Asks(1, 0, 2), "2 GPUs, and the most"),
    ],
)
def test_more_than_any_machine_has(asks, said) -> None:
    with pytest.raises(ClusterError, match=said):
        check_room([NODE], asks, "A trial")


def test_what_fits_on_no_single_machine() -> None:
    other = Node("2", "node-2", 16.0, 1_000_000_000, 0.0)
    check_room([NODE, other], Asks(16), "A trial")
    assert not fits(other, Asks(1, 2_000_000_000))
    with pytest.raises(ClusterError, match="more than any single machine"):
        check_room([NODE, other], Asks(16, 2_000_000_000), "A trial")
    with pytest.raises(ClusterError, match="no machine"):
        check_room([], Asks(), "A trial")
