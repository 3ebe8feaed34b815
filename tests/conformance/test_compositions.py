"""2. Every technique alone, pairs and triples train with all that must hold, or are refused with a reason.

CI examines a few seeded pairs and triples of each fixture; `make conformance` all pairs and 2,000 triples.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from conformance.examine import Outcome, examine
from conformance.sampling import WORLDS, chunks, fitting, refusal, sets_of
from conformance.table import BY_NAME, OTHERS, ROWS
from graftwork.errors import RefusedError
from tinyrun import BASES, TASKS, Worlds

NAMES = tuple(row.name for row in ROWS)
PAIRS = [(base, chunk) for base in WORLDS for chunk in chunks(base, 2)]
TRIPLES = [(base, chunk) for base in WORLDS for chunk in chunks(base, 3)]


def outcomes(sets: list[tuple[str, ...]], folder: Path, fixtures: Worlds, *fixture: object) -> list[Outcome]:
    """One for each set; none of them at fault."""
    found = [examine(names, fixtures(*fixture), folder) for names in sets]
    assert [(one.names, one.faults) for one in found if one.faults] == []
    trained = sum(one.refused is None for one in found)
    print(f"{fixture}: {len(found)} sets: {trained} trained, {len(found) - trained} refused")  # noqa: T201
    return found


def count(found: list[Outcome]) -> int:
    return sum(one.refused is None for one in found)


@pytest.mark.slow
@pytest.mark.parametrize(("base", "names"), [("transformer", NAMES), ("rnn", NAMES[::2]), ("cnn", NAMES[1::2])])
def test_alone(base: str, names: tuple[str, ...], fixtures: Worlds, tmp_path: Path):
    sets = [(name,) for name in names]
    assert count(outcomes(sets, tmp_path, fixtures, base, "classes", True)) >= len(names) // 3


@pytest.mark.parametrize("task", [task for task in TASKS if task != "classes"])
@pytest.mark.parametrize("base", BASES)
def test_alone_on_other_tasks(base: str, task: str, fixtures: Worlds, tmp_path: Path):
    sets = [(name,) for name in NAMES[BASES.index(base) :: len(BASES)]]
    assert count(outcomes(sets, tmp_path, fixtures, base, task)) >= 2


@pytest.mark.parametrize("base", OTHERS)
def test_alone_elsewhere(base: str, fixtures: Worlds, tmp_path: Path):
    own = [(row.name,) for row in ROWS if row.base == base]
    assert count(outcomes(own, tmp_path, fixtures, base, "classes", True)) == len(own)


@pytest.mark.parametrize(("base", "chunk"), PAIRS)
def test_pairs(base: str, chunk: int, fixtures: Worlds, tmp_path: Path):
    """Also kept for the page on compatibility, where a folder is named for it."""
    found = outcomes(sets_of(base, 2, chunk, fixtures), tmp_path, fixtures, base, "classes", True)
    if folder := os.environ.get("GRAFTWORK_OUTCOMES"):
        lines = (json.dumps([base, *one.names, one.refused]) for one in found)
        Path(folder, f"{base}-{chunk}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize(("base", "chunk"), TRIPLES)
def test_triples(base: str, chunk: int, fixtures: Worlds, tmp_path: Path):
    outcomes(sets_of(base, 3, chunk, fixtures), tmp_path, fixtures, base, "classes", True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("base", "task"),
    [(base, task) for base in (*BASES, *OTHERS) for task in TASKS[1:] if task != "pairs" or base in BASES],
)
def test_all_alone_on_other_tasks(base: str, task: str, fixtures: Worlds, tmp_path: Path):
    outcomes([(name,) for name in NAMES], tmp_path, fixtures, base, task)


@pytest.mark.parametrize("base", sorted({row.base for row in ROWS}))
def test_every_technique_runs_in_its_world(base: str, fixtures: Worlds):
    """So that pairs and triples leave none out."""
    assert base in WORLDS
    assert [row.name for row in ROWS if row.base == base and row.name not in fitting(base, fixtures)] == []


@pytest.mark.parametrize("base", WORLDS)
def test_a_refused_pair_names_both(base: str, fixtures: Worlds):
    """Where each of the two runs alone, the reason must be the two together."""
    fixture = fixtures(base, "classes", True)
    for pair in sets_of(base, 2, 0, fixtures):
        reason = refusal(pair, fixture)
        assert reason is None or all(name in reason for name in pair), reason


@pytest.mark.parametrize("name", NAMES)
def test_twice_is_refused(name: str, fixtures: Worlds):
    technique = BY_NAME[name].acts
    with pytest.raises(RefusedError, match=f"{name} is listed 2 times"):
        fixtures("cnn").run([technique, technique], started=False)
