"""What reaches the driver from one of its workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Heard(NamedTuple):
    """What one worker said, or that it is gone. message: None then. number: of its connection, counted from 0."""

    number: int
    message: Mapping[str, Any] | None
