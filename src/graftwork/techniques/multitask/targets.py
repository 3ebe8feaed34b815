"""The losses of several targets among the terms of a step; shared by the techniques that weigh them."""

from __future__ import annotations

from collections.abc import Iterable

from graftwork.core.technique import Terms
from graftwork.errors import RefusedError


def check_terms(technique: str, terms: Terms, targets: Iterable[str]) -> None:
    """Raise RefusedError unless each target's loss is a term of its own, under the target's name."""
    lacking = [target for target in targets if target not in terms]
    if lacking:
        raise RefusedError(
            f"{technique} needs the loss of each target as a term of its own, but another technique replaces that of "
            f"{', '.join(lacking)}. Drop {technique}, or the technique that replaces the loss."
        )
