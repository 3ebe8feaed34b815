"""The other end of `Pool`: a process that reads lines of JSON, does what they say, and answers in lines of JSON."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

EVERY = 1.0
"""Seconds between two lines that say how far a part is."""
Message = Mapping[str, Any]
Answer = Callable[[Message], None]


def served(handle: Callable[[Message, Answer], dict[str, Any]]) -> None:
    """Answer each message with what `handle` gives, which may answer before; until the input ends, which ends it all.

    An error is answered, too: {"failed": …}.
    """
    answer = _own_output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    messages: queue.Queue[Message] = queue.Queue()
    threading.Thread(target=_read, args=(messages,), daemon=True).start()
    while True:
        message = messages.get()
        try:
            answer(handle(message, answer))
        except Exception as error:
            answer({"failed": {"kind": type(error).__name__, "text": str(error)}})


def now_and_then(tell: Callable[[int], None]) -> Callable[[int, int], None]:
    """A watch that tells how many rows are done, at most once a second."""
    last = time.monotonic()

    def watch(done: int, total: int) -> None:
        nonlocal last
        if done < total and time.monotonic() - last >= EVERY:
            last = time.monotonic()
            tell(done)

    return watch


def _own_output() -> Answer:
    """Answers go where the output went; what libraries print goes to the errors."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(message: Message) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    return answer


def _read(messages: queue.Queue[Message]) -> None:
    for line in sys.stdin.buffer:
        messages.put(json.loads(line))
    os._exit(0)  # whoever started this process has ended: so does it, whatever it is about
