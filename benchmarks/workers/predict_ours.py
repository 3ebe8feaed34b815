"""`graft predict` as a call: a saved model and a csv in, a csv out; imports are done before.

Settings: model (folder), table, out (files), precision (none: as saved; fp32).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

from graftwork.deploy.predict import predict_file
from harness import data
from harness.clock import Clock
from harness.measure import settings_and_answer


def main() -> None:
    settings, answer = settings_and_answer()
    model, table, out = Path(settings["model"]), Path(settings["table"]), Path(settings["out"])
    with tempfile.TemporaryDirectory() as folder:
        if settings["precision"] is not None:
            model = shutil.copytree(model, Path(folder) / "model")
            manifest = json.loads((model / "model.json").read_text(encoding="utf-8"))
            assert "precision" in manifest, "model.json says nothing of its precision any more"
            (model / "model.json").write_text(json.dumps(manifest | {"precision": settings["precision"]}))
        few = data.write(Path(folder) / "few.csv", data.read(table)[:16])
        predict_file(model, few, Path(folder) / "few-out.csv")
        clock = Clock()
        rows, unreadable = predict_file(model, table, out)
        spent = clock.read()
    answer.write_text(json.dumps({**spent, "rows": rows, "unreadable": unreadable}))


if __name__ == "__main__":
    main()
