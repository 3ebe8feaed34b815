"""Proposals are the same from the same prefix of the journal, whatever happened in between; what is told is kept."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graftwork.errors import CheckpointError, UsageError
from graftwork.evidence.tune.trials import Limits, Trial
from graftwork.runs.tune.space.dimensions import Dimension
from graftwork.runs.tune.study.study import ASKED_AGAIN, JOURNAL, REPEATED, Study, open_study
from graftwork.spaces import Choice, Range

DIMENSIONS = (
    Dimension("base", Choice(("a", "b"))),
    Dimension("tuning", Choice(("probe", "full", "lora"))),
    Dimension("lr", Range(1e-5, 1e-2, log=True), (("tuning", ("full", "lora")),)),
    Dimension("blocks", Range(1, 4), (("tuning", ("full",)), ("base", ("a",)))),
    Dimension("widths", Choice(((2, 3), (3, 4)))),
)


def never(_: Mapping[str, Any]) -> str:
    return ""


def score(params: Mapping[str, Any]) -> float:
    return (params["base"] == "a") + 100 * params.get("lr", 0.0) + params.get("blocks", 0) / 10


def told(number: int, params: Mapping[str, Any], step: int | None = None) -> Trial:
    finished = step is None
    at = 90 if step is None else step
    state = "finished" if finished else "paused"
    return Trial(number, "", "searched", state, {}, rungs=((at, score(params)),), steps=90)  # type: ignore[arg-type]


def run(folder: Path | None, trials: int, batch: int = 4, study: Study | None = None) -> list[dict[str, Any]]:
    """A loop as tune has it, which goes on from whatever there is."""
    study = study or open_study(folder, 7)
    found: list[dict[str, Any]] = []
    for begin in range(0, trials, batch):
        for number in range(begin, begin + batch):
            params = study.proposed(number, DIMENSIONS) or study.propose(number, DIMENSIONS, never)
            assert params is not None
            found.append(params)
        if begin + batch > trials:
            break  # a batch that is not wholly run is not told
        for number in range(begin, begin + batch):
            study.tell(told(number, found[number], 10 if number % 2 else None))
        study.add(told(begin + 1, found[begin + 1]), found[begin + 1], DIMENSIONS)
    return found[:trials]


def test_two_halves_are_the_whole(tmp_path: Path) -> None:
    whole = run(None, 26)
    assert len({str(params) for params in whole}) > 20
    assert run(tmp_path, 13) == whole[:13]
    assert run(tmp_path, 26) == whole
    assert run(tmp_path, 26) == whole  # nothing is asked or told twice
    assert len(open_study(tmp_path, 7).optuna_study.trials) == 28 + 6


def test_only_what_applies_is_proposed() -> None:
    for params in run(None, 24):
        assert ("lr" in params) == (params["tuning"] in ("full", "lora"))
        assert ("blocks" in params) == (params["tuning"] == "full" and params["base"] == "a")
        for one in DIMENSIONS:
            assert one.name not in params or params[one.name] in one.space


def test_a_journal_cut_anywhere_ends_as_the_whole(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", 16)
    content = (tmp_path / "whole" / JOURNAL).read_bytes()
    for share in (0.03, 0.1, 0.31, 0.5, 0.52, 0.7, 0.83, 0.99):
        folder = tmp_path / f"cut-{share}"
        folder.mkdir()
        (folder / JOURNAL).write_bytes(content[: int(len(content) * share)])
        (folder / f"{JOURNAL}.lock").symlink_to("nowhere")  # its holder was killed
        assert run(folder, 16) == whole


def test_other_seeds_propose_other_things() -> None:
    assert run(None, 8, study=open_study(None, 1)) != run(None, 8, study=open_study(None, 2))


def test_what_is_refused_is_asked_again(tmp_path: Path) -> None:
    def no_probe(params: Mapping[str, Any]) -> str:
        return "no probes here" if params["tuning"] == "probe" else ""

    study = open_study(tmp_path, 0)
    found = [study.propose(number, DIMENSIONS, no_probe) for number in range(12)]
    assert all(params and params["tuning"] != "probe" for params in found)
    states = [row.state.name for row in study.optuna_study.trials]
    assert states.count("FAIL") > 0
    assert states.count("RUNNING") == 12
    assert study.propose(12, DIMENSIONS, lambda _: "never") is None
    assert study.propose(12, DIMENSIONS, never) is None  # not asked for ever, also by the next call
    assert len(study.optuna_study.trials) == len(states) + ASKED_AGAIN
    refused = study.refused
    assert refused == states.count("FAIL") + ASKED_AGAIN
    assert study.propose(13, DIMENSIONS, lambda _: REPEATED) is None
    assert study.refused == refused  # nothing speaks against them but that they were tried


def test_a_pruned_trial_is_told_with_what_it_reached_and_comes_again(tmp_path: Path) -> None:
    study = open_study(tmp_path, 0, limits=Limits(latency=0.01))
    params = study.propose(0, DIMENSIONS, never)
    assert params is not None
    paused = Trial(0, "", "searched", "paused", {}, rungs=((10, 0.5), (30, 0.6)), steps=90, latency=0.02)
    for _ in range(2):
        study.tell(paused)
    done = Trial(0, "", "searched", "finished", {}, rungs=((10, 0.5), (30, 0.6), (90, 0.7)), steps=90, latency=0.02)
    for _ in range(2):
        study.add(done, params, DIMENSIONS)
    first, again = study.optuna_study.trials
    assert (first.state.name, first.intermediate_values) == ("PRUNED", {10: 0.5, 30: 0.6})
    assert (again.state.name, again.value, again.user_attrs["of"]) == ("COMPLETE", 0.7, 0)
    assert first.params == again.params
    assert first.constraints == again.constraints == {"latency": 1.0}


@pytest.mark.parametrize(("limits", "base"), [(Limits(), "a"), (Limits(size=20), "b")])
def test_limits_of_a_later_call_hold_for_what_was_told_before(tmp_path: Path, limits: Limits, base: str) -> None:
    """The better base is the larger one."""

    def measured(number: int, params: Mapping[str, Any]) -> Trial:
        return replace(told(number, params), size=90 if params["base"] == "a" else 10)

    first, found = open_study(tmp_path, 3), dict[int, Mapping[str, Any]]()
    for number in range(40):
        found[number] = first.propose(number, DIMENSIONS, never) or {}
        first.tell(measured(number, found[number]))
    later = open_study(tmp_path, 3, limits=limits)
    for number, params in found.items():
        later.tell(measured(number, params))  # as a search that goes on does, though it is known
    more = [later.propose(number, DIMENSIONS, never) or {} for number in range(40, 52)]
    assert [one["base"] for one in more].count(base) >= 9


def test_what_failed_is_told_as_failed() -> None:
    study = open_study(None, 0)
    study.propose(0, DIMENSIONS, never)
    study.tell(Trial(0, "", "searched", "failed", {}, failed="The memory is too small for it."))
    assert study.optuna_study.trials[0].state.name == "FAIL"


def test_several_objectives() -> None:
    study = open_study(None, 0, pareto=True)
    for number in range(14):
        params = study.propose(number, DIMENSIONS, never)
        assert params is not None
        study.tell(Trial(number, "", "searched", "finished", {}, rungs=((9, score(params)),), latency=0.1, size=number))
    assert study.optuna_study.trials[3].values[1:] == [0.1, 3.0]


def test_what_matters_is_found() -> None:
    study, dimensions = open_study(None, 3), (Dimension("x", Range(0.0, 1.0)), Dimension("y", Range(0.0, 1.0)))
    pairs = []
    for number in range(40):
        params = study.propose(number, dimensions, never)
        assert params is not None
        pairs.append((Trial(number, "", "searched", "finished", {}, rungs=((1, params["x"]),)), params))
    found = study.importance(pairs, dimensions)
    assert found["x"] > 0.7
    assert sum(found.values()) == pytest.approx(1)
    assert study.importance(pairs[:3], dimensions) == {}


def test_a_damaged_journal_says_how_to_go_on(tmp_path: Path) -> None:
    run(tmp_path, 4)
    lines = (tmp_path / JOURNAL).read_bytes().splitlines(keepends=True)
    for wrong in (b"not json\n", b"[1, 2]\n", b'{"op_code": 4}\n', b'{"op_code": 99, "worker_id": "x"}\n'):
        (tmp_path / JOURNAL).write_bytes(b"".join([*lines[:3], wrong, *lines[3:]]))
        with pytest.raises(CheckpointError, match=r"damaged.*--new"):
            open_study(tmp_path, 7)
    (tmp_path / JOURNAL).write_bytes(b"".join(lines))
    with pytest.raises(CheckpointError, match="objectives"):
        open_study(tmp_path, 7, pareto=True)


def test_values_that_the_space_can_not_have_proposed_are_not_believed(tmp_path: Path) -> None:
    run(tmp_path, 4)
    path = tmp_path / JOURNAL
    path.write_text(
        path.read_text().replace('["a","b"]', '["a","/etc"]').replace('[\\"a\\", \\"b\\"]', '[\\"a\\", \\"/etc\\"]')
    )
    study = open_study(tmp_path, 7)
    assert "/etc" in {row.params["base"] for row in study.optuna_study.trials}
    with pytest.raises(CheckpointError, match="outside of the search space"):
        [study.proposed(number, DIMENSIONS) for number in range(4)]


def test_without_optuna_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "optuna" else find(name, *rest)
    )
    with pytest.raises(UsageError, match=r'pip install "graftwork\[tune\]"'):
        open_study(None, 0)
