"""graftwork.runs.tune.space.space: each proposal is a recipe that a plan takes, and is found again."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import graftwork as gw
from graftwork.errors import DataError, ModelError, UsageError
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.text.bases import Transformer
from graftwork.runs.candidates.planned import planned_recipes
from graftwork.runs.job.job import Job
from graftwork.runs.tune.space import refused as refusing
from graftwork.runs.tune.space.arms import blocks_of
from graftwork.runs.tune.space.space import SearchSpace, Tries, candidate_bases, refused, search_space
from graftwork.spaces import Choice, Range, Space, spaces_of
from graftwork.techniques.transfer.partial import Partial
from tiny import KINDS, LAYERS, tiny_model

Texts = tuple[Job, gw.Recipe]


@pytest.fixture(scope="session")
def tries(bases: dict[str, str]) -> Tries:
    return Tries(bases=(bases["second"], "gru:width=16"))


@pytest.fixture(scope="session")
def space(texts_job: Texts, tries: Tries) -> SearchSpace:
    return search_space(*texts_job, tries)


def drawn(data: st.DataObject, space: SearchSpace) -> dict[str, object]:
    """What a sampler might propose."""

    def suggest(name: str, one: Space) -> object:
        if not isinstance(one, Range):
            return data.draw(st.sampled_from(one.values), name)
        if one.whole:
            return data.draw(st.integers(int(one.low), int(one.high)), name)
        return data.draw(st.floats(one.low, one.high), name)

    return space.propose(suggest)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_proposed_values_make_a_recipe_that_gives_them_back(space: SearchSpace, data: st.DataObject) -> None:
    params = drawn(data, space)
    assert params in space
    recipe = space.recipe(params)
    found = space.params_of(recipe)
    assert found is not None
    assert found in space
    assert space.recipe(found) == recipe
    assert found.keys() == params.keys()
    assert found["base"] == params["base"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_plan_refuses_what_is_proposed(space: SearchSpace, texts_job: Texts, data: st.DataObject) -> None:
    assert refused(texts_job[0], space.recipe(drawn(data, space))) == ""


def test_what_the_default_tries_lies_in_the_space(space: SearchSpace, texts_job: Texts, tries: Tries) -> None:
    job, recipe = texts_job
    for one in (recipe, *candidate_bases(job, recipe, tries)):
        for name, planned in planned_recipes(job, one):
            found = space.params_of(planned)
            assert found is not None, name
            assert found in space


def test_what_is_refused_says_why(texts_job: Texts) -> None:
    job, recipe = texts_job
    both = replace(recipe, techniques=[gw.EMA(), gw.SWA()])
    assert refused(job, both) == "ema and swa both decide which weights are kept at the end. Drop one of them."


@pytest.mark.parametrize("error", [MemoryError(), ValueError("alpha is odd"), RuntimeError("can't allocate memory")])
def test_what_fails_while_it_is_looked_at_is_refused(
    texts_job: Texts, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(refusing, "make_ready", fail)
    assert refused(*texts_job) == (
        "alpha is odd" if isinstance(error, ValueError) else "The memory is too small for it."
    )
    error = DataError("no space")
    error.__cause__ = OSError(errno.ENOSPC, "no space")
    with pytest.raises(DataError, match="no space"):
        refused(*texts_job)


def test_blocks_are_shares_of_the_base_as_it_is_cut(texts_job: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    job, recipe = texts_job
    monkeypatch.setattr(Transformer, "searched", {"layers": Range(1, 4), "depth": Choice((None, 2))})
    space = search_space(job, recipe, Tries())
    [arm] = space.frame.inputs[0].arms
    assert arm.depth == LAYERS + 1
    for share in space.frame.shares:
        wanted: dict[str, object] = {"tuning": "partial", "base.depth": 2, "blocks": share}

        def suggest(name: str, one: Space, wanted: dict[str, object] = wanted) -> object:
            return wanted.get(name, one.low if isinstance(one, Range) else one.values[0])

        params = space.propose(suggest)
        assert wanted.items() <= params.items()
        made = space.recipe(params)
        [partial] = [one for one in made.listed if isinstance(one, Partial)]
        assert partial.blocks == blocks_of(share, [3])
        assert refused(job, made) == ""
        assert space.recipe(space.params_of(made) or {}) == made


def test_of_a_head_that_is_named_the_settings_are_searched(texts_job: Texts) -> None:
    job, recipe = texts_job
    space = search_space(job, replace(recipe, head="cosine"), Tries())
    names = {one.name for one in space.dimensions}
    assert {f"cosine.{setting}" for setting in spaces_of(HEADS["cosine"])} <= names
    assert not {"head", "probe head"} & names
    fixed = search_space(job, replace(recipe, head="cosine:scale=20"), Tries())
    assert not [one.name for one in fixed.dimensions if one.name.startswith("cosine.")]


def test_bases_come_cheapest_first_and_from_scratch_last(bases: dict[str, str], texts_job: Texts) -> None:
    found = candidate_bases(*texts_job, Tries(bases=("gru:width=16", bases["second"])))
    assert [one.base for one in found] == [bases["second"], "gru:width=16"]


def test_a_base_that_is_named_stays_alone(texts_job: Texts) -> None:
    assert candidate_bases(*texts_job, Tries()) == []


@pytest.mark.parametrize(
    ("tries", "error", "said"),
    [
        (Tries(bases=["photo=minilm"]), UsageError, "there is no input 'photo'"),
        (Tries(bases=["small-cnn"]), UsageError, "reads image, but here is text"),
        (Tries(bases=["./nowhere"]), ModelError, "nowhere"),
        (Tries(techniques=["mixpu"]), UsageError, "Did you mean 'mixup'"),
        (Tries(techniques=["mixup", "mixup:alpha=1"]), UsageError, "names mixup 2 times"),
        (Tries(techniques=["cutmix"]), UsageError, "can't run on this job. cutmix needs"),
    ],
)
def test_what_can_not_be_tried_is_said(texts_job: Texts, tries: Tries, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        search_space(*texts_job, tries)


@pytest.mark.parametrize("kind", KINDS)
def test_what_files_say_of_a_base_is_how_deep_it_is(kind: str, tmp_path: Path) -> None:
    base = parse_base(str(tiny_model(tmp_path / kind, kind)))
    assert base.told_depth() == base.build(TrainingRows(), 0).depth
