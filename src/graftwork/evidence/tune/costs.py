"""What a model needs to serve, in words: time for a row, bytes, parameters."""

from __future__ import annotations

import math

from graftwork.evidence.tune.trials import Limits, Trial


def latency_text(seconds: float) -> str:
    """Seconds for one row.

    >>> latency_text(0.00423), latency_text(0.0000512), latency_text(2.5), latency_text(0.0)
    ('4.2 ms', '0.051 ms', '2,500 ms', 'not measured')
    """
    return f"{_two_digits(1000 * seconds)} ms" if seconds > 0 else "not measured"


def size_text(size: int) -> str:
    """Bytes of weights.

    >>> size_text(90_868_224), size_text(1_234_567), size_text(64_000), size_text(2_300_000_000), size_text(0)
    ('91 MB', '1.2 MB', '0.064 MB', '2,300 MB', 'not measured')
    """
    return f"{_two_digits(size / 1e6)} MB" if size > 0 else "not measured"


def parameters_text(count: int) -> str:
    """Parameters of the network that predicts.

    >>> parameters_text(22_712_345), parameters_text(1_900_000), parameters_text(770), parameters_text(0)
    ('23 million', '1.9 million', '770', 'not counted')
    """
    if count <= 0:
        return "not counted"
    return f"{_two_digits(count / 1e6)} million" if count >= 1_000_000 else f"{count:,}"


def costs_text(trial: Trial) -> str:
    """All three, those that are known.

    >>> costs_text(Trial(0, "", "default", "finished", {}, latency=0.0042, size=90_868_224))
    '4.2 ms a row, 91 MB'
    """
    told = [f"{latency_text(trial.latency)} a row"] if trial.latency > 0 else []
    told += [size_text(trial.size)] if trial.size > 0 else []
    told += [f"{parameters_text(trial.parameters)} parameters"] if trial.parameters > 0 else []
    return ", ".join(told) or "not measured"


def limits_text(limits: Limits) -> str:
    """The limits that are set; empty where none is."""
    told = [f"at most {latency_text(limits.latency)} a row"] if limits.latency is not None else []
    told += [f"at most {size_text(limits.size)}"] if limits.size is not None else []
    return ", ".join(told)


def needed_text(trial: Trial, limits: Limits) -> str:
    """The options with which this trial would keep the limits, rounded up.

    >>> needed_text(Trial(0, "", "default", "finished", {}, latency=0.0072, size=90_868_224), Limits(0.005, 20_000_000))
    '--latency 7.2ms --size 91MB'
    """
    slow = limits.latency is not None and trial.latency > limits.latency
    large = limits.size is not None and trial.size > limits.size
    return options_text(trial, latency=slow, size=large)


def options_text(trial: Trial, *, latency: bool = True, size: bool = True) -> str:
    """The limits that it just keeps, as options."""
    told = [f"--latency {_up(1000 * trial.latency)}ms"] if latency and trial.latency > 0 else []
    told += [f"--size {_up(trial.size / 1e6)}MB"] if size and trial.size > 0 else []
    return " ".join(told)


def _up(value: float) -> str:
    """Rounded up to two digits.

    >>> _up(90.868224), _up(7.2), _up(1234.0), _up(0.0512)
    ('91', '7.2', '1300', '0.052')
    """
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return f"{math.ceil(value / step - 1e-9) * step:.10g}"


def _two_digits(value: float) -> str:
    digits = max(1 - math.floor(math.log10(value)), 0) if value else 0
    return f"{value:,.0f}" if value >= 100 else f"{value:.{digits}f}"
