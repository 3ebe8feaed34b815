"""graftwork.evidence.advice.ablated: what the findings of an ablation say is to be done next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graftwork.errors import GraftworkError, ModelError
from graftwork.evidence.ablation.cells import Cell, Comparison, Design
from graftwork.evidence.ablation.judge import judged
from graftwork.evidence.advice.ablated import ablations_in, findings_in, of_findings
from graftwork.evidence.advice.advice import Item


def written(folder: Path) -> Path:
    """An ablation of what helps, hurts and does nothing, over ten repeats."""
    arms = {"all": frozenset({"good", "bad", "idle"})}
    brings = {"good": 0.05, "bad": -0.04, "idle": 0.0}
    arms |= {f"without {name}": arms["all"] - {name} for name in brings}
    cells = [
        Cell(arm, repeat, 0.8 + sum(brings[name] for name in has) + 0.001 * ((7 * repeat + len(arm)) % 5), 100, 400)
        for arm, has in arms.items()
        for repeat in range(10)
    ]
    compared = tuple(Comparison(name, "technique", "all", f"without {name}") for name in brings)
    found = judged(Design("leave-one-out", arms, tuple(brings), compared), cells)
    folder.mkdir()
    (folder / "ablation.json").write_text(json.dumps({"findings": [one.to_json() for one in found]}))
    return folder / "ablation.json"


def items_of(found: list[dict[str, object]], used: set[str]) -> tuple[dict[str, Item], list[str]]:
    items, notes = of_findings(
        found, used, lambda: "leave out", lambda name: f"take {name}", lambda repeats: f"go on to {repeats}"
    )
    return {one.command: one for one in items}, notes


def test_what_hurts_is_left_out_and_what_helps_is_kept(tmp_path: Path) -> None:
    file = written(tmp_path / "ablation")
    assert ablations_in(tmp_path) == [file]
    found, notes = items_of(findings_in(file), {"good", "bad", "idle"})
    hurts = found["leave out"]
    assert hurts.gain is not None
    assert hurts.gain.value == pytest.approx(0.04, abs=0.003)
    assert hurts.sure
    assert "'bad'" in hurts.text
    assert any("'good' earned its place" in note for note in notes)


def test_what_helps_and_is_not_there_is_taken(tmp_path: Path) -> None:
    found, _ = items_of(findings_in(written(tmp_path / "ablation")), set())
    assert "'good'" in found["take good"].text
    assert "leave out" not in found  # what hurts is not there


def test_what_is_open_can_be_settled() -> None:
    one = {"name": "x", "kind": "technique", "verdict": "open", "value": 0.01, "low": -0.01, "high": 0.03}
    found, _ = items_of([{**one, "repeats": 10, "settles": 12}, {**one, "repeats": 10, "settles": None}], {"x"})
    assert list(found) == ["go on to 22"]
    assert "12 more repeats" in found["go on to 22"].text


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"findings": [{"name": "x"}]}', '{"findings": 3}', "[" * 100_000, '{"findings": [7]}']
)
def test_a_damaged_file_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "ablation.json").write_text(text)
    with pytest.raises(ModelError, match=r"ablation\.json is damaged"):
        findings_in(tmp_path / "ablation.json")


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "elsewhere")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "ablation.json").symlink_to(tmp_path / "elsewhere" / "ablation.json")
    with pytest.raises(GraftworkError, match="leads out"):
        ablations_in(tmp_path / "run")


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    one = {"name": "x", "kind": "technique", "verdict": "open", "value": "1", "low": 0, "high": 0}
    (tmp_path / "ablation.json").write_text(json.dumps({"findings": [{**one, "repeats": 10, "settles": 1}]}))
    with pytest.raises(ModelError, match="damaged"):
        findings_in(tmp_path / "ablation.json")
