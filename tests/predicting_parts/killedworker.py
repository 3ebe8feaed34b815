"""The worker of predictions, which is killed in the part that KILLEDWORKER names."""

from __future__ import annotations

import os
import signal
from typing import Any

from graftwork.predicting_parts.serving import Answer, Message, served
from graftwork.predicting_parts.worker import PartWorker

if __name__ == "__main__":
    worker = PartWorker()

    def handle(message: Message, answer: Answer) -> dict[str, Any]:
        if str(message.get("part")) == os.environ.get("KILLEDWORKER"):
            os.kill(os.getpid(), signal.SIGKILL)
        return worker.handle(message, answer)

    served(handle)
