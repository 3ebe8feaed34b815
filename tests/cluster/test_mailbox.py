"""Letters between workers and their driver: in order, none lost where fetching is interrupted, each for its own."""

from __future__ import annotations

from graftwork.cluster.mailbox import Mailbox


def said(letters) -> list[tuple[int, object]]:
    return [(one.worker, one.message["n"]) for one in letters]


def test_letters_stay_until_they_are_known() -> None:
    box = Mailbox()
    box.put(1, [{"n": "a"}, {"n": "b"}])
    box.put(0, [{"n": "c"}])
    first = box.take(0)
    assert said(first) == [(1, "a"), (1, "b"), (0, "c")]
    assert said(box.take(0)) == said(first)  # whoever took them may have been interrupted
    box.put(0, [{"n": "d"}])
    assert said(box.take(first[-1].number)) == [(0, "d")]
    assert said(box.take(first[-1].number + 1)) == []


def test_a_worker_hears_what_is_for_it() -> None:
    box = Mailbox()
    for worker, what in ((0, "begin"), (1, "begin"), (0, "stop")):
        box.tell(worker, {"n": what})
    mine = box.told(0, 0)
    assert said(mine) == [(0, "begin"), (0, "stop")]
    assert said(box.told(0, mine[0].number)) == [(0, "stop")]
    assert said(box.told(1, 0)) == [(1, "begin")]
