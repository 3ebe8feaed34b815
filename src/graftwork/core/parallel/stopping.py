"""Ctrl-C under several workers: noted by each, so that all stop at the same step, wherever each of them was."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def noted(signals: list[int]) -> Iterator[None]:
    """Inside, a first SIGINT is put into `signals`. A thread other than the main one can't hear it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(number: int, _: FrameType | None) -> None:
        if signals:
            raise KeyboardInterrupt
        signals.append(number)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
