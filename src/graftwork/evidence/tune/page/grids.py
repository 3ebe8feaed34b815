"""The tables of a tune's page: trials, costs of serving, what techniques brought, what scores differ by, bases."""

from __future__ import annotations

from graftwork.evidence.page.tables import Grid, Value
from graftwork.evidence.tune.base_name import base_name
from graftwork.evidence.tune.brought import Brought
from graftwork.evidence.tune.costs import latency_text, parameters_text, size_text
from graftwork.evidence.tune.live import state_text
from graftwork.evidence.tune.next_steps import cheaper
from graftwork.evidence.tune.outcome import Outcome
from graftwork.evidence.tune.trials import Origin, Trial
from graftwork.evidence.words import duration, line
from graftwork.shown import counted

_NAME, _SETTINGS, _WHY = 80, 160, 200
"""Signs of a name, of a trial's settings, and of why it failed."""
_ORIGINS: dict[Origin, str] = {
    "default": "what fit tries",
    "base": "another base",
    "searched": "searched",
    "combined": "combined",
}


def trials_grid(found: Outcome) -> Grid:
    """All trials, the best score first, those without one last."""
    order = sorted(found.trials, key=lambda one: (one.score is None, -(one.score or 0.0), one.number))
    head = ("Trial", "What", found.scale.display, "Kept one better by", "Processor time", "Came from", "State")
    rows = tuple(
        (
            Value(str(one.number), one.number),
            Value(line(one.name, _NAME), small=_settings(one)),
            _score(one, found),
            _gap(one, found),
            Value(duration(one.seconds) if one.seconds else "", one.seconds),
            Value(_ORIGINS[one.origin]),
            Value(state_text(one), small=line(one.failed, _WHY)),
        )
        for one in order
    )
    kept = frozenset(at for at, one in enumerate(order) if one.number == found.chosen.number)
    return Grid("All trials", head, rows, frozenset({0, 2, 3, 4}), kept)


def costs_grid(found: Outcome) -> Grid:
    """What serving the kept one takes, beside the default, the runner-up and a cheaper one."""
    roles: dict[int, list[str]] = {found.chosen.number: ["kept"]}
    less = cheaper(found)
    others = (
        (found.chosen.default, "the best that fit would have tried"),
        (found.chosen.best, "best score"),
        (found.chosen.runner_up, "runner-up"),
        (less.number if less else None, "cheaper, on the front"),
    )
    for number, role in others:
        if number is not None and (number != found.chosen.number or role == "the best that fit would have tried"):
            roles.setdefault(number, []).append(role)
    rows = []
    for number, names in roles.items():
        one = found.trial(number)
        rows.append(
            (
                Value(line(one.name, _NAME), small=f"trial {number}: {', '.join(names)}"),
                _score(one, found),
                Value(latency_text(one.latency), one.latency),
                Value(size_text(one.size), one.size),
                Value(parameters_text(one.parameters), one.parameters),
            )
        )
    head = ("", found.scale.display, "Time for a row", "Weights", "Parameters")
    numbers = frozenset({1, 2, 3, 4})
    return Grid("What it costs to serve, measured on this machine", head, tuple(rows), numbers, frozenset({0}))


def brought_grid(found: Outcome) -> Grid | None:
    """What each technique brought; None where none was tried."""
    if not found.brought:
        return None
    rows = tuple(
        (Value(line(one.name, _NAME)), _gain(one, found), Value(_basis(one)), Value(f"{one.trials:,}", one.trials))
        for one in found.brought
    )
    head = ("", f"Brings ({found.scale.what})", "Told by", "Trials with it")
    return Grid("What each technique brought", head, rows, frozenset({1, 3}))


def importance_grid(found: Outcome) -> Grid | None:
    """By what the scores of the trials differ; None where it was not computed."""
    shares = {name: share for name, share in found.about.importance.items() if share > 0.005}
    total = sum(shares.values())
    if not total:
        return None
    rows = tuple(
        (Value(line(name, _NAME)), Value(f"{100 * share / total:.0f} %", share / total, share=share / total))
        for name, share in sorted(shares.items(), key=lambda item: (-item[1], item[0]))
    )
    return Grid("What good trials have in common", ("Setting", "Share"), rows, frozenset({1}))


def bases_grid(found: Outcome) -> Grid | None:
    """The best score by base, beside what was foretold without training (LogME); None of a single base."""
    best: dict[str, Trial] = {}
    transfer = {base_name(base): value for base, value in found.about.transfer.items()}
    for one in found.trials:
        if one.base and one.score is not None and one.origin != "combined":
            name = base_name(one.base)
            known = best.get(name)
            if known is None or known.score is None or one.score > known.score:
                best[name] = one
    names = list(dict.fromkeys([*sorted(best, key=lambda name: -(best[name].score or 0.0)), *transfer]))
    if len(names) < 2:
        return None
    rows = []
    for name in names:
        foretold, top = transfer.get(name), best.get(name)
        rows.append(
            (
                Value(line(name, _NAME), small=line(top.name, _NAME) if top else "no trial came to a score"),
                _score(top, found) if top else Value(),
                Value("" if foretold is None else f"{foretold:.3f}", foretold),
            )
        )
    head = ("Base", f"Best {found.scale.display}", "LogME")
    return Grid("The bases that were tried", head, tuple(rows), frozenset({1, 2}))


def _settings(one: Trial) -> str:
    if one.members:
        shares = ", ".join(f"{number} ({share:.0%})" for number, share in one.members.items())
        return line(f"of trials {shares}", _SETTINGS)
    told = [*one.techniques, *(f"{name}={_number(value)}" for name, value in one.params.items())]
    return line(", ".join(told), _SETTINGS)


def _number(value: object) -> object:
    return f"{value:.3g}" if isinstance(value, float) else value


def _score(one: Trial, found: Outcome) -> Value:
    if one.score is None:
        return Value()
    return Value(found.scale.score(one.score), one.score, small="on the front" if one.number in found.front else "")


def _gap(one: Trial, found: Outcome) -> Value:
    gap = found.gaps.get(one.number)
    if gap is None:
        return Value()
    return Value(found.scale.number(gap.value), gap.value, small=found.scale.interval(gap.low, gap.high))


def _gain(one: Brought, found: Outcome) -> Value:
    if one.gain is None:
        return Value("not known")
    interval = one.interval
    small = "" if interval is None else found.scale.interval(interval.low, interval.high)
    return Value(found.scale.number(one.gain), one.gain, small=small)


def _basis(one: Brought) -> str:
    if one.basis == "never apart":
        return "too few trials with it or without it"
    if one.basis == "all differs":
        return "means of the searched trials with it and without it, at their first score; all else differs too"
    pairs = counted(one.pairs, "pair")
    if one.basis == "pairs":
        return f"{pairs} of trials that differ in it alone; better in {one.helped:,}"
    return f"{pairs} of trials whose other settings differ too; better in {one.helped:,}"
