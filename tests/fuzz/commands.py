"""A folder with a base, tables and trained models, and `graft` at work in it: what kills and mutations begin with."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path

import pytest

from command import QUICK, Ran, graft, topics, write_rows
from fuzz.killing import forked
from tiny import tiny_bert, tiny_texts
from tinypackages import DATA, entry, offer, pinned, wheel

WEIGHTS = {"tiny/data.bin": DATA}
HEAVY = (
    "graftwork.runs.fit",
    "graftwork.deploy.predict",
    "transformers.models.bert.modeling_bert",
    "matplotlib.figure",
)


@dataclass(frozen=True)
class Made:
    """A folder with a base, tables and two trained models, made once by forked commands."""

    folder: Path

    def __truediv__(self, name: str) -> Path:
        return self.folder / name


def make(folder: Path) -> Made:
    """Made by a forked process, so that this one has used no library that a fork can't follow."""
    found = Made(folder)
    for name in HEAVY:  # once here, and not in every child
        importlib.import_module(name)
    forked(lambda: prepare(found))
    return found


def prepare(made: Made) -> None:
    tiny_bert(made / "base", num_hidden_layers=2, hidden_size=16, num_attention_heads=2)
    topics(made / "train.csv", 90)
    topics(made / "test.csv", 24)
    for name, more in (("first", ()), ("second", ("--seed", "1"))):
        fit(made, made / name, *more).works()
    write_rows(made / "who.csv", [(text, f"person {at % 6}") for at, text in enumerate(tiny_texts(60))])
    probe = ("--base", made / "base", "--with", "probe")
    graft("fit", made / "who.csv", "--target", "label", "--task", "identity", *probe, "--out", made / "people").works()
    wheel(made.folder, "tiny", WEIGHTS)
    pairs = [(text, " ".join(reversed(text.split()))) for text in tiny_texts(24)]
    write_rows(made / "pairs.csv", pairs, ("text", "other"))
    graft("fit", made / "pairs.csv", "--task", "retrieval", *probe, "--out", made / "finder").works()
    recipe = f"{{base: {made / 'base'}, techniques: [], training: {{steps: 3, batch: 8}}}}"
    steps = [
        f"- {{name: {name}, train: {made / 'train.csv'}, target: label, recipe: {recipe}}}" for name in ("one", "two")
    ]
    (made / "steps.yaml").write_text("\n".join(["steps:", *steps]))


def fetch(made: Made, home: Path, *command: str) -> Ran:
    """`graft bases` with a tiny base that can be had."""
    path = made / "tiny-1.0-py3-none-any.whl"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRAFTWORK_HOME", str(home))
        offer(patch, entry("tiny", pinned(path, "tiny", WEIGHTS)))
        return graft("bases", *command, *(("--from", path) if command[0] == "get" else ()))


def fit(made: Made, out: Path, *more: str | Path) -> Ran:
    return graft("fit", made / "train.csv", "--target", "label", "--base", made / "base", "--out", out, *QUICK, *more)
