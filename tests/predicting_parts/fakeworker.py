"""A worker of `Pool` that answers at once, without torch: what it does with a part is told with the part."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from graftwork.errors import DataError
from graftwork.predicting_parts.serving import Answer, Message, served

TOLD: dict[str, Any] = {}


def handle(message: Message, answer: Answer) -> dict[str, Any]:
    """do: "kill" once (until the file `mark` is there) or "kill always", "raise", "print", "sleep"; else the square."""
    if "part" not in message:
        TOLD.update(message)
        return {}
    number, do = message["part"], message.get("do", "")
    answer({"at": number, "rows": 1})
    if do == "kill always" or (do == "kill" and not Path(message["mark"]).exists()):
        if do == "kill":
            Path(message["mark"]).touch()
        sys.stderr.write("the last words of a worker")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "raise":
        raise DataError("row 3 is bad")
    if do == "print":
        print("a library that prints")  # noqa: T201
    if do == "sleep":
        time.sleep(600)
    return {"done": number, "square": number**2, "told": TOLD.get("word"), "pid": os.getpid()}


if __name__ == "__main__":
    if os.environ.get("FAKEWORKER") == "ends":
        sys.exit("it can't begin")
    served(handle)
