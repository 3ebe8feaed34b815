"""`graft list`: what there is to choose from, graftwork's own and what installed packages add."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from graftwork.discovery.places import OWN
from graftwork.discovery.registry import Listed
from graftwork.errors import UsageError, nearest
from graftwork.shown import shown_line
from graftwork.terminal import say_json, say_table


class _List(NamedTuple):
    """head: of each column. cells: of one thing, all but its name."""

    head: tuple[str, ...]
    things: list[Listed[Any]]
    cells: Callable[[Any], tuple[str, ...]]


def print_list(what: str, *, as_json: bool) -> None:
    """`graft list bases | techniques | tasks | heads | metrics`, with the package of each where one is not ours.

    What can't be used stands there with the reason, in the column that says what the others are.
    """
    if what not in LISTS:
        raise UsageError(f"There is no list of '{what}'. {nearest(what, LISTS)}")
    head, things, cells = LISTS[what]()
    rows = []
    for one in things:
        why = tuple(shown_line(one.problem) if name.startswith("what") else "" for name in head[1:])
        rows.append((one.name, *(why if one.thing is None else cells(one.thing)), one.package))
    rows.sort(key=lambda row: (row[1] if head[1] == "reads" else "", row[0]))
    table = [(*head, "package"), *rows]
    if as_json:
        say_json([dict(zip(table[0], row, strict=True)) for row in rows])
    else:
        foreign = any(row[-1] != OWN for row in rows)
        say_table(table if foreign else [row[:-1] for row in table])


def _bases() -> _List:
    from graftwork.cli.base_list import HEAD, bases, cells

    return _List(HEAD, bases(), cells)


def _techniques() -> _List:
    from graftwork import specs
    from graftwork.techniques import TECHNIQUES

    head = ("technique", "what it does", "settings")
    return _List(head, TECHNIQUES.listed(), lambda cls: (cls.summary, specs.describe_settings(cls)))


def _tasks() -> _List:
    from graftwork.tasks.registry import TASKS

    head = ("task", "what it predicts", "metrics")
    return _List(head, TASKS.listed(), lambda cls: (_first_sentence(cls), ", ".join(cls.metric_names)))


def _heads() -> _List:
    from graftwork import specs
    from graftwork.networks.heads.registry import HEADS

    head = ("head", "what it is", "settings")
    return _List(head, HEADS.listed(), lambda cls: (_first_sentence(cls), specs.describe_settings(cls)))


def _metrics() -> _List:
    from graftwork.tasks.metrics.registry import METRICS
    from graftwork.tasks.registry import TASKS

    things = {one.name: one for one in METRICS.listed()}
    for name, task in TASKS.usable.items():  # those that one task alone has
        own = task().metrics().items()
        things |= {key: Listed(key, TASKS.package(name), metric) for key, metric in own if key not in things}
    head = ("metric", "what it is", "better")
    cells = lambda metric: (metric.display, "higher" if metric.higher_is_better else "lower")
    return _List(head, list(things.values()), cells)


def _first_sentence(cls: type) -> str:
    text = " ".join((cls.__doc__ or "").split())
    return f"{text} ".partition(". ")[0].strip()


LISTS: dict[str, Callable[[], _List]] = {
    "bases": _bases,
    "techniques": _techniques,
    "tasks": _tasks,
    "heads": _heads,
    "metrics": _metrics,
}
