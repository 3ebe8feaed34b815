"""How long the command line takes to answer: `graft --help`, and `graft predict` of one sentence against the import of
torch and of the tokenizer and model classes. CPU seconds of whole processes, in turns."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from harness import data, options
from harness.measure import Spent, graft, run
from harness.options import OURS
from harness.results import Record, Results
from harness.text import Claim, claims, table

NAME, TURNS = "startup", 7
HELP, PREDICT, IMPORT = "graft --help", "graft predict, one sentence", "import of torch and the classes"
CLASSES = "import torch; from transformers import BertModel, BertTokenizerFast"


def main() -> None:
    given = options.parse(__doc__, TURNS)
    results = Results(NAME, given)
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as name:
        folder = Path(name)
        parts = data.tables("banking77", folder)
        one = data.write(folder / "one.csv", [{"text": "where is my card?"}])
        model = folder / "model"
        arguments = ["--target", "label", "--valid", parts["validation"], "--with", "probe", "--out", model]
        graft("fit", parts["train"], *arguments)
        cases: dict[str, tuple[str, Callable[[], Spent]]] = {
            HELP: (OURS, partial(graft, "--help")),
            IMPORT: ("transformers", partial(run, [sys.executable, "-c", CLASSES])),
            PREDICT: (OURS, partial(graft, "predict", model, one, "--out", folder / "out.csv")),
        }
        for _, case in cases.values():
            case()  # compiles the modules and brings the files into memory
        for turn in range(given.seeds):
            for label, (package, case) in cases.items():
                results.measure(label, turn, package, partial(measure, case))
    print(section(results.records()))


def measure(case: Callable[[], Spent]) -> Record:
    spent = case()
    return {"cpu": spent.cpu, "wall": spent.wall}


def section(records: list[Record]) -> str:
    """This benchmark's part of docs/benchmarks.md."""
    by = {label: [record for record in records if record["name"] == label] for label in (HELP, IMPORT, PREDICT)}
    if not all(by.values()):
        return "Not measured yet."
    cpu = {label: float(np.median([run["cpu"] for run in runs])) for label, runs in by.items()}
    ratio = cpu[PREDICT] / cpu[IMPORT]
    promises = [
        Claim("`graft --help` within 0.4 s of CPU time", f"{cpu[HELP]:.2f} s", cpu[HELP] <= 0.4),
        Claim("`graft predict` of one sentence within 1.5 times the import", f"{ratio:.2f} times", ratio <= 1.5),
    ]
    made = [
        [label, f"{cpu[label]:.2f}", f"{np.median([run['wall'] for run in runs]):.2f}", str(len(runs))]
        for label, runs in by.items()
    ]
    told = f"The import is `{CLASSES}`. Medians."
    return "\n\n".join([claims(promises), told, table(["what", "CPU s", "wall s", "times"], made)])


if __name__ == "__main__":
    main()
