"""graftwork.uses.verification: verify, enroll, identify, with a model of tiny texts; and what the command line says."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

import graftwork as gw
from command import graft
from graftwork.data.table import Column, Schema
from graftwork.errors import DataError, ModelError, UsageError
from graftwork.tasks.embedding.identity import Identity
from graftwork.uses.gallery import load_gallery
from graftwork.uses.verification import written
from tiny import tiny_bert

TOPICS = ("cat dog bird fish cow", "rain sun snow wind storm", "bread soup rice cake tea")
WORDS = [word for topic in TOPICS for word in topic.split()]
QUICK = gw.Training(precision="fp32", max_tokens=512)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("base") / "bert", hidden_size=16, num_attention_heads=2)


def rows(people: range, each: int = 4) -> dict[str, list[str]]:
    """Texts in which everybody repeats three words of their own."""
    triples = list(itertools.combinations(WORDS, 3))
    texts, names = [], []
    for person in people:
        own = triples[(37 * person) % len(triples)]
        for at in range(each):
            order = list(itertools.permutations(own))[at]
            texts.append(" ".join((*order, *order[::-1])))
            names.append(f"person {person}")
    return {"text": texts, "name": names}


def recipe(base: Path) -> gw.Recipe:
    return gw.Recipe(base=str(base), task="identity", techniques=[gw.Probe()], training=QUICK)


@pytest.fixture(scope="module")
def model(base: Path) -> gw.Model:
    return gw.fit(rows(range(12)), target="name", recipe=recipe(base))


@pytest.fixture(scope="module")
def folder(model: gw.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model.save(tmp_path_factory.mktemp("identity") / "model")


def test_whole_identities_are_held_out_and_the_classes_are_those_trained_on(model: gw.Model) -> None:
    assert isinstance(model.task, Identity)
    assert len(model.task.classes) < 12
    evaluation = model.report.evaluations["validation"]
    assert evaluation.details.identities == 12 - len(model.task.classes) >= 2
    assert evaluation.rows == 4 * evaluation.details.identities
    assert set(evaluation.scores) == {"eer", "tar_at_far_0.01", "tar_at_far_0.001", "rank1"}


def test_verify_compares_cosines_with_the_threshold(model: gw.Model) -> None:
    new = rows(range(12, 16))
    one, other = model.verifier().embed(new["text"][:2])
    found = model.verifier().verify(*new["text"][:2])
    assert found.score == pytest.approx(float(one @ other), abs=1e-5)
    assert found.same == (found.score >= found.threshold)
    assert model.verifier().verify(new["text"][0], new["text"][0]).score == pytest.approx(1.0, abs=1e-5)
    assert model.verifier().verify(new["text"][0], new["text"][0]).same
    calibration = model.task.calibration
    assert found.probability == pytest.approx(calibration.probability(found.score))
    same, different = (model.verifier().verify(new["text"][0], new["text"][at]).score for at in (1, 4))
    assert calibration.probability(same) > calibration.probability(different)


def test_a_lower_rate_of_false_accepts_is_a_higher_threshold(model: gw.Model) -> None:
    calibration = model.task.calibration
    some = [calibration.threshold_at(far) for far in (0.5, 0.2, 0.1)]
    assert some == sorted(some)
    with pytest.raises(UsageError, match=r"can't be told from the .* held-out pairs"):
        model.verifier().verify("cat", "dog", far=1e-9)
    with pytest.raises(UsageError, match="Expected a number between 0 and 1"):
        model.verifier().verify("cat", "dog", far=2.0)


def test_identify_finds_who_was_enrolled_and_says_unknown(model: gw.Model, tmp_path: Path) -> None:
    new = rows(range(12, 15))
    people = {f"person {p}": new["text"][4 * at : 4 * at + 3] for at, p in enumerate(range(12, 15))}
    gallery = load_gallery(model.verifier().enroll(people).save(tmp_path / "people.safetensors"))
    for at in range(3):
        found = model.verifier().identify(new["text"][4 * at + 3], gallery)
        assert found.nearest == f"person {12 + at}"
        assert found.name in (found.nearest, None)
        assert (found.name is not None) == (found.score >= found.threshold)
    strict = [model.verifier().identify(text, gallery, far=0.05) for text in rows(range(40, 60), 1)["text"]]
    assert any(found.name is None for found in strict)


def test_an_enrolled_direction_is_the_mean_of_its_items(model: gw.Model) -> None:
    texts = rows(range(20, 21))["text"]
    gallery = model.verifier().enroll({"ann": texts, "ben": texts[:1]})
    mean = model.verifier().embed(texts).sum(axis=0)
    np.testing.assert_allclose(gallery.embeddings[0], mean / np.linalg.norm(mean), atol=1e-6)
    assert (gallery.names, len(gallery)) == (("ann", "ben"), 2)
    with pytest.raises(UsageError, match="'ann' has nothing to be enrolled by"):
        model.verifier().enroll({"ann": []})
    with pytest.raises(UsageError, match="nobody to enroll"):
        model.verifier().enroll({})


def test_a_saved_model_gives_the_same_answers(model: gw.Model, folder: Path) -> None:
    again = gw.load(folder)
    texts = rows(range(30, 31))["text"][:2]
    assert again.verifier().verify(*texts) == model.verifier().verify(*texts)
    assert again.verifier().identify(texts[0], model.verifier().enroll({"ann": texts})) == model.verifier().identify(
        texts[0], model.verifier().enroll({"ann": texts})
    )


def test_a_gallery_of_another_model_is_refused(model: gw.Model, base: Path) -> None:
    other = gw.fit(rows(range(40, 52)), target="name", recipe=recipe(base))
    with pytest.raises(UsageError, match="made by another model"):
        model.verifier().identify("cat", other.verifier().enroll({"ann": ["cat dog"]}))


def test_galleries_that_are_none(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(ModelError, match="no gallery"):
        load_gallery(tmp_path / "missing.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    with pytest.raises(ModelError, match="damaged gallery"):
        load_gallery(tmp_path / "text.safetensors")
    with pytest.raises(ModelError, match="not a gallery"):
        load_gallery(folder / "weights.safetensors")


def test_too_few_identities_to_hold_some_out(base: Path) -> None:
    with pytest.raises(DataError, match=r"3 identities of 3 .* Expected 4 or more"):
        gw.fit(rows(range(3)), target="name", recipe=recipe(base))


def test_an_identity_with_one_row_is_named(base: Path) -> None:
    data = rows(range(6))
    data["text"].append("cat cat")
    data["name"].append("person 99")
    with pytest.raises(DataError, match="person 99"):
        gw.fit(data, target="name", recipe=recipe(base))


def test_a_validation_table_of_the_same_people_is_refused_and_of_some_is_noted(base: Path) -> None:
    with pytest.raises(DataError, match="all 5 identities of the validation rows are trained on"):
        gw.fit(rows(range(5)), target="name", valid=rows(range(5)), recipe=recipe(base))
    model = gw.fit(rows(range(5)), target="name", valid=rows(range(4, 8)), recipe=recipe(base))
    assert any("1 of 4 identities are trained on too" in note for note in model.report.notes)
    assert len(model.task.classes) == 5


def test_evaluation_of_rows_without_a_pair_is_refused(model: gw.Model) -> None:
    with pytest.raises(DataError, match="Expected two rows of one identity"):
        model.evaluate(rows(range(70, 75), 1))
    assert model.evaluate(rows(range(70, 75), 2)).to_json()["eer"]["value"] <= 0.5


def test_a_model_of_another_task_is_refused(base: Path) -> None:
    plain = gw.fit(rows(range(4)), target="name", recipe=gw.Recipe(base=str(base), techniques=[gw.Probe()]))
    with pytest.raises(UsageError, match="--task identity"):
        plain.verifier().verify("cat", "dog")


def test_the_report_shows_the_curve_and_the_pairs(model: gw.Model) -> None:
    page = model.report.to_html()
    assert "Known ones recognised by strangers taken for known" in page
    assert "Two different ones that it finds most alike" in page
    assert "drawn with all their rows" in page


def test_the_command_line(folder: Path, tmp_path: Path) -> None:
    new = rows(range(12, 15))
    table = tmp_path / "people.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "name"), *zip(new["text"], new["name"], strict=True)])
    assert "probability of the same identity" in graft("verify", folder, *new["text"][:2]).works().out
    assert '"score":' in graft("verify", folder, *new["text"][:2], "--json").works().out
    gallery = tmp_path / "people.safetensors"
    assert "3 identities enrolled" in graft("enroll", folder, table, "--out", gallery).works().err
    by_file, by_table = (graft("identify", folder, each, new["text"][0]).works().out for each in (gallery, table))
    assert by_file == by_table
    assert "Equal error rate" in graft("evaluate", folder, table).works().out
    graft("identify", folder, tmp_path / "none.safetensors", "cat").fails(1, "no gallery")
    graft("verify", folder, "cat", " ").fails(1, "Item 2 of 2")


def test_rows_of_tables_are_identified_and_written(folder: Path, tmp_path: Path) -> None:
    known, new = rows(range(100, 103)), rows(range(100, 103), each=2)
    people, asked = tmp_path / "people.csv", tmp_path / "asked.csv"
    _write(people, known["text"], known["name"])
    _write(asked, [*new["text"], " "], [*new["name"], "nobody"])
    out = tmp_path / "found.csv"
    ran = graft("identify", folder, people, asked, "--out", out).works()
    assert "7 rows compared" in ran.err
    assert "1 of them could not be read" in ran.err
    with open(out, newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert [row["text"] for row in found] == [*new["text"], " "]
    one_by_one = [
        json.loads(line) for line in graft("identify", folder, people, *new["text"], "--json").works().out.splitlines()
    ]
    assert [row["nearest"] for row in found[:6]] == [one["nearest"] for one in one_by_one]
    assert [float(row["score"]) for row in found[:6]] == pytest.approx([one["score"] for one in one_by_one], abs=1e-5)
    assert found[6]["nearest"] == ""
    assert found[6]["reason"] == "text: empty"
    lines = graft("identify", folder, people, asked, new["text"][0]).works()
    assert len(lines.out.splitlines()) == 7
    assert "could not be read: text: empty" in lines.err
    graft("identify", folder, people, asked, "cat", "--out", out).fails(2, "Name one table")
    graft("identify", folder, people, asked, "--out", asked).fails(2, "the table itself")
    graft("identify", folder, people, asked, "--out", tmp_path / "p.docx").fails(2, "docx")


@pytest.mark.slow
def test_one_item_is_verified_against_a_table(folder: Path, tmp_path: Path) -> None:
    new = rows(range(100, 102), each=2)
    table, out = tmp_path / "t.csv", tmp_path / "v.jsonl"
    _write(table, new["text"], new["name"])
    graft("verify", folder, new["text"][0], table, "--out", out).works()
    found = [json.loads(line) for line in out.read_text().splitlines()]
    one = json.loads(graft("verify", folder, new["text"][0], new["text"][1], "--json").works().out)
    assert found[1]["score"] == pytest.approx(one["score"], abs=1e-5)
    assert found[0]["score"] == pytest.approx(1.0, abs=1e-5)
    assert len(graft("verify", folder, new["text"][0], table).works().out.splitlines()) == 4
    graft("verify", folder, table, new["text"][0]).fails(2, "Name one item first")


def test_what_is_wrong_is_said_before_the_model_is_loaded(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graftwork import model as models

    def load(_: object) -> None:
        raise AssertionError("the model is loaded")

    monkeypatch.setattr(models, "load", load)
    table = tmp_path / "t.csv"
    _write(table, ["cat dog"], ["ann"])
    graft("identify", folder, tmp_path / "none.safetensors", "cat").fails(1, "no gallery", "graft enroll")
    graft("identify", folder, tmp_path / "none.csv", "cat").fails(1, "none.csv")
    graft("identify", folder, table, "").fails(1, "Item 1 of 1 can't be used as 'text': empty")
    graft("enroll", folder, tmp_path / "none.csv", "--out", tmp_path / "g.safetensors").fails(1, "none.csv")
    graft("verify", folder, "cat", " ").fails(1, "Item 2 of 2")


def _write(path: Path, texts: list[str], names: list[str]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "name"), *zip(texts, names, strict=True)])


def test_an_item_that_can_not_be_read_is_named(model: gw.Model) -> None:
    with pytest.raises(DataError, match=r"Item 2 of 2 can't be used as 'text': empty\.$"):
        model.verifier().verify("cat", "")


def test_what_columns_are_later_changes_no_fingerprint_unless_it_is_set() -> None:
    photo, name = Column("photo", "image", scale=(0.0, 1.0)), Column("name", "category", "target", levels=("a", "b"))
    before = [
        "Column(name='photo', kind='image', role=None, levels=(), scale=(0.0, 1.0), form='')",
        "Column(name='name', kind='category', role='target', levels=('a', 'b'), scale=None, form='')",
    ]  # as version 0.1 wrote them
    assert written(Schema((photo,))) == f"Schema(columns=({before[0]},))"
    assert written(Schema((photo, name))) == f"Schema(columns=({before[0]}, {before[1]}))"
    assert written(Schema(())) == "Schema(columns=())"
    joined = Schema((Column("first", "text", join=("first", "second")),))
    assert "form='', join=('first', 'second'))" in written(joined)
