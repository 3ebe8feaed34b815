"""The choice among the trials of a tune: how often it is noise sold as a win, what being careful costs, and whether the
score that is foretold for new rows is right.

Simulated, so that the truth is known: the default is right on 80 % of the judged rows, and others answer some of those
rows anew. Four rules choose: the best score; the plainest within one standard error of it, each compared by itself; the
plainest of all that chance among so many can't tell from it (Hansen 2005); and what Graftwork does, for which the
default stands unless another is better by more than chance among so many. Foretold: the score of the chosen one less
its optimism (Tsamardinos et al. 2018).

Useless: 30 trials, nothing is better than the default, 28 have a technique that does nothing. Copy: a third of 30 is on
a noisy copy of the base, 1 point worse. Default is good: it is 2 points better than 10 plainer probes, and 18 trials
have a useless technique beside it. Found: 18 trials are 3 points better, 8 of them with a useless technique as well.
Smaller: 14 trials are on a base of a quarter of the size, 3 points worse.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from graftwork.evidence.scores.intervals import percentiles
from graftwork.evidence.tune.optimism import best, by_rule, optimism
from graftwork.evidence.tune.resampled import Judged, Resampled, resampled
from graftwork.evidence.tune.rule import best_place, keep
from graftwork.evidence.tune.superior import ERROR, alike
from graftwork.evidence.tune.trials import Origin, Trial
from graftwork.tasks.metrics.metric import Metric, mean_of_rows
from harness import options
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, TUNES, DRAWS = "choices", 300, 300
ROWS = (150, 500, 2000)
RIGHT = 0.80
OURS_RULE = "Graftwork"
ACCURACY = Metric("accuracy", lambda truth, given: mean_of_rows(truth == given), "choices", True, "Accuracy")


class Kind(NamedTuple):
    """A trial: who proposed it, on which base of what size, with how many techniques; how much better it is than the
    default's probe in truth, and which share of the rows it answers anew. bad: whether keeping it is the mistake."""

    origin: Origin
    base: str
    size: int
    techniques: int
    gain: float
    anew: float
    bad: bool = False


def kinds(
    origin: Origin = "searched", base: str = "plain", techniques: int = 0, gain: float = 0.0, bad: bool = False
) -> Kind:
    """On a base of 22 million parameters; what is better answers more rows anew."""
    size = 5_000_000 if base == "tiny" else 22_000_000
    return Kind(origin, base, size, techniques, gain, 0.4 if abs(gain) > 0.02 else 0.3 if gain else 0.2, bad)


PROBE = kinds("default")
SCENES = {
    "useless": [PROBE, kinds("default", techniques=1), *[kinds(techniques=2, bad=True)] * 28],
    "copy": [PROBE, *[kinds(techniques=1)] * 19, *[kinds(base="copy", techniques=1, gain=-0.01, bad=True)] * 10],
    "default is good": [
        PROBE,
        kinds("default", techniques=1, gain=0.02),
        *[kinds()] * 10,
        *[kinds(techniques=2, gain=0.02, bad=True)] * 18,
    ],
    "found": [
        PROBE,
        kinds("default", techniques=1),
        *[kinds(techniques=1)] * 10,
        *[kinds(techniques=2, gain=0.03)] * 10,
        *[kinds(techniques=3, gain=0.03, bad=True)] * 8,
    ],
    "smaller": [
        PROBE,
        kinds("default", techniques=1, gain=0.01),
        *[kinds(base="tiny", techniques=1, gain=-0.03, bad=True)] * 14,
        *[kinds(techniques=1, gain=0.01)] * 14,
    ],
}


def main() -> None:
    given = options.parse(__doc__)
    results, tunes = Results(NAME, given), 5 if given.quick else TUNES
    for rows in ROWS:
        for scene in SCENES:
            results.measure(f"{scene}, {rows} rows", 0, OURS, partial(chosen, tunes, rows, scene))
        for few in (5, 30):
            results.measure(f"foretold, {rows} rows, {few} trials", 0, OURS, partial(foretold, tunes, rows, few))
    print(section(results.records()))


def tune(seed: int, rows: int, scene: list[Kind]) -> tuple[Resampled, list[Trial], np.ndarray]:
    """A tune's trials, their scores on draws, and how often each is right in truth (T,)."""
    draw = np.random.default_rng(seed)
    plain = draw.random(rows) < RIGHT
    given = {0: plain.astype(int)}
    for at, one in enumerate(scene[1:], 1):
        anew = draw.random(rows) < one.anew
        given[at] = np.where(anew, draw.random(rows) < RIGHT + one.gain / one.anew, plain).astype(int)
    scored = resampled([Judged(ACCURACY, np.ones(rows, int), given)], rows, resamples=DRAWS, seed=seed)
    made = [
        Trial(
            at,
            f"trial {at}",
            one.origin,
            "finished",
            {},
            base=one.base,
            techniques=("technique",) * one.techniques,
            rungs=((1, float(scored.values[at])),),
            parameters=one.size,
        )
        for at, one in enumerate(scene)
    ]
    return scored, made, np.array([RIGHT + one.gain for one in scene])


def best_score(scored: Resampled, trials: list[Trial]) -> int:
    return best_place(trials, scored.values)


def one_error(scored: Resampled, trials: list[Trial]) -> int:
    top = best_place(trials, scored.values)
    near = scored.values[top] - scored.values <= scored.bounds.errors[top]
    return min(np.flatnonzero(near).tolist(), key=lambda at: trials[at].plainness)


def among_many(scored: Resampled, trials: list[Trial]) -> int:
    same = np.flatnonzero(alike(scored.values, scored.bounds)).tolist()
    return min(same, key=lambda at: trials[at].plainness)


def ours(scored: Resampled, trials: list[Trial]) -> int:
    return keep(trials, scored.values, scored.bounds).place


RULES: dict[str, Callable[[Resampled, list[Trial]], int]] = {
    "best score": best_score,
    "one standard error": one_error,
    "among so many": among_many,
    OURS_RULE: ours,
}


def chosen(tunes: int, rows: int, scene: str) -> Record:
    """By rule, in how many tunes what it keeps is the mistake of the scene, and how much better that is in truth than
    the default's probe, on average."""
    wrong, gain = dict.fromkeys(RULES, 0), dict.fromkeys(RULES, 0.0)
    for seed in range(tunes):
        scored, made, truth = tune(seed, rows, SCENES[scene])
        for name, rule in RULES.items():
            at = rule(scored, made)
            wrong[name] += SCENES[scene][at].bad
            gain[name] += float(truth[at] - RIGHT) / tunes
    return {"tunes": tunes, "wrong": wrong, "gain": gain}


def foretold(tunes: int, rows: int, trials: int) -> Record:
    """Of useless trials, by the best score and by our rule: optimism in truth and by estimate, and in which share of
    tunes the 95 % interval of the score holds the truth, as it is and as it is foretold."""
    record: Record = {"tunes": tunes}
    for name in ("best score", OURS_RULE):
        sums = np.zeros(4)
        for seed in range(10_000, 10_000 + tunes):
            scored, made, truth = tune(seed, rows, SCENES["useless"][:trials])
            select = best if name == "best score" else by_rule(scored, made)
            at, estimate = select(scored.values), optimism(scored, select)
            assert estimate is not None
            low, high = percentiles(float(scored.values[at]), scored.drawn[:, at], 0.95)
            luck, held = float(scored.values[at] - truth[at]), estimate.expected
            sums += [luck, estimate.optimism, low <= truth[at] <= high, held.low <= truth[at] <= held.high]
        record[name] = dict(zip(("true", "estimate", "plain", "foretold"), (sums / tunes).tolist(), strict=True))
    return record


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    if not records:
        return "Not measured yet."
    by_name = {record["name"]: record for record in records}
    cells = [(scene, rows, by_name.get(f"{scene}, {rows} rows")) for scene in SCENES for rows in ROWS]
    lucky = [
        [f"{rule}, {rows} rows, {few} trials", *_foretold(by_name.get(f"foretold, {rows} rows, {few} trials"), rule)]
        for rule in ("best score", OURS_RULE)
        for rows in ROWS
        for few in (5, 30)
    ]
    head = ["points; in % the tunes whose interval holds the truth", "optimism", "estimate", "plain", "foretold"]
    return "\n\n".join(
        [
            claims(kept(by_name)),
            table(
                ["the mistake is kept in % of tunes; true gain over the default's probe in points", *RULES],
                [[f"{scene}, {rows} rows", *_rules(record)] for scene, rows, record in cells],
            ),
            table(head, lucky),
        ]
    )


def kept(by_name: dict[str, Record]) -> list[Claim]:
    """What is promised: three standard errors of so many tunes are allowed for."""
    most = ERROR + 3 * (ERROR * (1 - ERROR) / TUNES) ** 0.5
    told = []
    for scene, what in (("useless", "a useless technique"), ("copy", "a noisy copy of a base")):
        found = [by_name.get(f"{scene}, {rows} rows") for rows in ROWS]
        shares = [one["wrong"][OURS_RULE] / one["tunes"] for one in found if one]
        worst, whole = max(shares, default=0.0), len(shares) == len(ROWS)
        promise = f"{what} is kept in at most {ERROR:.0%} of tunes, {most:.0%} with the chance of {TUNES} of them"
        told.append(Claim(promise, f"{worst:.1%}", _met(whole, worst <= most)))
    cells = [one for name, one in by_name.items() if name.startswith("foretold,")]
    whole, parts = len(cells) == 2 * len(ROWS), [one[rule] for one in cells for rule in ("best score", OURS_RULE)]
    apart = max((abs(one["true"] - one["estimate"]) for one in parts), default=0.0)
    promise = "the optimism is estimated to one point, on average over tunes"
    told.append(Claim(promise, f"{100 * apart:.2f} points off at the most", _met(whole, apart <= 0.01)))
    least = min((one["foretold"] for one in parts), default=0.0)
    promise = "the interval that is foretold for new rows holds the truth in 90 % of tunes"
    return [*told, Claim(promise, f"{least:.1%} at the least", _met(whole, least >= 0.9))]


def _met(measured: bool, holds: bool) -> bool | None:
    return holds if measured else None


def _rules(record: Record | None) -> list[str]:
    if record is None:
        return ["not measured"] * len(RULES)
    return [f"{100 * record['wrong'][rule] / record['tunes']:.0f}; {100 * record['gain'][rule]:+.1f}" for rule in RULES]


def _foretold(record: Record | None, rule: str) -> list[str]:
    if record is None:
        return ["not measured"] * 4
    one = record[rule]
    points = [f"{100 * one[name]:+.2f}" for name in ("true", "estimate")]
    return [*points, *(f"{100 * one[name]:.0f}" for name in ("plain", "foretold"))]


if __name__ == "__main__":
    main()
