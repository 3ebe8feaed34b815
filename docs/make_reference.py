"""Write what comes from the code: docs/techniques.md, docs/reference/, the lists of techniques in both READMEs, and the
stub by which type checkers know the names of `graftwork`.

    make docs

A test compares these with what this script would write, so that they can't fall behind the code.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from enum import IntEnum
from pathlib import Path
from typing import Any

import graftwork as gw
from graftwork import specs
from graftwork.core.contract.facts import CLAIMS, FACTS
from graftwork.core.technique import Technique
from graftwork.networks.bases.registry import BASES
from graftwork.networks.heads.registry import HEADS
from graftwork.spaces import spaces_of
from graftwork.tasks.metrics.registry import METRICS
from graftwork.tasks.registry import TASKS
from graftwork.techniques import TECHNIQUES

FOLDER = Path(__file__).parent
NOTE = "<!-- Made from the docstrings by docs/make_reference.py. Change those, then run `make docs`. -->\n"

MEASURED = FOLDER.parent / "benchmarks" / "results" / "techniques.md"
MEASURED_NOTE = (
    "Each line is the same run with and without the technique, paired by seed, on test rows; the interval is Student's "
    "t over the seeds, so few give a wide one. A seed counts once: where each domain is left out in turn, or pairs are "
    "merged, by its mean over them. Written by `python benchmarks/techniques.py`; what was run exactly stands in "
    "[benchmarks](benchmarks.md)."
)

READMES = {"README.md": ("| to | techniques |", ", "), "README.zh-CN.md": ("| 目的 | 技术 |", "、")}
"""By README, the head of its table of techniques, and what stands between two of them."""

JOBS: dict[tuple[str, ...], tuple[str, str]] = {
    ("transfer",): ("choose what is trained", "决定训练哪些参数"),
    ("fusion",): ("[fuse columns](docs/fusion.md)", "[融合多列](docs/fusion.md)"),
    ("labels",): ("learn from few, noisy or uneven labels", "标签少、有噪声或不均衡"),
    ("augment",): (
        "[augment](docs/augment.md) images, sounds, texts",
        "图像、声音和文本的[数据增强](docs/augment.md)",
    ),
    ("adversarial", "domain"): (
        "hold [under attack](docs/robustness.md); in [another domain](docs/domains.md)",
        "[抗攻击](docs/robustness.md)；[跨领域](docs/domains.md)",
    ),
    ("multitask", "metric"): (
        "balance [several targets](docs/targets.md); tell classes and [identities](docs/verification.md) apart",
        "平衡[多个目标](docs/targets.md)；区分类别和[身份](docs/verification.md)",
    ),
    ("distil", "meta"): (
        "[learn from a teacher](docs/distillation.md), or oneself; [classes never seen](docs/few-shot.md)",
        "[向教师模型](docs/distillation.md)或自己学习；[从未见过的类别](docs/few-shot.md)",
    ),
    ("optimize", "weights", "continual"): (
        "steer the optimisation; average weights; [forget less](docs/forgetting.md)",
        "改进优化过程；平均权重；[减少遗忘](docs/forgetting.md)",
    ),
    ("reward",): (
        "climb a [reward](docs/reward.md); learn from [logged choices](docs/bandit.md) and [rollouts](docs/offline.md)",
        "以[奖励](docs/reward.md)为目标；从[日志中的选择](docs/bandit.md)和[轨迹](docs/offline.md)学习",
    ),
}
"""By folders of techniques, what they are for, in English and Chinese; a line of the table each."""

CONTRACT = {
    "graftwork.core.technique": (
        "Technique",
        "Graft",
        "Setup",
        "TeacherOutputs",
        "Term",
        "LossOutput",
        "Phase",
        "Multiplier",
        "Cost",
        "Aim",
    ),
    "graftwork.data.batch": ("Batch", "Hidden"),
    "graftwork.networks.network": ("Network", "Forward", "Output"),
    "graftwork.networks.encoder": ("Encoder",),
    "graftwork.tasks.task": ("Task",),
}
HANDED_OUT = {
    "graftwork.uses.nearest": ("Searcher",),
    "graftwork.uses.index": ("Index", "Hit"),
    "graftwork.uses.verification": ("Verifier", "Verdict", "Identified"),
    "graftwork.uses.few_shot": ("ClassLearner",),
    "graftwork.evidence.evaluation": ("Evaluation",),
    "graftwork.evidence.scores.intervals": ("Score",),
    "graftwork.evidence.details": ("ClassDetails", "LabelDetails", "NumberDetails", "SearchDetails", "EpisodeDetails"),
    "graftwork.evidence.scores.verification": ("Verification",),
}
"""What a model hands out, and what that gives."""
ERRORS = "graftwork.errors"


def pages() -> dict[Path, str]:
    """Every generated file: its path from docs/, and its text."""
    return {
        Path("techniques.md"): techniques_page(),
        Path("reference/python.md"): python_page(),
        Path("reference/cli.md"): cli_page(),
        Path("reference/settings.md"): settings_page(),
        Path("reference/contract.md"): contract_page(),
        Path("../src/graftwork/__init__.pyi"): stub(),
        **{Path("..", name): with_table(name) for name in READMES},
    }


def stub() -> str:
    """What type checkers read of `graftwork`, whose names are found when they are used."""
    found = {name: gw.__getattr__(name) for name in gw.__all__}
    homes = {name: "graftwork" if inspect.ismodule(one) else one.__module__ for name, one in found.items()}
    imports = [
        f"from {home} import {name} as {name}" for name, home in sorted(homes.items(), key=lambda item: item[::-1])
    ]
    listed = "".join(f'    "{name}",\n' for name in gw.__all__)
    note = "# Made by docs/make_reference.py: run `make docs`.\n"
    return "\n".join([note, *imports, "", "__version__: str", f"__all__ = [\n{listed}]\n"])


def with_table(readme: str) -> str:
    """A README with its table of techniques, from its head to the next blank line, as it should be."""
    head, comma = READMES[readme]
    before, _, rest = (FOLDER.parent / readme).read_text("utf-8").partition(f"{head}\n")
    _, end, after = rest.partition("\n\n")
    rows = [f"| {job} | {'; '.join(map(comma.join, names))} |" for job, names in jobs(list(READMES).index(readme))]
    return before + "\n".join([head, "|---|---|", *rows]) + end + after


def jobs(language: int) -> list[tuple[str, list[list[str]]]]:
    """What techniques are for, with their names by folder; a folder that nobody described is its own description."""
    names: dict[str, list[str]] = {}
    for cls in TECHNIQUES.own.values():
        names.setdefault(cls.__module__.split(".")[2], []).append(f"`{cls.name}`")
    described = [(told[language], folders) for folders, told in JOBS.items()]
    others = [(folder, (folder,)) for folder in names if not any(folder in folders for folders in JOBS)]
    return [(told, [names[folder] for folder in folders]) for told, folders in (*described, *others)]


def techniques_page() -> str:
    """Every technique: what it does, when it helps and when not, settings, source; and how they fit together."""
    lines = [
        "# Techniques",
        NOTE,
        "A technique grafts one thing onto a run. Name as many as you like: `--with lora:rank=16 --with ema` on the "
        "command line, `techniques=[gw.LoRA(rank=16), gw.EMA()]` in Python. Their order in the list does not matter; "
        "what can't run together is refused with a reason before anything is trained. `--with none` is the plain "
        "training loop, and no `--with` at all is [the anytime default](default.md). "
        "[Write your own](extending/technique.md) in one file.",
        "",
        "| technique | in Python | what it does | phase | decides | needs | takes away | workers |",
        "|---|---|---|---|---|---|---|---|",
    ]
    ordered = sorted(TECHNIQUES.own.values(), key=lambda cls: (cls.phase, cls.name))
    for cls in ordered:
        made = example(cls)
        cells = [
            f"[`{cls.name}`](#{cls.name})",
            f"`gw.{cls.__name__}`",
            cls.summary,
            _words(cls.phase),
            ", ".join(CLAIMS[claim] for claim in sorted(made.claims)),
            ", ".join(sorted(made.needs)),
            ", ".join(sorted(made.drops)),
            "one" if made.one_worker else "several",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "Two techniques that decide the same thing exclude each other. What the needs mean:", ""]
    lines += [f"- **{name}**: {text}" for name, text in FACTS.items() if any(name in example(c).needs for c in ordered)]
    if MEASURED.is_file():
        lines += ["", "## What they brought on real data", "", MEASURED_NOTE, "", MEASURED.read_text("utf-8").strip()]
    for cls in ordered:
        module = sys.modules[cls.__module__]
        lines += ["", f"## {cls.name}", "", f"`gw.{cls.__name__}{_defaults(cls)}`", ""]
        lines += [markdown(module.__doc__), "", markdown(cls.__doc__, _fields(cls))]
        shared = [base for base in cls.__mro__[1:] if issubclass(base, Technique) and base is not Technique]
        lines += [part for base in shared for part in ("", markdown(base.__doc__, _fields(cls)))]
        lines += searched(cls)
        if example(cls).couples_rows:
            lines += ["", "It compares the rows of a batch: its loss depends on how rows are batched."]
        if example(cls).one_worker:
            lines += ["", f"It runs with one worker only (`--workers`): it {example(cls).one_worker}."]
        if example(cls).whole_weights:
            lines += ["", f"Not with [`sharded`](workers.md#a-base-in-parts): it {example(cls).whole_weights}."]
    return _page(lines)


def searched(cls: type) -> list[str]:
    """Where `graft tune` searches settings, as lines."""
    told = [f"`{name}` from {space}" for name, space in spaces_of(cls).items()]
    return ["", f"Searched by `graft tune`: {'; '.join(told)}."] if told else []


def example(cls: type[Technique]) -> Technique:
    """The technique at its defaults; a setting without one (the teacher of a distillation) has its own name."""
    required = [
        f.name for f in dataclasses.fields(cls) if f.init and f.default is f.default_factory is dataclasses.MISSING
    ]
    return cls(**{name: name for name in required})


def python_page() -> str:
    """The names of `graftwork`, the techniques apart."""
    lines = ["# Python", NOTE, "`import graftwork as gw`. Techniques have [a page of their own](../techniques.md).", ""]
    own = [name for name in gw.__all__ if not _is_a(gw.__getattr__(name), Technique, Exception)]
    for name in sorted(own, key=str.lower):
        one = gw.__getattr__(name)  # a room may have taken the name of a function (rl)
        if inspect.ismodule(one):
            parts = [entry(getattr(one, part), f"gw.{name}.{part}") for part in one.__all__]
            lines += [f"## gw.{name}", "", markdown(one.__doc__), "", *(line for part in parts for line in part)]
        else:
            lines += entry(one, f"gw.{name}")
    for module, names in HANDED_OUT.items():
        for name in names:
            lines += entry(getattr(importlib.import_module(module), name), name)
    lines += ["## Errors", "", f"All are in `{ERRORS}` and derive from `GraftworkError`.", ""]
    for cls in _own_classes(importlib.import_module(ERRORS)):
        base = cls.__mro__[1].__name__
        lines.append(f"- **{cls.__name__}** ({base}, exit code {cls.exit_code}): {markdown(cls.__doc__)}")
    return _page(lines)


def cli_page() -> str:
    """Every command of `graft` with its options, from the command line's own definitions."""
    import typer

    from graftwork.cli.main import app

    group: Any = typer.main.get_command(app)
    commands = dict(_commands(group, "graft"))
    lines = ["# Command line", NOTE, f"{group.help} `graft --help` and `graft fit --help` print the same.", ""]
    lines += ["Exit codes: 0 fine, 1 failed, 2 wrong use, 130 stopped by Ctrl-C. `--debug` shows tracebacks.", ""]
    for name, command in commands.items():
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option"]
        usage = " ".join([p.name.upper() for p in arguments])
        lines += [f"## {name}", "", f"`{f'{name} {usage}'.rstrip()}{' [options]' if options else ''}`", ""]
        lines += [inspect.cleandoc(command.help or ""), ""]
        lines += ["| | |", "|---|---|"] if arguments or options else []
        lines += [f"| `{p.name.upper()}` | {p.help} |" for p in arguments]
        lines += [f"| `{', '.join(p.opts)}` | {_option(p)} |" for p in options]
        lines.append("")
    return _page(lines)


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each command by what is typed for it; a group stands before the commands in it."""
    for name, command in group.commands.items():
        yield f"{path} {name}", command
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")


def settings_page() -> str:
    """Bases, heads, tasks and metrics with their settings."""
    lines = ["# Bases, heads, tasks, metrics", NOTE, "Settings are written `name:key=value,key=value`.", "", "## Bases"]
    lines += ["", "What they are for stands in [Bases](../bases.md).", ""]
    for name, base in BASES.own.items():
        lines += [f"### base {name}", "", f"`{name}:{_short(base)}`", "", f"{base.summary}.", ""]
        inherited = next((c.__doc__ for c in base.__mro__[1:] if c.__doc__ and c.__name__.endswith("Settings")), "")
        lines += [markdown(base.__doc__, _fields(base)), "", markdown(inherited, _fields(base)), *searched(base), ""]
    lines += ["## Heads", ""]
    for name, head in HEADS.own.items():
        doc = markdown(head.__doc__, _fields(head))
        lines += [f"### head {name}", "", f"`{name}:{_short(head)}`", "", doc, *searched(head), ""]
    lines += ["## Tasks", ""]
    for name, task in TASKS.own.items():
        metrics = ", ".join(f"`{metric}`" for metric in task.metric_names)
        lines += [f"### task {name}", "", markdown(task.__doc__, _fields(task)), ""]
        lines += [f"Metrics, the first chooses the model: {metrics}.", ""]
    lines += ["## Metrics", "", "| metric | called | better |", "|---|---|---|"]
    lines += [f"| `{n}` | {m.display} | {'higher' if m.higher_is_better else 'lower'} |" for n, m in METRICS.items()]
    return _page(lines)


def contract_page() -> str:
    """What a technique, an encoder and a task must be, for those who write one."""
    lines = [
        "# The contract",
        NOTE,
        "For those who [extend graftwork](../extending.md); `graftwork.extend` has these names.",
        "",
    ]
    for module, names in CONTRACT.items():
        lines += [f"`{module}`", ""]
        for name in names:
            lines += entry(getattr(importlib.import_module(module), name), name)
    lines += ["## Facts", "", "What `needs`, `gives` and `drops` may name.", ""]
    lines += [f"- `{name}`: {text}" for name, text in FACTS.items()]
    lines += ["", "## Claims", "", "What `claims` may name: things a run has one of.", ""]
    lines += [f"- `{name}`: {text}" for name, text in CLAIMS.items()]
    return _page(lines)


def _short(cls: type) -> str:
    """All settings as they are written behind a name."""
    return specs.describe_settings(cls).replace(", ", ",")


def entry(thing: Any, name: str) -> list[str]:
    """A heading, the signature, the docstring; for a class its public methods too."""
    lines = [f"## {name}", ""]
    if _is_a(thing, IntEnum):
        members = ", ".join(f"`{member.name}`" for member in thing)
        return [*lines, markdown(thing.__doc__), "", f"In this order: {members}.", ""]
    if not inspect.isclass(thing) or "__init__" in vars(thing) or issubclass(thing, tuple):
        lines += ["```python", _signature(thing, name), "```", ""]
    lines += [markdown(thing.__doc__, _fields(thing)), ""]
    if inspect.isclass(thing):
        for method, member in _methods(thing):
            call = method if isinstance(member, property) else f"{method}{_parameters(_function(member))}"
            doc = member.fget.__doc__ if isinstance(member, property) else _function(member).__doc__
            lines += [f"**`.{call}`**", "", markdown(doc, _fields(_function(member))), ""]
    return lines


def markdown(doc: str | None, names: Iterable[str] = ()) -> str:
    """A docstring as Markdown: doctests in a code block; `name: text` as a list where `name` is one of `names`.

    >>> markdown("Say it.\\n\\nlow, high: bounds. step: of the\\n    walk.", ["low", "high", "step"]).splitlines()
    ['Say it.', '', '- **low, high**: bounds.', '- **step**: of the walk.']
    """
    blocks = []
    for block in inspect.cleandoc(doc or "").split("\n\n"):
        if block.lstrip().startswith(">>>"):
            blocks.append(f"```pycon\n{inspect.cleandoc(block)}\n```")
        elif block.startswith("    "):
            blocks.append(f"```python\n{inspect.cleandoc(block)}\n```")
        else:
            blocks.append(_listed(" ".join(line.strip() for line in block.splitlines()), list(names)))
    return "\n\n".join(blocks)


def _listed(text: str, names: list[str]) -> str:
    if not names:
        return text
    one = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    parts = re.split(rf"(?:^|(?<=[.;)]) )((?:{one})(?:, (?:{one}))*): ", text)
    items = [f"- **{name}**: {said.strip()}" for name, said in zip(parts[1::2], parts[2::2], strict=True)]
    before = [parts[0].strip(), ""] if parts[0].strip() and items else []
    return "\n".join([*before, *items]) if items else text


def _signature(thing: Any, name: str) -> str:
    parameters = _parameters(thing)
    if len(name) + len(parameters) <= 100:
        return f"{name}{parameters}"
    signature = _bare(thing)
    lines = [f"    {parameter}," for parameter in _split_parameters(signature)]
    result = f" -> {signature.return_annotation}" if signature.return_annotation is not signature.empty else ""
    return "\n".join([f"{name}(", *lines, f"){result}"])


def _defaults(cls: type) -> str:
    """`(rank=8, targets='all-linear')`"""
    fields = inspect.signature(cls).parameters.values()
    shown = (one.name if one.default is one.empty else f"{one.name}={one.default!r}" for one in fields)
    return f"({', '.join(shown)})"


def _split_parameters(signature: inspect.Signature) -> list[str]:
    parts, starred = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        parts.append(_plain(str(parameter)))
    return parts


def _parameters(thing: Any) -> str:
    return _plain(str(_bare(thing)))


def _bare(thing: Any) -> inspect.Signature:
    """The signature without `self`, and for a class without its return."""
    signature = inspect.signature(thing)
    kept = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
    nothing = inspect.Signature.empty if inspect.isclass(thing) else _unquoted(signature.return_annotation)
    kept = [p.replace(annotation=_unquoted(p.annotation)) for p in kept]
    return signature.replace(parameters=kept, return_annotation=nothing)


class _Text:
    """An annotation that is shown as it was written."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


def _unquoted(annotation: Any) -> Any:
    return _Text(annotation) if isinstance(annotation, str) else annotation


def _plain(text: str) -> str:
    """Without addresses and factories, which say nothing to a reader and change from run to run."""
    return re.sub(r"<factory>", "...", re.sub(r" at 0x[0-9a-f]+", "", text))


PARTS = ("graftwork.sure",)
"""Files with a part of a public class, whose methods are shown as its own."""


def _methods(cls: type) -> list[tuple[str, Any]]:
    parts = [cls, *(base for base in cls.__bases__ if base.__module__ in PARTS)]
    members = [member for part in parts for member in vars(part).items()]
    return [(name, m) for name, m in members if not name.startswith("_") and _documented(m)]


def _documented(member: Any) -> bool:
    function = member.fget if isinstance(member, property) else _function(member)
    return bool(function and function.__doc__)


def _function(member: Any) -> Any:
    plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
    return plain if inspect.isfunction(plain) else None


def _fields(thing: Any) -> list[str]:
    if dataclasses.is_dataclass(thing):
        return [field.name for field in dataclasses.fields(thing)]
    return list(inspect.signature(thing).parameters) if inspect.isfunction(thing) else []


def _own_classes(module: Any) -> list[Any]:
    return [m for m in vars(module).values() if inspect.isclass(m) and m.__module__ == module.__name__]


def _is_a(thing: Any, *classes: type) -> bool:
    return inspect.isclass(thing) and issubclass(thing, classes)


def _option(option: Any) -> str:
    default = option.default
    return f"{option.help} (default: {default})" if isinstance(default, str) and default else str(option.help or "")


def _words(phase: IntEnum) -> str:
    return phase.name.lower().replace("_", " ")


def _page(lines: list[str]) -> str:
    text = "\n".join(lines).strip() + "\n"
    return re.sub(r"\n{3,}", "\n\n", text)


def main() -> None:
    for path, text in pages().items():
        (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (FOLDER / path).write_text(text, encoding="utf-8")
        print(f"{(FOLDER / path).resolve().relative_to(FOLDER.parent)}: {len(text.splitlines())} lines")


if __name__ == "__main__":
    main()
