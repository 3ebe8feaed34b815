"""A policy that was learned: an observation in, an action out; and as a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from pathlib import Path

from graftwork.rl.policies.acting import Acting
from graftwork.rl.policies.files import read_policy, write_policy


@dataclass(frozen=True, eq=False)
class Policy(Acting):
    """What was learned in an environment; see `Acting` for its fields, and for `act`."""

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write it to a folder; replaces a policy that is there, and leaves all else in the folder. Returns the folder.

        Raises UsageError where the folder holds a policy.json of something else.
        """
        return write_policy(self, folder)


def load_policy(folder: str | os.PathLike[str]) -> Policy:
    """Read what `Policy.save` or `graft rl --out` wrote: offline, without pickle; needs neither gymnasium nor
    stable-baselines3.

    Raises ModelError for a folder that is missing, foreign, half copied, damaged or of a newer version.
    """
    found = read_policy(folder)
    return Policy(**{field.name: getattr(found, field.name) for field in fields(Acting)})
