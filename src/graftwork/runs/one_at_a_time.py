"""One fit at a time in a process: random weights and dropout draw from torch's one stream of random numbers.

Two threads that draw in turn would make models that no seed repeats. Prediction draws nothing and never waits.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Made = TypeVar("Made")
_LOCK = threading.RLock()
"""A fit that calls another one, as a search or a sequence does, goes on in the same thread."""


def one_at_a_time(make: Callable[Given, Made]) -> Callable[Given, Made]:
    """`make`, which waits while another thread of this process is in any function marked so."""

    @functools.wraps(make)
    def alone(*given: Given.args, **named: Given.kwargs) -> Made:
        with _LOCK:
            return make(*given, **named)

    return alone
