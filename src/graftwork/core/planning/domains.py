"""Whether the domain column of a run can do what its techniques need it for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from graftwork.core.technique import Technique
from graftwork.errors import RefusedError

LEAST = 2
"""Rows of a domain below which nothing can be compared with others."""


def domain_notes(techniques: Sequence[Technique], domain: np.ndarray | None, names: Sequence[str]) -> list[str]:
    """What a plan should say of domains with a single training row. domain: of each row (N,), -1 for none.

    Raises RefusedError where a technique needs domains and there are not two of at least two rows.
    """
    needing = [technique.name for technique in techniques if "domain" in technique.needs]
    if domain is None or not needing:
        return []
    sizes = np.bincount(domain[domain >= 0], minlength=len(names)).tolist()
    held = {name: size for name, size in zip(names, sizes, strict=True) if size}
    if sum(size >= LEAST for size in held.values()) < 2:
        found = ", ".join(f"'{name}' ({size:,})" for name, size in list(held.items())[:5])
        raise RefusedError(
            f"{needing[0]} needs two domains of at least {LEAST} training rows, and the domain column has "
            f"{found + (', …' if len(held) > 5 else '') if held else 'no value'}. Expected a column that few values "
            f"share (--role domain=COLUMN), or rows from elsewhere (--unlabelled TABLE). Drop {needing[0]} otherwise."
        )
    single = [f"'{name}'" for name, size in held.items() if size < LEAST]
    if not single:
        return []
    listed = ", ".join(single[:5]) + (", …" if len(single) > 5 else "")
    return [
        f"one training row of the {'domain' if len(single) == 1 else 'domains'} {listed}: {', '.join(needing)} can't "
        "learn from it what a domain is. Join it with another domain, or leave the row out"
    ]
