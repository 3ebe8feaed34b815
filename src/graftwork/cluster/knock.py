"""A script: asks the head of a Ray cluster, first without a token, whether it is there and lets just anyone in.

A process of its own, because Ray reads once whether a process has a token, and asks for minutes where nobody answers.
It writes "knocking" when it begins to ask, and then one word: "open" (no token was asked for), "welcome" (one was, and
the one of the environment is right), "refused" (it is not, or there is none), or "silent".
"""

from __future__ import annotations

import os
import sys

KNOCKING, OPEN, WELCOME, REFUSED, SILENT = "knocking", "open", "welcome", "refused", "silent"
_MODE = "RAY_AUTH_MODE"


def main(address: str) -> str:
    """The word for this address, `host:port`."""
    os.environ[_MODE] = "disabled"
    from ray._raylet import AuthenticationTokenLoader, Config

    _tell(KNOCKING)
    without = _asked(address)
    if without != REFUSED:
        return without
    os.environ[_MODE] = "token"
    Config.initialize("")
    if not AuthenticationTokenLoader.instance().has_token(ignore_auth_mode=True):
        return REFUSED
    return WELCOME if _asked(address) == OPEN else REFUSED


def _asked(address: str) -> str:
    from ray._raylet import GcsClient
    from ray.exceptions import AuthenticationError

    try:
        GcsClient(address=address).check_alive([], timeout=5)
    except AuthenticationError:
        return REFUSED
    except Exception:
        return SILENT
    return OPEN


def _tell(word: str) -> None:
    """Into the pipe of the process that asked; no user sees it."""
    os.write(1, word.encode() + b"\n")


if __name__ == "__main__":
    _tell(main(sys.argv[1]))
