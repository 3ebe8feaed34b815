"""Models of several members: what they predict, how they are saved, what they refuse, and what damage they meet."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from command import graft, write_rows
from graftwork import network_files
from graftwork.errors import ModelError, RefusedError
from graftwork.model import Model, load
from graftwork.networks.manifest import sealed
from graftwork.saved import Member
from made import TEXTS, make, make_ensemble
from tiny import tiny_rows

ROWS = [(text, topic) for text, topic in tiny_rows(45)]
MEMBER = "works with a member. Each is a whole model"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return make_ensemble(tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def saved(made: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.save(tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_rows(tmp_path_factory.mktemp("table") / "t.csv", ROWS, ("text", "topic"))


def told(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return found


def tell(folder: Path, **changes: Any) -> None:
    (folder / "model.json").write_text(json.dumps(sealed(told(folder) | changes)), encoding="utf-8")


def test_it_loads_from_one_folder_with_the_same_bits(made: Model, saved: Path) -> None:
    loaded = load(saved)
    assert [member.weight for member in loaded.members] == [0.6, 0.4]
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), made.predict_proba(TEXTS))
    expected = sum(member.weight * Model(**vars(member.model)).predict_proba(TEXTS) for member in made.members)
    np.testing.assert_allclose(loaded.predict_proba(TEXTS), expected, atol=1e-7)
    assert (saved / "recipe.yaml").read_text().startswith("# Of the heaviest member of an ensemble")
    assert {path.suffix for path in saved.rglob("*") if path.is_file()} <= {".json", ".safetensors", ".yaml", ".txt"}
    assert not (saved / "weights.safetensors").exists()


def test_each_member_is_a_whole_model(made: Model, saved: Path) -> None:
    for at, member in enumerate(made.members):
        alone = load(saved / f"member-{at}")
        np.testing.assert_array_equal(alone.predict_proba(TEXTS), Model(**vars(member.model)).predict_proba(TEXTS))


def test_one_takes_the_place_of_the_other_and_leaves_nothing(made: Model, tmp_path: Path) -> None:
    single, place = make(tmp_path / "single"), tmp_path / "place"
    single.save(place)
    before = sorted(path.name for path in place.iterdir())
    made.save(place)
    inside = sorted(path.name for path in place.iterdir())
    assert inside == ["member-0", "member-1", "model.json", "provenance.json", "recipe.yaml"]
    three = make_ensemble(tmp_path / "three", weights=(0.4, 0.3, 0.3))
    three.save(place)
    made.save(place)
    assert sorted(path.name for path in place.iterdir()) == inside
    single.save(place)
    assert sorted(path.name for path in place.iterdir()) == before
    np.testing.assert_array_equal(load(place).predict_proba(TEXTS), single.predict_proba(TEXTS))


def test_it_says_what_it_is(made: Model, saved: Path) -> None:
    words = repr(load(saved))
    parameters = sum(parameter.numel() for member in made.members for parameter in member.model.network.parameters())
    assert "mean of 2 models, 0.6 × (base auto" in words
    assert f"{parameters:,} parameters" in words
    assert "0.4 × (base auto" in words


def test_rows_that_can_not_be_read_stay_in_their_place(saved: Path) -> None:
    found = load(saved).predict_rows([*TEXTS[:2], "", *TEXTS[2:]])
    assert found.values[2] is None
    assert np.isnan(found.probabilities[2]).all()
    np.testing.assert_array_equal(np.delete(found.probabilities, 2, axis=0), load(saved).predict_proba(TEXTS))


def test_progress_is_told_of_all_members(made: Model, table: Path) -> None:
    heard: list[tuple[int, int]] = []
    made.evaluate(table, watch=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (45, 45)
    assert heard == sorted(heard)


@pytest.mark.slow
def test_commands_that_work(saved: Path, folder: Path, table: Path, tmp_path: Path) -> None:
    graft("predict", folder, table, "--out", tmp_path / "p.csv", "--proba").works()
    with (tmp_path / "p.csv").open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    loaded = load(saved)
    expected = loaded.predict_proba([text for text, _ in ROWS])
    found = np.array([[float(row[f"p({name})"]) for name in loaded.columns] for row in written])
    np.testing.assert_allclose(found, expected, atol=1e-6)
    scores = json.loads(graft("evaluate", folder, table, "--json").works().out)
    accuracy = np.mean([row["prediction"] == topic for row, (_, topic) in zip(written, ROWS, strict=True)])
    assert scores["accuracy"]["value"] == pytest.approx(accuracy)
    graft("calibrate", folder, table).works()
    graft("predict", folder, table, "--out", tmp_path / "sets.csv", "--coverage", "0.8").works()
    sets = load(folder).predict_sets(table, coverage=0.8)
    assert np.mean([topic in one for one, (_, topic) in zip(sets, ROWS, strict=True)]) >= 0.8
    np.testing.assert_array_equal(load(folder).predict_proba(TEXTS), loaded.predict_proba(TEXTS))
    graft("predict", folder, table, "--out", tmp_path / "w.csv", "--with", "tta:views=2").fails(2, "tta")
    assert loaded.score(table) == pytest.approx(accuracy)


def test_a_member_that_is_calibrated_by_itself_leaves_the_ensemble_whole(folder: Path, table: Path) -> None:
    before = load(folder).predict_proba(TEXTS)
    graft("calibrate", folder / "member-0", table).works()
    np.testing.assert_array_equal(load(folder).predict_proba(TEXTS), before)


def test_what_needs_one_network_is_refused_with_a_way_out(saved: Path, table: Path, tmp_path: Path) -> None:
    twin = shutil.copytree(saved, tmp_path / "twin")
    out = tmp_path / "out"
    commands: dict[str, list[str | Path]] = {
        "embed": ["embed", table, "--base", saved, "--out", tmp_path / "e.npy"],
        "export": ["export", saved, "--to", "transformers", "--out", out],
        "merge": ["merge", saved, twin, "--out", out],
        "soup": ["soup", saved, twin, "--method", "uniform", "--out", out],
        "robust": ["evaluate", saved, table, "--robust", "--out", out],
        "episodes": ["evaluate", saved, table, "--episodes", "2", "--shot", "1"],
    }
    for name, command in commands.items():
        ran = graft(*command)
        assert ran.code == 2, f"{name}: {ran.err}"
        ran.fails(2, MEMBER)
    assert not out.exists()
    trained: tuple[str | Path, ...] = ("fit", table, "--target", "topic", "--out", out)
    graft(*trained, "--base", "gru", "--with", f"distil:teacher={saved}").fails(2, MEMBER)
    graft("ablate", saved, "--out", out).fails(2, "is an ensemble of 2 models.*member-0")
    graft(*trained, "--base", saved).fails(2, r"is an ensemble of 2 models and has no network of its own.*member-0")
    with pytest.raises(RefusedError, match=MEMBER):
        load(saved).few_shot().adapt([{"text": text, "topic": topic} for text, topic in ROWS[:6]])


def test_unusual_and_drift_go_by_the_heaviest_member(made: Model, folder: Path, table: Path, tmp_path: Path) -> None:
    graft("reference", folder, table).works()
    loaded = load(folder)
    assert loaded.reference is not None
    alone = replace(Model(**vars(made.members[0].model)), reference=loaded.reference)
    np.testing.assert_array_equal(loaded.unusual(TEXTS), alone.unusual(TEXTS))
    graft("predict", folder, table, "--out", tmp_path / "p.csv", "--unusual").works()
    found = [
        json.loads(graft("drift", place, table, "--json").works().out) for place in (folder, alone.save(tmp_path / "a"))
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("task", ["multilabel", "regression"])
def test_other_tasks(task: str, tmp_path: Path) -> None:
    made = make_ensemble(tmp_path, task)
    loaded = load(made.save(tmp_path / "model"))
    each = [Model(**vars(member.model)).predict_rows(TEXTS).probabilities for member in made.members]
    np.testing.assert_allclose(loaded.predict_rows(TEXTS).probabilities, 0.6 * each[0] + 0.4 * each[1], rtol=1e-5)


# --- damage ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([{"weight": 1.0}], "it has 1 members, expected 2 to"),
        ([{"weight": 1.0}] * 200, "it has 200 members"),
        ([], "it has 0 members"),
        ([{"weight": 0.6}, {"weight": 0.6}], "expected numbers above 0 that sum to 1"),
        ([{"weight": 1.5}, {"weight": -0.5}], "expected numbers above 0 that sum to 1"),
        ([{"weight": "0.5"}, {"weight": 0.5}], "expected float"),
        ([{"weight": float("nan")}, {"weight": 0.5}], "damaged"),
        ([{}, {"weight": 0.5}], "weight is missing"),
        ({"weight": 1.0}, "expected a list"),
        ([{"weight": 0.4}, {"weight": 0.4}, {"weight": 0.2}], "member-2"),
    ],
)
def test_a_wrong_list_of_members_is_met_while_loading(members: Any, words: str, folder: Path, table: Path) -> None:
    tell(folder, members=members)
    with pytest.raises(ModelError, match=words):
        load(folder)
    graft("predict", folder, table, "--out", folder.parent / "p.csv").fails(1, "again|damaged|not a model")


@pytest.mark.parametrize("name", ["1/weights.safetensors", "0/model.json", "0/encoder-0/tokenizer.json"])
def test_a_flipped_byte_in_a_member(name: str, folder: Path) -> None:
    path = folder / f"member-{name}"
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"not as it was written|is damaged"):
        load(folder)
    path.unlink()
    with pytest.raises(ModelError, match=r"is missing|has no model\.json"):
        load(folder)


def test_a_member_of_another_ensemble_is_noticed(folder: Path, tmp_path: Path) -> None:
    other = make(tmp_path / "other", "gpt2").save(tmp_path / "other" / "model")
    shutil.rmtree(folder / "member-1")
    shutil.copytree(other, folder / "member-1")
    with pytest.raises(ModelError, match=r"member-1/weights\.safetensors is not as it was written"):
        load(folder)


def test_an_ensemble_that_is_replaced_while_it_is_read(
    made: Model, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second comes between the members of the first: what is read is one of the two."""
    swapped = tuple(replace(member, weight=weight) for member, weight in zip(made.members, (0.9, 0.1), strict=True))
    other, plain, turns = replace(made, members=swapped), network_files.load_file, list[int]()

    def load_file_late(path: Path) -> dict[str, torch.Tensor]:
        turns.append(1)
        if len(turns) == 2:
            other.save(folder)
        return plain(path)

    monkeypatch.setattr(network_files, "load_file", load_file_late)
    np.testing.assert_array_equal(load(folder).predict_proba(TEXTS), other.predict_proba(TEXTS))


def test_members_that_don_t_belong_together(folder: Path, tmp_path: Path) -> None:
    """Even where nothing vouches for the files."""
    number = make(tmp_path / "number", task="regression").save(tmp_path / "number" / "model")
    renamed = make(tmp_path / "columns", columns=("title",)).save(tmp_path / "columns" / "model")
    nested = make_ensemble(tmp_path / "nested").save(tmp_path / "nested" / "model")
    for other, words in (
        (number, "other targets or other classes"),
        (renamed, "reads columns that are not those"),
        (nested, "is an ensemble of 2 models"),
    ):
        shutil.rmtree(folder / "member-1")
        shutil.copytree(other, folder / "member-1")
        tell(folder, files={})
        with pytest.raises(ModelError, match=words):
            load(folder)


def test_links_that_lead_out_or_round_in_a_circle(folder: Path, tmp_path: Path) -> None:
    (folder / "member-1").rename(tmp_path / "outside")
    (folder / "member-1").symlink_to(tmp_path / "outside")
    tell(folder, files={})
    with pytest.raises(ModelError, match="leads out of the folder"):
        load(folder)
    (folder / "member-1").unlink()
    (folder / "member-1").symlink_to(folder)
    with pytest.raises(ModelError, match="is an ensemble of 2 models"):
        load(folder)


def test_a_task_without_a_mean_is_no_ensemble(folder: Path) -> None:
    tasks = told(folder)["tasks"]
    tasks["topic"]["name"] = "identity"
    tell(folder, tasks=tasks)
    with pytest.raises(ModelError, match="damaged model"):
        load(folder)


def test_members_are_never_changed_by_what_changes_the_ensemble(made: Model) -> None:
    changed = made.predicting_with()
    assert [member.weight for member in changed.members] == [0.6, 0.4]
    assert all(isinstance(member, Member) for member in changed.members)
    np.testing.assert_array_equal(changed.predict_proba(TEXTS), made.predict_proba(TEXTS))
