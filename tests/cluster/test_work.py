"""Pieces of work: all are done, whatever is lost under them; what ends its process in vain fails; a stop ends all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fakehands import FakeHands
from graftwork.cluster import work
from graftwork.cluster.board import Board, Teller
from graftwork.cluster.checks import Asks
from graftwork.cluster.work import Crew, Piece, sentences
from graftwork.errors import ClusterError


def double(shared, given, tell):
    tell("doing", given)
    return (shared or 0) + 2 * given


def crew(hands: FakeHands, ahead: int = 1) -> tuple[Crew, list, list]:
    heard, lost = [], []
    return Crew(hands, lambda told, node: heard.append((told.number, told.what, node)), lost.append, ahead), heard, lost


def pieces(count: int) -> list[Piece]:
    return [Piece(at, f"piece {at}", at) for at in range(count)]


def test_all_are_done_and_each_is_heard_of_with_its_machine() -> None:
    hands = FakeHands(double, 100)
    made, heard, lost = crew(hands)
    found = {one.piece.number: one.result for one in made.each_done(iter(pieces(5)))}
    assert found == {at: 100 + 2 * at for at in range(5)}
    assert lost == []
    assert {(number, node) for number, what, node in heard if what == "at"} == {
        (number, f"node-{at % 2}") for at, (number, _) in enumerate(hands.begun)
    }
    assert sum(one.pieces for one in made.costs.values()) == 5
    assert sentences(made.costs, "things")[0].startswith("node-0: ")


@pytest.mark.parametrize("ahead", [1, 2])
def test_the_next_piece_is_taken_when_there_is_room(ahead: int) -> None:
    taken: list[int] = []

    def lazily() -> Iterator[Piece]:
        for one in pieces(9):
            taken.append(one.number)
            yield one

    hands = FakeHands(double)
    made, _, _ = crew(hands, ahead)
    each = made.each_done(lazily())
    next(each)
    assert len(taken) == hands.most == 2 * ahead
    assert len(list(each)) == 8


def test_what_is_lost_is_done_again_and_nothing_else() -> None:
    fates = {(1, 1): "worker", (2, 1): "machine", (2, 2): "machine"}
    hands = FakeHands(double, fate=lambda piece, times: fates.get((piece.number, times), "done"))
    made, _, lost = crew(hands)
    done = {one.piece.number: one for one in made.each_done(iter(pieces(4)))}
    assert {number: one.result for number, one in done.items()} == {0: 0, 1: 2, 2: 4, 3: 6}
    assert {number: one.lost for number, one in done.items()} == {0: 0, 1: 1, 2: 2, 3: 0}
    assert [number for number, _ in hands.begun].count(3) == 1
    assert len(lost) == 3
    assert "piece 1 goes on from its last checkpoint" in " ".join(lost)
    assert "(no memory)" in " ".join(lost)


def test_a_piece_is_begun_again_where_it_was() -> None:
    hands = FakeHands(
        double, count=3, fate=lambda piece, times: "worker" if piece.number == 1 and times == 1 else "done"
    )
    made, _, _ = crew(hands)
    list(made.each_done(iter(pieces(3))))
    where = [place for number, place in hands.begun if number == 1]
    assert len(where) == 2
    assert where[0] == where[1]


def test_what_ends_its_process_in_vain_has_failed_and_ends_nothing() -> None:
    hands = FakeHands(double, fate=lambda piece, times: "worker" if piece.number == 1 else "done")  # noqa: ARG005
    made, _, _ = crew(hands)
    done = {one.piece.number: one for one in made.each_done(iter(pieces(3)))}
    assert done[1].failed == "Its process ended 3 times in a row without getting further (no memory)."
    assert [done[0].result, done[2].result] == [0, 4]
    assert [number for number, _ in hands.begun].count(1) == work.KILLS


@pytest.mark.parametrize(
    ("reached", "failed"),
    [((10, 20, 30, 40, 50, 60), False), ((0, 0, 10, 10, 20), False), ((10, 10, 10), True), ((10, 20, 20, 9), True)],
)
def test_what_gets_further_between_may_be_lost_more_often(reached: tuple[int, ...], failed: bool) -> None:
    """reached: the step that was told before each loss."""

    def fate(piece: Piece, times: int) -> str:
        if times > len(reached):
            return "done"
        hands.tell(piece.number, "step", reached[times - 1])
        return "worker"

    hands = FakeHands(double, fate=fate)
    made, _, lost = crew(hands)
    made.mark = lambda told: ("a run", told.value) if told.what == "step" else None
    done = next(made.each_done(iter(pieces(1))))
    assert bool(done.failed) is failed
    assert done.lost == len(reached)
    assert len(lost) == len(reached) - failed


def test_machines_that_are_lost_again_and_again() -> None:
    hands = FakeHands(double, fate=lambda piece, times: "machine")  # noqa: ARG005
    made, _, _ = crew(hands)
    done = list(made.each_done(iter(pieces(1))))
    assert done[0].failed.startswith(f"Its process ended {work.LOSSES} times")


def test_a_stop_ends_what_was_begun() -> None:
    hands = FakeHands(double)
    made, _, _ = crew(hands, ahead=2)
    each = made.each_done(iter(pieces(9)))
    next(each)
    each.close()
    assert len(hands.stopped) == 3


def test_an_error_of_the_work_ends_all() -> None:
    def failing(*_):
        raise ClusterError("no")

    hands = FakeHands(failing)
    made, _, _ = crew(hands)
    with pytest.raises(ClusterError, match="no"):
        list(made.each_done(iter(pieces(3))))
    assert hands.stopped


def test_no_machine_is_left(monkeypatch) -> None:
    ticks = iter(range(0, 10_000, 20))
    monkeypatch.setattr(work.time, "monotonic", lambda: float(next(ticks)))
    hands = FakeHands(double, count=0)
    made, _, _ = crew(hands)
    with pytest.raises(ClusterError, match="No machine is left that could do piece 0"):
        list(made.each_done(iter([Piece(0, "piece 0", 0, Asks(4))])))


def test_what_is_told_is_put_up_and_taken_down() -> None:
    board = Board()
    with Teller(3, board.put) as tell:
        for at in range(4):
            tell("stepped", at)
    assert [(one.number, one.value) for one in board.take()] == [(3, at) for at in range(4)]
    assert board.take() == []
