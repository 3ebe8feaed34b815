"""A process that computes what the networks of a saved model say of parts of a table: `python -m` this module."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.predicting_parts.serving import Answer, Message, now_and_then, served

if TYPE_CHECKING:
    from graftwork.data.table import Table
    from graftwork.saved import Saved


class PartWorker:
    """A loaded model, and the rows that it is to predict; both are told once."""

    def __init__(self) -> None:
        self._model: Saved | None = None
        self._table: Table | None = None
        self._features = False

    def handle(self, message: Message, answer: Answer) -> dict[str, Any]:
        """One of {"load": folder, "device"}, {"rows": `Rows`, "features"}, {"part": number, "start", "stop", "without",
        "path"}: without are numbers of rows in it that can't be read, path is where the part is written.
        """
        if "load" in message:
            index = int(os.environ.get("GRAFTWORK_WORKER", "0"))
            self._model = loaded(Path(message["load"]), message["device"], index)
            return {"loaded": True}
        if "rows" in message:
            from graftwork.predicting_parts.table_files import map_rows

            self._table, self._features = map_rows(message["rows"]), message["features"]
            return {"mapped": True}
        model, table = self._model, self._table
        if model is None or table is None:
            raise RuntimeError("A part was told before the model and the rows.")
        return predicted_part(model, table, self._features, message, answer)


def loaded(folder: Path, named: str, index: int) -> Saved:
    """The model on a device; of several GPUs each process takes another one. index: of the process."""
    import torch

    from graftwork import saving
    from graftwork.devices import AUTO, CUDA, chosen

    device = chosen() if named == AUTO else torch.device(named)
    if str(device) == CUDA and torch.cuda.device_count() > 1:
        device = torch.device(CUDA, index % torch.cuda.device_count())
    model = saving.load(folder)
    return replace(model, network=model.network.to(device))


def predicted_part(model: Saved, table: Table, features: bool, part: Message, answer: Answer) -> dict[str, Any]:
    """Compute and write a part; its number, its rows, and the seconds that it took."""
    import warnings

    import numpy as np

    from graftwork.predicting import kept_of
    from graftwork.predicting_parts.kept_files import write_kept

    began, number = time.monotonic(), part["part"]
    chunk = table.take(np.arange(part["start"], part["stop"]))
    good = chunk.take(np.flatnonzero(~np.isin(chunk.rows, part["without"])))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        watch = now_and_then(lambda done: answer({"at": number, "rows": done}))
        kept = kept_of(model, good, watch, features)
    texts = sorted({str(one.message) for one in said if issubclass(one.category, UserWarning)})
    write_kept(Path(part["path"]), kept, len(good), texts)
    return {"done": number, "rows": len(chunk), "seconds": time.monotonic() - began}


if __name__ == "__main__":
    served(PartWorker().handle)
