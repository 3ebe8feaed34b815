"""The documentation is true: links lead somewhere, commands parse and run, Python blocks run, made pages are fresh.

Blocks of one page run in order in a folder of their own, with a few rows of the sample data and a tiny random base in
the place of the embedded one. A block marked `no-run` is only compiled; commands in blocks without a language are only
parsed.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import graftwork
from graftwork.discovery.registry import Registry
from graftwork.networks.bases.architectures import ARCHITECTURES
from graftwork.networks.bases.registry import BASES
from graftwork.networks.heads.registry import HEADS
from graftwork.networks.text.bases import MiniLM
from graftwork.tasks.metrics.registry import METRICS
from graftwork.tasks.registry import TASKS
from graftwork.techniques import TECHNIQUES
from tiny import tiny_bert

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "examples" / "README.md"]
FENCE = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ROWS = 200


ADDED: tuple[tuple[Registry[Any], str], ...] = (
    (TECHNIQUES, "confidence-penalty"),
    (BASES, "hashed-words"),
    (ARCHITECTURES, "hashed-words"),
    (HEADS, "centroids"),
    (METRICS, "brier"),
    (TASKS, "counts"),
)
"""What the guides register by hand."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[tuple[str, str]]:
    """(language and marks, text) of each fenced block."""
    return FENCE.findall(page.read_text(encoding="utf-8"))


def commands(text: str) -> list[list[str]]:
    """The `graft` commands of a shell block, without comments."""
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("graft ")]


def all_commands() -> list[list[str]]:
    """Each one once, those apart that leave something out."""
    shells = [text for page in PAGES for language, text in blocks(page) if language in ("bash", "")]
    found = {tuple(words) for text in shells for words in commands(text) if not re.search(r"[…\[]", shlex.join(words))}
    return [list(words) for words in sorted(found)]


EVERYDAY = {"README.md", "reward.md", "task.md"}
"""Pages whose code every run runs; that of the others takes minutes together."""


def runnable() -> list[Any]:
    """Pages with code, less the generated ones and the translation, whose code is the same."""
    pages = [page for page in PAGES if any(kind in ("bash", "python") for kind, _ in blocks(page))]
    pages = [page for page in pages if page.parent.name != "reference" and page.name != "README.zh-CN.md"]
    return [pytest.param(page, marks=[] if page.name in EVERYDAY else [pytest.mark.slow]) for page in pages]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder as the pages assume it: tables, a recipe, a model; and a tiny base in the place of the embedded one."""
    folder = str(tiny_bert(tmp_path / "tiny"))
    monkeypatch.setattr(MiniLM, "folder", lambda _: folder)
    monkeypatch.chdir(tmp_path)
    train = (ROOT / "examples" / "data" / "train.csv").read_text(encoding="utf-8").splitlines()
    test = (ROOT / "examples" / "data" / "test.csv").read_text(encoding="utf-8").splitlines()
    write = {"train.csv": train[: ROWS + 1], "valid.csv": train[:1] + train[ROWS : ROWS + 60], "test.csv": test[:60]}
    for name, lines in {**write, "new.csv": test[:20]}.items():
        Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    for page in PAGES:
        for language, text in blocks(page):
            if language == "yaml":
                Path("recipe.yaml").write_text(text, encoding="utf-8")
    _more_tables()
    yield tmp_path
    for registry, name in ADDED:
        registry.pop(name, None)


def _more_tables() -> None:
    """The tables that docs/data.md speaks of."""
    import pandas as pd

    frame = pd.read_csv("train.csv")
    frame["id"] = [f"t-{row}" for row in range(len(frame))]
    frame["customer"] = [f"c-{row // 3}" for row in range(len(frame))]
    frame["importance"] = [1 + row % 3 for row in range(len(frame))]
    frame.to_csv("tickets.csv", index=False)
    frame["stars"] = frame.text.str.len() / 10
    pairs = pd.DataFrame({"premise": frame.text, "hypothesis": frame.text[::-1].tolist()})
    pairs.head(20).to_csv("new-pairs.csv", index=False)
    pairs.assign(label=["no" if row % 2 else "yes" for row in range(len(pairs))]).to_csv("pairs.csv", index=False)
    frame[["text", "stars"]].to_csv("reviews.csv", index=False)
    frame["topics"] = [sorted(set(pair)) for pair in zip(frame.label, frame.label[::-1], strict=True)]
    frame[["text", "topics"]].to_json("articles.jsonl", orient="records", lines=True)
    products = pd.DataFrame({"name": frame.text, "size": frame.text.str.len() % 9, "price": frame.stars + 0.25})
    products["gender"] = ["Men" if row % 3 else "Women" for row in range(len(products))]
    for name, columns in {"products": [], "test-products": [], "prices": ["gender"], "genders": ["price"]}.items():
        products.drop(columns=columns).to_csv(f"{name}.csv", index=False)
    products[["name", "size"]].head(20).to_csv("new-products.csv", index=False)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if not re.match(r"\w+:", target):
            path, _, anchor = target.partition("#")
            linked = (page.parent / path).resolve() if path else page
            assert linked.exists(), f"{target} leads nowhere"
            assert not anchor or anchor in _anchors(linked), f"{target}: {path} has no such heading"


def _anchors(page: Path) -> set[str]:
    """GitHub's anchors of the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_index() -> None:
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text(encoding="utf-8")
    pages = {page.relative_to(docs).as_posix() for page in docs.rglob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


@pytest.mark.usefixtures("workplace")
def test_commands_parse(subtests: pytest.Subtests) -> None:
    """Names of options, techniques and settings exist, whether or not the command can be run here."""
    import typer

    from graftwork.cli import main as cli

    group: Any = typer.main.get_command(cli.app)
    for words in all_commands():
        with subtests.test(shlex.join(words)):
            given = group.commands[words[0]].make_context(words[0], list(words[1:])).params
            if words[0] in ("fit", "plan"):
                names = ("recipe", "base", "task", "metric", "techniques", "settings", "seed")
                cli.recipe_of(*(given[name] for name in names))


@pytest.mark.parametrize("page", runnable(), ids=name_of)
@pytest.mark.usefixtures("workplace")
def test_page_runs(page: Path) -> None:
    """Each page by itself; the model that a page of other jobs starts from is made first."""
    names: dict[str, Any] = {"__name__": "page"}
    own = [words for language, text in blocks(page) if language == "bash" for words in commands(text)]
    if not any(words[0] == "fit" and "runs/intents" in words and "--resume" not in words for words in own):
        _graft(shlex.split("fit train.csv --target label --with probe --out runs/intents"))
    for language, text in blocks(page):
        if language.startswith("python"):
            code = compile(text, name_of(page), "exec", dont_inherit=True)
            if "no-run" not in language:
                exec(code, names)
        elif language == "bash":
            for words in commands(text):
                _graft(words)


def test_code_is_python_and_names_what_there_is() -> None:
    """Of all pages and examples, whether or not they are run."""
    texts = {
        f"{name_of(page)}, block {at}": text
        for page in PAGES
        if page.parent.name != "reference"  # signatures
        for at, (language, text) in enumerate(blocks(page))
        if language.startswith("python")
    }
    texts |= {name_of(file): file.read_text(encoding="utf-8") for file in (ROOT / "examples").glob("*.py")}
    missing = {}
    for place, text in texts.items():
        for node in ast.walk(ast.parse(text, place)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "gw":
                if not hasattr(graftwork, node.attr):
                    missing[f"{place}: gw.{node.attr}"] = node.lineno
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("graftwork"):
                module = importlib.import_module(node.module or "")
                missing |= {f"{place}: {one.name}": node.lineno for one in node.names if not hasattr(module, one.name)}
    assert missing == {}


def _graft(words: list[str]) -> None:
    from graftwork.cli.main import app

    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, f"graft {shlex.join(words)}: {result.exception!r}\n{result.output}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_page_is_plain(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert text.endswith("\n")
    assert text.count("\n```") % 2 == 0, "a block is not closed"


def test_both_readmes_show_the_same_commands() -> None:
    ours, theirs = (blocks(ROOT / name) for name in ("README.md", "README.zh-CN.md"))
    assert [_code(text) for _, text in ours] == [_code(text) for _, text in theirs]
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 80


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_readme_names_every_technique(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    assert [name for name in TECHNIQUES if f"`{name}`" not in text] == []


def _code(text: str) -> list[str]:
    return [line.partition("#")[0].rstrip() for line in text.splitlines()]


def test_generated_pages_are_fresh() -> None:
    script = ROOT / "docs" / "make_reference.py"
    spec = importlib.util.spec_from_file_location("make_reference", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stale = [
        path
        for path, text in module.pages().items()
        if not (ROOT / "docs" / path).is_file() or (ROOT / "docs" / path).read_text(encoding="utf-8") != text
    ]
    assert not stale, f"{', '.join(map(str, stale))} fell behind the docstrings: run `make docs`"
