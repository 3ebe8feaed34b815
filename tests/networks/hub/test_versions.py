"""graftwork.networks.hub.versions: a base of a newer transformers says so, and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import transformers

from graftwork.errors import ModelError
from graftwork.networks.hub.loading import read_config
from graftwork.networks.hub.versions import newer_note


def written(folder: Path, **config: object) -> Path:
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_an_architecture_of_a_newer_version(tmp_path: Path) -> None:
    here = transformers.__version__
    with pytest.raises(ModelError) as said:
        read_config(written(tmp_path, model_type="thinking-cap", transformers_version="99.1.0"))
    assert str(said.value) == (
        f"The base in {tmp_path} was written by transformers 99.1.0, and {here} is installed, which does not know its "
        "architecture 'thinking-cap'. Run: pip install --upgrade transformers. Or choose another base: graft list "
        "bases."
    )


@pytest.mark.parametrize("version", ["4.2.0", "", None, [7]])
def test_one_that_nobody_knows(version: object, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"does not know: 'thinking-cap'\. Is model_type in its config\.json right\?"):
        read_config(written(tmp_path, model_type="thinking-cap", transformers_version=version))


def test_a_newer_version_of_a_known_one_is_tried_and_named_where_that_fails(tmp_path: Path) -> None:
    known = {"model_type": "bert", "transformers_version": "99.1.0"}
    assert read_config(written(tmp_path, **known)).model_type == "bert"
    with pytest.raises(ModelError, match=r"transformers 99\.1\.0 wrote it.*pip install --upgrade"):
        read_config(written(tmp_path, **known, num_hidden_layers={"new": "form"}))
    assert newer_note({"transformers_version": "4.8.2"}) == ""
