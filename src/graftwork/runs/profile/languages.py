"""Which languages the texts of a table are in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from graftwork.data.table import Table
from graftwork.evidence.profile.finding import Finding
from graftwork.evidence.words import part, quoted
from graftwork.runs.job.language import language_of

LOOKED_AT, LONGEST = 2000, 2000
"""Texts of a column whose language is told, and characters of each."""
_TOLD, _FEWEST = 0.02, 3
"""Share and number of the texts that tell theirs from which a language is named."""
_MIXED = 0.05
"""Share in other languages than the most frequent one from which a base for several is called for."""


def languages(table: Table) -> Iterator[Finding]:
    """A finding for each column of texts that tells its languages."""
    at = np.unique(np.linspace(0, len(table) - 1, min(LOOKED_AT, len(table))).astype(np.int64))
    for column in table.schema.inputs:
        if column.kind != "text":
            continue
        texts = [str(text)[:LONGEST] for text in table.take(at).values(column.name) if text]
        counts = Counter(language_of(text) for text in texts)
        silent = counts.pop("", 0)
        known = counts.total()
        if known < _FEWEST:
            continue
        named = [(name, count) for name, count in counts.most_common() if count >= max(_FEWEST, _TOLD * known)]
        listed = ", ".join(f"{name} in {part(count, known)}" for name, count in named)
        said = [f"{quoted(column.name)}: {listed} texts that tell their language ({known:,} of {len(texts):,})."]
        numbers = {"column": column.name, "languages": dict(counts.most_common()), "not told": silent}
        if sum(count for _, count in named[1:]) > _MIXED * known:
            said.append("A multilingual base reads them all: --base multilingual-e5-small.")
        yield Finding("languages", tuple(said), numbers)
