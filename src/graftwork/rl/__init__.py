"""Acting in an environment: policies that learn by reward, with the project's bases as what they see with.

`graftwork.rl(...)` is `graftwork.rl.rl.rl(...)`: a room and the function that it is named for share a name, so the room
can be called.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graftwork.rl.rl import Learned


class _Room(ModuleType):
    """This package, as something that can be called."""

    def __call__(self, *arguments: Any, **settings: Any) -> Learned:
        """See `graftwork.rl.rl.rl`."""
        from graftwork.rl.rl import rl

        return rl(*arguments, **settings)


sys.modules[__name__].__class__ = _Room
