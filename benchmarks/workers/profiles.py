"""A profile of a table, twice: the first call computes the features of the base, the second finds them in the cache.

Settings: train, test (files), base. The answer holds the CPU seconds of both calls (imports apart), those of a call
without features, and how many of the planted rows (`planted`: by finding, their numbers) were named.
"""

from __future__ import annotations

import json
from typing import Any

from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    import graftwork as gw

    settings, answer = settings_and_answer()
    toy = [
        {"text": f"this is number {at} of {label}", "size": at, "label": label} for at in range(30) for label in "ab"
    ]
    gw.profile(toy, base=settings["base"], verbose=False)  # what is imported does not count

    def timed(**options: Any) -> tuple[float, gw.Profile]:
        clock = Clock()
        found = gw.profile(settings["train"], test=settings["test"], base=settings["base"], verbose=False, **options)
        return clock.read()["cpu"], found

    plain, _ = timed(features=False)
    cold, _ = timed()
    warm, found = timed()
    named = {
        about: len(set(rows) & {note.row for note in found.rows(about)}) / len(rows)
        for about, rows in settings["planted"].items()
    }
    answer.write_text(json.dumps({"cpu": warm, "with features": cold, "without features": plain, "named": named}))


if __name__ == "__main__":
    main()
