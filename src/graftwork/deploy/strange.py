"""What `graft predict` says of unusual rows: a column that tells how unusual each is, and a label for those that are
none of the classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from graftwork.deploy.predicted_columns import with_added

if TYPE_CHECKING:
    from graftwork.core.judging.predicted import Predicted
    from graftwork.evidence.strange.other import Other
    from graftwork.model import Model

UNUSUAL = "unusual"


@dataclass(frozen=True)
class Strange:
    """unusual: add the column. other: the label of rows that are too unusual, and from where on."""

    unusual: bool = False
    other: Other | None = None

    def check(self, model: Model) -> None:
        """Raise UsageError where the model can't tell, or has no classes to be none of."""
        from graftwork.evidence.strange.reference import known_reference

        if self.unusual or self.other is not None:
            reference = known_reference(model.reference, model.folder)
            if self.other is not None:
                self.other.target_among(model.tasks)
                self.other.check(reference.most)

    def with_unusual(self, table: pa.Table, predicted: Predicted) -> pa.Table:
        """The table with the column, if it is wanted; empty where a row could not be read."""
        if not self.unusual or predicted.unusual is None:
            return table
        values = np.round(predicted.unusual, 6)
        return with_added(table, {UNUSUAL: pa.array(values, mask=np.isnan(values))})


NOT_ASKED = Strange()
