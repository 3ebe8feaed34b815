"""graftwork.runs.job.held_out: rows that say the same stay on one side, and nothing else changes."""

from __future__ import annotations

from itertools import cycle, islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.data.splits import stratified_split
from graftwork.errors import DataError
from graftwork.recipe import Recipe
from graftwork.runs.job.held_out import _split_distinct, distinct
from jobs import job_of

RECIPE = Recipe(base="gru:width=8", techniques=[], seed=1)


def rows(texts, labels="ab"):
    return [
        {"text": text, "label": label} for text, label in zip(texts, islice(cycle(labels), len(texts)), strict=True)
    ]


def sides(texts):
    job = job_of(rows(texts), RECIPE)
    return job.train.values("text"), job.valid.values("text")


def test_the_same_text_never_trains_and_validates():
    texts = [f"text {at}" for at in range(100)] + [f"Text  {at}" for at in range(40)]
    train, valid = ({" ".join(text.lower().split()) for text in side} for side in sides(texts))
    assert valid
    assert not train & valid


def test_rows_that_are_all_different_are_split_by_class_alone():
    texts = [f"text {at}" for at in range(100)]
    _, held = stratified_split(np.arange(100) % 2, RECIPE.valid_share, 1, every_class=True)
    assert sides(texts)[1] == [texts[at] for at in held]


def test_where_most_rows_are_repeats_they_are_rows_like_others():
    job = job_of(rows([f"text {at % 20}" for at in range(100)]), RECIPE)
    assert set(job.train.values("text")) & set(job.valid.values("text"))


def test_numbers_alone_may_repeat():
    table = [{"a": at % 7, "b": at % 5, "label": "yn"[at % 2]} for at in range(120)]
    assert len(set(distinct(job_of(table, Recipe(base="columns", techniques=[])).train))) > 60


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=8, max_size=60), st.integers(0, 5))
def test_every_kind_still_trains(drawn, seed):
    contents, kinds = (np.array(each) for each in zip(*drawn, strict=True))
    _, first, numbers = np.unique(contents, return_index=True, return_inverse=True)
    if len(first) < 2:
        return
    kept, held = _split_distinct(first[numbers], kinds, Recipe(seed=seed))
    assert set(kinds[kept]) == set(kinds)
    assert not set(contents[kept]) & set(contents[held])
    assert sorted([*kept, *held]) == list(range(len(kinds)))


def test_of_a_column_of_times_the_latest_rows_validate():
    order = np.random.default_rng(0).permutation(100)
    table = [
        {**row, "when": f"2024-{1 + at // 28:02d}-{1 + at % 28:02d}"}
        for row, at in zip(rows([f"text {at}" for at in order]), order, strict=True)
    ]
    job = job_of(table, RECIPE, roles={"time": "when"})
    assert max(job.train.values("when")) < min(job.valid.values("when"))
    assert len(job.valid) == round(RECIPE.valid_share * 100)
    assert any("latest of 100 rows" in note for note in job.notes)


def test_where_all_times_are_one_it_is_said_where():
    with pytest.raises(DataError, match=r"the list, column 'when': All rows have the same time"):
        job_of(
            [{**row, "when": 2024} for row in rows([f"text {at}" for at in range(100)])], RECIPE, roles={"time": "when"}
        )
