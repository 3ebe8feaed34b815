"""The page docs/compatibility.md: which techniques compose in pairs, and why the others are refused.

    PYTHONPATH=tests python -m conformance.compatibility [FOLDER]

FOLDER: where the suite wrote what became of every pair (GRAFTWORK_OUTCOMES); without it, each pair is planned, which
gives the same page as long as the suite passes: it asserts that whatever is not refused by its plan trains.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

from conformance.sampling import WORLDS, pairs_of, refusal
from conformance.table import BY_NAME, ROWS, techniques
from graftwork.core.plan import base_facts, check, order
from graftwork.errors import RefusedError
from tinyrun import Fixture, Worlds, make_worlds

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
Pair = tuple[str, str]
Found = Mapping[Pair, Mapping[str, str | None]]
"""By pair, in the table's order: by fixture in which both run alone, the reason of a refusal, or None."""
NETWORKS = {
    "transformer": "text, a Transformer",
    "rnn": "text, a bidirectional GRU",
    "cnn": "text, a CNN",
    "image": "images, a CNN",
    "audio": "sounds, a CNN on spectrograms",
    "mixed": "texts, images and a table (`table-mlp`) together",
    "normed": "images, a CNN with batch norm",
    "episodes": "text, a CNN with the task few-shot",
    "logs": "text, a CNN with the task bandit",
    "several": "text, a Transformer with three targets: classes, labels and a number",
    "wide": "text, images (batch norm), sounds and a table together, two targets of classes",
    "wide-episodes": "the same with the task few-shot and a number",
    "pictures": "images, a Transformer, with the task few-shot and a number",
}
COMPOSES, REFUSED, DEPENDS, APART = "o", "x", "~", "."


def every_pair() -> list[Pair]:
    return list(itertools.combinations((row.name for row in ROWS), 2))


def planned(fixtures: Worlds, looked_at: Collection[Pair] | None = None) -> Found:
    """What the plans say. looked_at: pairs that are planned in full; None for all. Of the others only what the facts
    and claims of both say, which takes no network."""
    found: dict[Pair, dict[str, str | None]] = {pair: {} for pair in every_pair()}
    for base in WORLDS:
        fixture = fixtures(base, "classes", True)
        facts = base_facts(fixture.network, fixture.tasks, _roles(fixture))
        for pair in pairs_of(base, fixtures):
            whole = looked_at is None or pair in looked_at
            found[pair][base] = _by_facts(pair, facts) or (refusal(pair, fixture) if whole else None)
    return found


def _roles(fixture: Fixture) -> list[str]:
    return ["rollouts", *(role for role in ("domain", "group") if getattr(fixture.train, role) is not None)]


def _by_facts(pair: Pair, facts: frozenset[str]) -> str | None:
    try:
        check(order(techniques(pair)), facts)
    except RefusedError as error:
        return str(error)
    return None


def recorded(folder: Path) -> Found:
    """What the suite wrote. Raises ValueError where it lacks a pair that the plans know."""
    found: dict[Pair, dict[str, str | None]] = {pair: {} for pair in every_pair()}
    for path in sorted(folder.glob("*.jsonl")):
        for line in filter(None, path.read_text(encoding="utf-8").splitlines()):
            base, first, second, reason = json.loads(line)
            found[first, second][base] = reason
    return found


def page(found: Found) -> str:
    """The page as Markdown."""
    signs = {pair: sign(each) for pair, each in found.items()}
    counts = {one: list(signs.values()).count(one) for one in (COMPOSES, REFUSED, DEPENDS, APART)}
    head = f"""# What composes with what

Every technique beside every other one: {len(found):,} pairs, of which {counts[COMPOSES]:,} compose,
{counts[REFUSED]:,} are refused before training and {counts[DEPENDS]:,} depend on the network; of {counts[APART]:,} one
needs what the other can't have (images alone and a second input, say), so that no run has both. This page is made by
the conformance suite from what plans answer. The suite trains the pairs that are not refused in every tiny network
where both run alone (a sample at each change, all of them in `make conformance`), and fails unless a pair gives the
same bits in another order and when it is stopped and resumed, every trainable parameter gets a gradient, and both
techniques are still at work.

| network | techniques that run in it, of the last three in pairs that no network before has |
|---|---|
{_networks(found)}

## The matrix

`{COMPOSES}` composes, `{REFUSED}` is refused, `{DEPENDS}` depends on the network, `{APART}` no run has both. A
column has the number of its technique.

```text
{_matrix(signs)}
```

## What is refused, and why
"""
    return "\n".join([head, *_refused(found, signs), *_depending(found, signs)])


def _network(base: str) -> str:
    return NETWORKS.get(base, f"the network `{base}`")


def sign(each: Mapping[str, str | None]) -> str:
    if not each:
        return APART
    refused = [reason is not None for reason in each.values()]
    return REFUSED if all(refused) else DEPENDS if any(refused) else COMPOSES


def _networks(found: Found) -> str:
    lines = []
    for base in WORLDS:
        names = {name for pair, each in found.items() if base in each for name in pair}
        lines.append(f"| {_network(base)} | {len(names)} |")
    return "\n".join(lines)


def _matrix(signs: Mapping[Pair, str]) -> str:
    names = [row.name for row in ROWS]
    width = max(map(len, names))
    tens, ones = ([f"{at // 10 or ' '}" for at in range(1, len(names))], [f"{at % 10}" for at in range(1, len(names))])
    lines = [f"{'':{width + 4}}{' '.join(digits)}" for digits in (tens, ones)]
    for at, name in enumerate(names, start=1):
        cells = " ".join(signs[other, name] for other in names[: at - 1])
        lines.append(f"{at:>2} {name:{width}} {cells}".rstrip())
    return "\n".join(lines)


def _refused(found: Found, signs: Mapping[Pair, str]) -> list[str]:
    """The refused pairs by their reason, in which A and B stand for the two."""
    by_reason: dict[str, list[Pair]] = defaultdict(list)
    for pair, each in found.items():
        if signs[pair] == REFUSED:
            by_reason[_lettered(next(filter(None, each.values())), pair)].append(pair)
    lines = []
    for reason in sorted(by_reason, key=lambda one: (-len(by_reason[one]), one)):
        pairs = by_reason[reason]
        lines += [f"**{reason}** {'' if len(pairs) == 1 else f'({len(pairs)} pairs)'}".rstrip(), "", _listed(pairs), ""]
    return lines or ["Nothing."]


def _lettered(reason: str, pair: Pair) -> str:
    """The reason with A and B in the place of the two names, so that pairs with one reason stand together."""
    order_in = sorted(pair, key=lambda name: _at(name, reason))
    for letter, name in zip("AB", order_in, strict=True):
        reason = re.sub(_word(name), letter, reason)
    return reason


def _word(name: str) -> str:
    return rf"(?<![\w-]){re.escape(name)}(?![\w-])"


def _at(name: str, reason: str) -> int:
    found = re.search(_word(name), reason)
    return found.start() if found else len(reason)


def _listed(pairs: list[Pair]) -> str:
    """`first` with `second`, `third`: each name that has most of the others stands once."""
    groups: dict[str, list[str]] = {}
    left = list(pairs)
    while left:
        count = [name for pair in left for name in pair]
        most = max(dict.fromkeys(count), key=count.count)
        groups[most] = [second if first == most else first for first, second in left if most in (first, second)]
        left = [pair for pair in left if most not in pair]
    return "\n".join(f"- `{name}` with {', '.join(f'`{one}`' for one in others)}" for name, others in groups.items())


def _depending(found: Found, signs: Mapping[Pair, str]) -> list[str]:
    lines = []
    for pair in (pair for pair, one in signs.items() if one == DEPENDS):
        refused = {base: reason for base, reason in found[pair].items() if reason is not None}
        where = "; ".join(_network(base) for base in refused)
        lines.append(f"- `{pair[0]}` with `{pair[1]}`: refused on {where}: {next(iter(refused.values()))}")
    return ["## What depends on the network", "", *lines, ""] if lines else []


def refused_in(text: str) -> set[Pair]:
    """The pairs that a page lists as refused, in the table's order."""
    at = {name: index for index, name in enumerate(BY_NAME)}
    pairs = set()
    for first, others in re.findall(r"^- `([\w-]+)` with (.*?)(?::|$)", text, re.MULTILINE):
        for second in re.findall(r"`([\w-]+)`", others):
            if {first, second} <= at.keys():
                pairs.add((first, second) if at[first] < at[second] else (second, first))
    return pairs


def fresh(fixtures: Worlds, text: str, sample: int, seed: int = 0) -> str:
    """The page as it should be, by the facts, and the plans of what `text` lists and of a sample."""
    drawn = random.Random(seed).sample(every_pair(), sample)
    return page(planned(fixtures, refused_in(text) | set(drawn)))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        fixtures = make_worlds(Path(folder))
        expected = planned(fixtures)
        found = recorded(Path(sys.argv[1])) if len(sys.argv) > 1 else expected
        if found != expected:
            lost = [pair for pair in expected if expected[pair] != found[pair]]
            sys.exit(f"What was trained is not what the plans say, of {len(lost)} pairs, such as {lost[:3]}.")
        PAGE.write_text(page(found).rstrip() + "\n", encoding="utf-8")
    print(f"wrote {PAGE}")  # noqa: T201


if __name__ == "__main__":
    main()
