"""graftwork.runs.job.signature: one list of what is said of the data; fit, plan and the command line have all of it."""

from __future__ import annotations

import inspect
from dataclasses import MISSING, fields
from typing import Any

import pytest
import typer

import graftwork as gw
from graftwork.cli.main import app
from graftwork.errors import UsageError
from graftwork.runs.job.data_arguments import DataArguments, DataOptions
from tiny import tiny_rows

OPTIONS = {one.name: one for one in fields(DataArguments) if one.name not in ("train", "labelled")}
ON_THE_COMMAND_LINE = {"roles": "role", "kinds": "kind"}
"""Options that are named otherwise there, since one is given at a time."""


def test_the_types_of_the_options_are_those_of_the_arguments() -> None:
    assert {name: hint.__forward_arg__ for name, hint in DataOptions.__annotations__.items()} == {
        name: one.type for name, one in OPTIONS.items()
    }


@pytest.mark.parametrize("function", [gw.fit, gw.plan])
def test_the_signature_shows_all_of_them(function: Any) -> None:
    shown = inspect.signature(function).parameters
    assert next(iter(shown)) == "train"
    assert list(shown)[1 : 1 + len(OPTIONS)] == list(OPTIONS)
    assert not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in shown.values())
    for name, one in OPTIONS.items():
        assert one.default is not MISSING
        assert shown[name].default == one.default
        assert shown[name].annotation == one.type


@pytest.mark.parametrize("function", [gw.fit, gw.plan])
def test_a_misspelt_name_is_met_as_for_any_function(function: Any) -> None:
    with pytest.raises(TypeError, match=r"\(\) got an unexpected keyword argument 'tagret'. Did you mean 'target'"):
        function([{"text": "a", "label": "b"}], tagret="label")
    with pytest.raises(TypeError, match="'labelled'"):
        function([{"text": "a", "label": "b"}], labelled=None)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'train'"):
        function(target="label")


def test_options_arrive(tmp_path: Any) -> None:
    rows = [{"text": text, "kind": kind, "other": "x"} for text, kind in tiny_rows(40)]
    recipe = gw.Recipe(base="gru:width=8", techniques=[], training=gw.Training(steps=2))
    for function in (gw.plan, gw.fit):
        with pytest.raises(UsageError, match="nothing"):
            function(rows, target="nothing", verbose=False)
    assert "2 steps" in str(gw.plan(rows, target="kind", ignore=["other"], recipe=recipe, verbose=False))
    model = gw.fit(rows, target="kind", ignore=["other"], recipe=recipe, out=tmp_path / "m", verbose=False)
    assert [column.name for column in model.schema.columns] == ["text", "kind"]


def test_the_command_line_has_each_of_them() -> None:
    command: Any = typer.main.get_command(app)
    options = {one.name for one in command.commands["fit"].params}
    assert {ON_THE_COMMAND_LINE.get(name, name) for name in OPTIONS} <= options
