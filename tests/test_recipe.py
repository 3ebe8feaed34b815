"""graftwork.recipe: the same thing in Python, as plain data, in YAML and on the command line."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from graftwork import specs
from graftwork.core.settings import Training
from graftwork.core.technique import Technique
from graftwork.data.columns.text import TextSettings
from graftwork.errors import UsageError
from graftwork.recipe import Recipe, from_dict, from_yaml, parse_techniques, with_settings
from graftwork.techniques import TECHNIQUES

WORDS = st.text(st.characters(categories=("Lu", "Ll", "Nd")), min_size=1, max_size=8)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a setting's type; the class may still refuse it."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin in (dict, Mapping):
        return st.dictionaries(WORDS, values(args[1]), max_size=3)
    if origin is tuple:
        return st.lists(values(args[0]), min_size=1, max_size=3).map(tuple)
    if args:
        return st.one_of([st.none() if arg is type(None) else values(arg) for arg in args])
    number = st.floats(0, 1) | st.floats(0, 100)
    return {int: st.integers(1, 64), float: number, bool: st.booleans(), str: WORDS}[hint]


@st.composite
def settings_of(draw: st.DrawFn, cls: type) -> Any:
    fields = {field.name for field in dataclasses.fields(cls) if field.init}
    hints = {name: hint for name, hint in typing.get_type_hints(cls).items() if name in fields}
    chosen = draw(st.fixed_dictionaries({}, optional={name: values(hint) for name, hint in hints.items()}))
    try:
        return cls(**chosen)
    except (UsageError, TypeError):
        required = [f.name for f in dataclasses.fields(cls) if f.default is f.default_factory is dataclasses.MISSING]
        return cls(**{name: name for name in required})


TECHNIQUE: st.SearchStrategy[Technique] = st.sampled_from(sorted(TECHNIQUES)).flatmap(
    lambda name: settings_of(TECHNIQUES[name])
)
RECIPES = st.builds(
    Recipe,
    base=st.sampled_from(["minilm", "gru:width=64", "org/name:layers=2", "./somewhere"]),
    task=st.sampled_from(["auto", "classification"]),
    head=st.sampled_from(["linear", "mlp:width=16"]),
    techniques=st.just("auto") | st.lists(TECHNIQUE, max_size=4),
    training=settings_of(Training),
    text=settings_of(TextSettings),
    metric=st.none() | st.just("macro_f1"),
    valid_share=st.floats(0.01, 0.9),
    seed=st.integers(0, 2**40),
)


@given(RECIPES)
def test_yaml_reads_back(recipe: Recipe) -> None:
    assert from_dict(yaml.safe_load(recipe.to_yaml())) == recipe


@given(TECHNIQUE)
def test_a_technique_on_the_command_line_reads_back(technique: Technique) -> None:
    assert parse_techniques([specs.write(technique, technique.name)]) == (technique,)


@given(settings_of(Training))
@example(Training(steps=2, cuts=(1, 1)))
def test_set_reads_back(training: Training) -> None:
    given = {name: _written(value) for name, value in specs.changed_settings(training).items()}
    assert with_settings(Recipe(), given).training == training


def _written(value: object) -> str:
    if isinstance(value, tuple):
        return "+".join(map(str, value))
    return "none" if value is None else str(value)


def test_set_reaches_all_parts() -> None:
    found = with_settings(Recipe(), {"lr": "1e-3", "text.markup": "yes", "head": "mlp", "seed": "3", "metric": "mcc"})
    expected = Recipe(training=Training(lr=1e-3), text=TextSettings(markup=True), head="mlp", seed=3, metric="mcc")
    assert found == expected


def test_words_for_techniques() -> None:
    assert parse_techniques("auto") == "auto"
    assert parse_techniques("none") == parse_techniques(None) == parse_techniques([]) == ()
    with pytest.raises(UsageError, match="techniques is 'lora'"):
        parse_techniques("lora")


def test_numbers_as_yaml_writes_them(tmp_path: Path) -> None:
    """YAML 1.1 takes 1e-4 for text."""
    file = tmp_path / "r.yaml"
    file.write_text("training: {lr: 1e-4, epochs: 3}\nseed: 2\ntechniques: [{lora: {rank: 4}}, label-smoothing]\n")
    recipe = from_yaml(file)
    assert recipe.training == Training(lr=1e-4, epochs=3)
    assert [technique.name for technique in recipe.listed] == ["lora", "label-smoothing"]


def test_what_is_off_stays_in_the_recipe_and_is_not_listed() -> None:
    recipe = Recipe(base="gru", techniques=["mixup:alpha=0", "ema"])  # type: ignore[list-item]
    assert [technique.name for technique in recipe.listed] == ["ema"]
    assert [technique.name for technique in recipe.named] == ["mixup", "ema"]
    assert from_dict(recipe.to_dict()) == recipe


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ({"seed": "x"}, "seed"),
        ({"seed": None}, "seed"),
        ({"base": ["a"]}, "base"),
        ({"base": None}, "base"),
        ({"valid_share": 2}, "valid_share"),
        ({"techniques": 3}, "techniques"),
        ({"techniques": {"lora": {}}}, "techniques"),
        ({"text": {"markup": "maybe"}}, "markup"),
        ({3: 4}, "unknown entry '3'"),
    ],
)
def test_wrong_values(plain: dict[Any, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        from_dict(plain)


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("")
    assert from_yaml(tmp_path / "r.yaml") == Recipe()


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UsageError, match="seed is -1"):
        Recipe(seed=-1)
