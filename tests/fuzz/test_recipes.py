"""Recipes, sequences and the short form of the command line: any word is either understood or refused in words."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import yaml

from command import graft
from fuzz.examine import examine
from fuzz.mutations import SNIPPETS, damaged, damaged_document
from graftwork import specs
from graftwork.networks.bases.registry import parse_base
from graftwork.recipe import from_dict, from_yaml, parse_techniques
from graftwork.tasks.registry import TASKS
from graftwork.techniques import TECHNIQUES

RECIPE = {
    "base": {"text": "minilm:layers=3", "image": "small-cnn"},
    "task": "classification",
    "metric": "macro_f1",
    "techniques": [{"lora": {"rank": 4}}, "label-smoothing:amount=0.1", {"ema": {}}],
    "training": {"steps": 10, "lr": 1e-3, "batch": 8, "precision": "fp32"},
    "head": "mlp",
    "seed": 3,
}
SEQUENCE = {
    "steps": [
        {"name": "first", "train": "a.csv", "target": "label", "recipe": RECIPE},
        {"name": "second", "train": "b.csv", "techniques": ["distil:teacher=first"]},
    ]
}


def test_damaged_documents() -> None:
    examine(lambda seed: from_dict(damaged_document(RECIPE, seed))).holds()


def test_damaged_files(tmp_path: Path) -> None:
    whole = yaml.safe_dump(RECIPE).encode()
    path = tmp_path / "recipe.yaml"

    def act(seed: int) -> None:
        path.write_bytes(damaged(whole, seed))
        from_yaml(path)

    examine(act).holds()


def test_damaged_sequences(tmp_path: Path) -> None:
    from graftwork.runs.sequences.steps import read_steps

    path = tmp_path / "sequence.yaml"

    def act(seed: int) -> None:
        content = yaml.safe_dump(damaged_document(SEQUENCE, seed), allow_unicode=True).encode("utf-8", "surrogatepass")
        path.write_bytes(damaged(content, seed) if seed % 2 else content)
        read_steps(path)

    examine(act).holds()


@pytest.mark.parametrize("kind", ["technique", "base", "task"])
def test_short_forms(kind: str) -> None:
    parse = {
        "technique": lambda text: parse_techniques([text]),
        "base": parse_base,
        "task": lambda text: specs.parse(text, TASKS, "task"),
    }[kind]
    wholes = {
        "technique": [f"{name}:rank=4,scale=0.5" for name in TECHNIQUES],
        "base": ["minilm:layers=3", "small-cnn:width=8,blocks=1", "mel-cnn:rate=8000", "tuned-text:path=x"],
        "task": ["classification", "multilabel:threshold=0.5", "few-shot:way=2,query=2"],
    }[kind]
    snippets = [part if isinstance(part, str) else part.decode("latin-1") for part in SNIPPETS]

    def act(seed: int) -> None:
        draw = random.Random(seed)
        text = draw.choice(wholes)
        for _ in range(draw.choice((1, 2))):
            at = draw.randrange(len(text) + 1)
            put = draw.choice((*snippets, ":", "=", ",", "+", "-1", "1e999", "none", "true", "x" * 300))
            text = text[:at] + put + text[at + draw.choice((0, 0, 1, 3)) :]
        parse(text)

    examine(act).holds()


@pytest.mark.slow
def test_words_of_the_command_line(tmp_path: Path) -> None:
    """Options with anything behind them: exit code 1 or 2 and a message, no traceback."""
    (tmp_path / "t.csv").write_text("text,label\n" + "a cat,x\nthe dog,y\n" * 6)
    options = (
        "--target",
        "--inputs",
        "--ignore",
        "--role",
        "--kind",
        "--task",
        "--metric",
        "--base",
        "--with",
        "--set",
        "--budget",
        "--seed",
    )
    values = (
        "",
        "x",
        "text",
        "label",
        "=",
        "text=",
        "=text",
        "text=image",
        "a=b=c",
        "-1",
        "1e999",
        "nan",
        "lr=x",
        "steps=1e9",
        "\x1b[31m",
        "\u202e",
        "../x",
        "0s",
        "5m5",
    )

    def act(seed: int) -> None:
        draw = random.Random(seed)
        words = [word for _ in range(draw.choice((1, 2))) for word in (draw.choice(options), draw.choice(values))]
        ran = graft("plan", tmp_path / "t.csv", *words)
        assert ran.code in (0, 1, 2), words
        assert "Traceback" not in ran.err, words
        assert "not expected" not in ran.err, f"{words}: {ran.err}"
        assert "\x1b[31m" not in ran.err.replace("\x1b[31mUsage", ""), f"{words}: an escape reached the terminal"

    examine(act).holds()
