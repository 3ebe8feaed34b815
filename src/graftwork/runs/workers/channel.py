"""How the workers of one machine and their driver hear of each other: a socket of the file system, in a folder that
only this user may enter. A line is a JSON object. Where one end goes, the other one knows at once."""

from __future__ import annotations

import json
import os
import queue
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graftwork.runs.workers.heard import Heard

STOP = {"do": "stop"}
"""What the driver tells worker 0 where its user has stopped the run."""
END = {"do": "end"}
"""What it tells all once it has what it wanted."""
_LONGEST = 1 << 22
"""Bytes of a line, at most."""


@dataclass
class DriverEnd:
    """The driver's end: hears all workers, in `heard`, and can talk to each."""

    path: Path
    heard: queue.Queue[Heard] = field(default_factory=queue.Queue)
    connections: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listening.bind(str(self.path))
        os.chmod(self.path, 0o600)
        self._listening.listen(128)
        threading.Thread(target=self._accept, name="graftwork workers", daemon=True).start()

    def tell(self, number: int, message: Mapping[str, Any]) -> None:
        """One worker; one that is gone hears nothing."""
        with suppress(OSError):
            self.connections[number].sendall(_line(message))

    def close(self) -> None:
        """Workers that are still there end themselves."""
        for number in range(len(self.connections)):
            self.tell(number, END)
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:  # closed
                return
            number = len(self.connections)
            self.connections.append(connection)
            hear = lambda message, number=number: self.heard.put(Heard(number, message))
            threading.Thread(target=_listen, args=(connection, hear), daemon=True).start()


class WorkerEnd:
    """A worker's end. told: what to call with each message of the driver; None once the driver is gone."""

    def __init__(self, path: Path, told: Callable[[Mapping[str, Any] | None], None]) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._lock = threading.Lock()
        threading.Thread(target=_listen, args=(self._socket, told), name="graftwork driver", daemon=True).start()

    def tell(self, message: Mapping[str, Any]) -> None:
        """The driver; where it is gone, `told` has heard so."""
        with suppress(OSError), self._lock:
            self._socket.sendall(_line(message))


def _line(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


def _listen(connection: socket.socket, told: Callable[[Mapping[str, Any] | None], None]) -> None:
    """Hand on every line, and None behind the last one."""
    with suppress(OSError, ValueError), connection.makefile("rb") as file:
        while line := file.readline(_LONGEST):
            told(json.loads(line))
    connection.close()
    told(None)
