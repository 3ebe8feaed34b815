"""What a pass over the rows costs with one column and with two.

Settings: train (file), photo (the base for photos), columns (to read), rows, trained (whether everything is trained, or
only computed once). Answer: `cpu`, seconds of the pass alone.
"""

from __future__ import annotations

import json
import time

import numpy as np
import pyarrow.parquet as pq

from graftwork import Probe, Recipe, Training
from graftwork.core.fit import fit
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.job import make_job
from graftwork.runs.listener import Listener
from graftwork.runs.single.run import _make_run
from harness.measure import settings_and_answer
from workers.fashion import TARGET, reads


def main() -> None:
    settings, answer = settings_and_answer()
    table = pq.read_table(settings["train"])
    kept = np.random.default_rng(0).permutation(len(table))[: settings["rows"]]
    rows = table.take(kept).select([*settings["columns"], TARGET])
    bases = {"text": "minilm", "image": settings["photo"]}
    base = {use: name for use, name in bases.items() if reads(use, settings["columns"])}
    training = Training(epochs=1.0, precision="fp32", evaluations=1)
    recipe = Recipe(base=base, techniques=() if settings["trained"] else (Probe(),), training=training)
    job = make_job(DataArguments(train=rows.to_pandas(), target=TARGET, on_bad_rows="skip"), recipe)
    spent = time.process_time()
    run = _make_run(job, recipe, started=True, listener=Listener())
    if settings["trained"]:
        spent = time.process_time()
        fit(run)
    answer.write_text(json.dumps({"cpu": time.process_time() - spent}))


if __name__ == "__main__":
    main()
