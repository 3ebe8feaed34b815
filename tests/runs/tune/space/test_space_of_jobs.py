"""graftwork.runs.tune.space.space on all kinds of jobs: what is asked for, and that every proposal can be run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

import graftwork as gw
from graftwork.core.technique import Graft, Phase, Setup, Technique
from graftwork.errors import UsageError
from graftwork.networks.network import Network
from graftwork.runs.candidates.planned import planned_recipes
from graftwork.runs.job.job import Job
from graftwork.runs.tune.space.space import SearchSpace, Tries, candidate_bases, refused, search_space
from graftwork.runs.tune.transfer import transfer_score
from graftwork.spaces import Choice, Range, Space, Spaces
from graftwork.techniques import TECHNIQUES
from jobs import job_of
from pictures import encoded, picture, tiny_image_model
from tiny import tiny_rows

ROWS = 150


def suggested(seed: int) -> Any:
    """What draws values evenly."""
    draw = random.Random(seed)

    def suggest(_: str, space: Space) -> object:
        if not isinstance(space, Range):
            return draw.choice(space.values)
        return draw.randint(int(space.low), int(space.high)) if space.whole else draw.uniform(space.low, space.high)

    return suggest


def hold(space: SearchSpace, job: Job, proposals: int = 8) -> list[gw.Recipe]:
    """Proposals are recipes that a plan takes and that are found again; gives them."""
    recipes = []
    for seed in range(proposals):
        params = space.propose(suggested(seed))
        assert params in space
        recipe = space.recipe(params)
        found = space.params_of(recipe)
        assert found is not None, recipe
        assert space.recipe(found) == recipe
        assert refused(job, recipe) == ""
        recipes.append(recipe)
    return recipes


def names(space: SearchSpace) -> dict[str, Space]:
    return {one.name: one.space for one in space.dimensions}


def columns(rows: int = ROWS) -> pd.DataFrame:
    """Numbers and a category, and a class that they tell."""
    told = [("low", "high")[row % 7 > 3] for row in range(rows)]
    return pd.DataFrame(
        {"size": [float(row % 7) for row in range(rows)], "shop": [("a", "b", "c")[row % 3] for row in range(rows)]}
        | {"label": told}
    )


def test_numbers_and_categories_have_trees_and_networks() -> None:
    job, recipe = job_of(columns(), gw.Recipe()), gw.Recipe()
    space = search_space(job, recipe, Tries())
    found = names(space)
    assert found["base"] == Choice(("columns", "ft-transformer", "table-mlp"))
    assert {"linear", "kernel", "mlp"} <= set(found["probe head"].values)  # type: ignore[union-attr]
    assert {"base.numbers", "base.width", "base.layers", "scratch lr", "scratch epochs"} <= found.keys()
    assert "tuning" not in found
    recipes = hold(space, job, 12)
    assert {"Probe"} == {type(one).__name__ for made in recipes if "columns" in made.base for one in made.listed[:1]}
    widths = {made.bases(job.train.schema)["table"].spec for made in recipes if "columns" not in made.base}
    assert len(widths) > 3
    layers = replace(recipe, base="table-mlp:layers=4")
    assert space.params_of(replace(layers, techniques=[])) is not None


def test_of_numbers_to_predict_no_technique_for_classes_is_tried() -> None:
    table = columns().drop(columns="label").assign(price=[row % 7 + 0.25 * (row % 3) for row in range(ROWS)])
    job, recipe = job_of(table, gw.Recipe(), target="price"), gw.Recipe()
    space = search_space(job, recipe, Tries())
    assert not {"with label-smoothing", "with supervised-contrastive"} & names(space).keys()
    hold(space, job, 4)


@pytest.fixture(scope="module")
def mixed(bases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Job, gw.Recipe]:
    photo = tiny_image_model(tmp_path_factory.mktemp("image") / "vit", "vit")
    texts = tiny_rows(ROWS)
    table = columns().assign(
        label=[label for _, label in texts],
        text=[text for text, _ in texts],
        photo=[encoded(picture(row, 24, 24)) for row in range(ROWS)],
    )
    recipe = gw.Recipe(base={"text": bases["first"], "image": str(photo)})
    return job_of(table, recipe), recipe


@pytest.mark.slow
def test_each_input_has_bases_of_its_own_and_they_are_fused(mixed: tuple[Job, gw.Recipe]) -> None:
    job, recipe = mixed
    tries = Tries(bases=("photo=small-cnn:width=8", "table=table-mlp:width=16"))
    space = search_space(job, recipe, tries)
    found = names(space)
    assert {"base.photo", "base.table", "base.text.layers", "fusion", "probe fusion", "gated.width"} <= found.keys()
    assert "with modality-dropout" in found
    hold(space, job, 12)
    assert [sorted(one.base) for one in candidate_bases(job, recipe, tries)] == [["photo", "table", "text"]] * 2


def test_a_table_beside_pretrained_inputs_is_not_trained_from_scratch(mixed: tuple[Job, gw.Recipe]) -> None:
    space = search_space(*mixed, Tries())
    assert not {"base.table", "scratch lr"} & names(space).keys()
    assert "base.table.numbers" in names(space)


def test_several_targets_share_a_space(bases: dict[str, str]) -> None:
    texts = tiny_rows(ROWS)
    table = pd.DataFrame(texts, columns=["text", "label"]).assign(length=[float(len(text)) for text, _ in texts])
    recipe = gw.Recipe(base=bases["first"])
    job = job_of(table, recipe, target=["label", "length"])
    space = search_space(job, recipe, Tries(techniques=("uncertainty", "pcgrad")))
    assert {"with uncertainty", "with pcgrad"} <= names(space).keys()
    hold(space, job, 5)


def test_few_rows_are_tuned_as_the_default_tunes_them(bases: dict[str, str]) -> None:
    recipe = gw.Recipe(base=bases["first"])
    job = job_of(pd.DataFrame(tiny_rows(30), columns=["text", "label"]), recipe)
    assert job.valid is None
    space = search_space(job, recipe, Tries())
    assert {"with supervised-contrastive", "with refit"} <= names(space).keys()
    made = hold(space, job, 8)
    assert {
        one.l2 for recipe in made for one in recipe.listed if isinstance(one, gw.Probe | gw.WarmStart | gw.Refit)
    } == {1 / 16}


def test_what_the_recipe_names_stays(texts_job: tuple[Job, gw.Recipe]) -> None:
    job, recipe = texts_job
    training = gw.Training(lr=1e-4, epochs=2)
    named = replace(recipe, techniques=["lora:rank=2", "ema"], head="mlp:width=8", training=training)
    space = search_space(job, named, Tries(techniques=("mixup:alpha=0.3", "class-weights")))
    assert set(names(space)) == {"base.layers", "with mixup", "with class-weights", "class-weights.power"}
    for made in hold(space, job, 6):
        assert {"lora", "ema"} <= {one.name for one in made.listed}
        assert {"lora", "ema", "mixup", "class-weights"} >= {one.name for one in made.listed}
        assert (made.head, made.training) == ("mlp:width=8", training)
        assert all(one.alpha == 0.3 for one in made.listed if isinstance(one, gw.Mixup))


@pytest.mark.slow
def test_ways_to_tune_and_their_settings(texts_job: tuple[Job, gw.Recipe]) -> None:
    job, recipe = texts_job
    space = search_space(job, recipe, Tries(techniques=("lora:rank=2", "swa")))
    assert {"with swa", "lora.rate"} <= names(space).keys()
    assert not {"with lora", "lora.rank"} & names(space).keys()
    ranks = {one.rank for made in hold(space, job, 20) for one in made.listed if isinstance(one, gw.LoRA)}
    assert ranks == {2}


@pytest.mark.slow
def test_two_that_claim_the_same_are_never_proposed_together(texts_job: tuple[Job, gw.Recipe]) -> None:
    job, recipe = texts_job
    space = search_space(job, recipe, Tries(techniques=("ema", "swa", "mixup", "supervised-contrastive")))
    listed = [{one.name for one in made.listed} for made in hold(space, job, 25)]
    assert any("ema" in names for names in listed)
    assert any("swa" in names for names in listed)


@dataclass(frozen=True)
class Useless(Technique):
    """Does nothing, at any amount."""

    amount: float = 0.5

    name: ClassVar[str] = "useless"
    phase: ClassVar[Phase] = Phase.LABELS
    summary: ClassVar[str] = "does nothing"
    searched: ClassVar[Spaces] = {"amount": Range(0.1, 0.9)}

    def attach(self, network: Network, setup: Setup) -> Graft:  # noqa: ARG002
        return Graft(inputs=lambda batch: batch)


@pytest.fixture
def useless() -> Iterator[None]:
    TECHNIQUES[Useless.name] = Useless
    yield
    del TECHNIQUES[Useless.name]


@pytest.mark.usefixtures("useless")
def test_a_technique_of_ones_own_is_tried(texts_job: tuple[Job, gw.Recipe]) -> None:
    job, recipe = texts_job
    space = search_space(job, recipe, Tries(techniques=("useless",)))
    assert names(space)["useless.amount"] == Range(0.1, 0.9)
    assert {name for name in names(space) if name.startswith("with ")} == {"with label-smoothing", "with useless"}
    assert any("useless" in {one.name for one in made.listed} for made in hold(space, job, 10))


def test_what_the_recipe_has_can_not_be_tried_beside_it(texts_job: tuple[Job, gw.Recipe]) -> None:
    job, recipe = texts_job
    with pytest.raises(UsageError, match="the recipe has mixup already"):
        search_space(job, replace(recipe, techniques=["mixup"]), Tries(techniques=("mixup",)))


def test_what_begins_from_nothing_has_no_transfer_score(texts_job: tuple[Job, gw.Recipe]) -> None:
    job, recipe = texts_job
    assert transfer_score(job, recipe) is not None
    assert transfer_score(job, replace(recipe, base="gru:width=16")) is None


def test_a_copy_of_a_base_is_a_base_of_its_own(
    texts_job: tuple[Job, gw.Recipe], bases: dict[str, str], tmp_path: Path
) -> None:
    import shutil

    copy = shutil.copytree(bases["first"], tmp_path / "copy")
    space = search_space(*texts_job, Tries(bases=(str(copy),)))
    assert names(space)["base"] == Choice((bases["first"], str(copy)))
    assert transfer_score(texts_job[0], replace(texts_job[1], base=str(copy))) == pytest.approx(
        transfer_score(*texts_job)
    )


def test_the_blocks_that_the_default_trains_are_among_the_shares(tmp_path: Path) -> None:
    folder = tiny_image_model(tmp_path / "mobilenet", "mobilenet_v2")
    recipe = gw.Recipe(base=str(folder))
    table = pd.DataFrame({"photo": [encoded(picture(row, 24, 24)) for row in range(ROWS)], "label": columns()["label"]})
    job = job_of(table, recipe, kinds={"photo": "image"})
    space = search_space(job, recipe, Tries(techniques=("flip",)))
    tuned = dict(planned_recipes(job, recipe))["tune"]
    found = space.params_of(tuned)
    assert found is not None
    assert set(space.recipe(found).listed) == set(tuned.listed)
