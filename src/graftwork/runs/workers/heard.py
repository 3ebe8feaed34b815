"""What reaches the driver from one of its workers, and how long they wait for each other to say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

FIRST = 3.0
"""Seconds that worker 0 has to tell of an error first, which others may have met too."""
GRACE = 10.0
"""Seconds that a worker which failed of another one's end waits to be ended and started again with all."""


class Heard(NamedTuple):
    """What one worker said, or that it is gone. message: None then. number: of its connection, counted from 0."""

    number: int
    message: Mapping[str, Any] | None
