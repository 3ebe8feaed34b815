"""Pairs of texts in one sequence: does this sentence hold the answer to the question (XQuAD)? Joined, and as two inputs
that are fused, on a tuned and on a frozen MiniLM."""

from __future__ import annotations

import json
import random
import re
import tempfile
from functools import partial
from pathlib import Path

from harness import data, options
from harness.measure import graft
from harness.options import OURS, Options
from harness.results import Record, Results
from harness.text import mean_and_spread, table

NAME, SEEDS = "pairs", 2
ROWS = {"train": 900, "validation": 200, "test": 500}
TUNED = ("partial:blocks=3",)
CASES = {
    "two inputs, concatenation": ((), TUNED),
    "two inputs, fusion-transformer": ((), (*TUNED, "fusion-transformer")),
    "joined": (("--join", "question+sentence"), TUNED),
    "two inputs, concatenation, probe": ((), ("probe",)),
    "joined, probe": (("--join", "question+sentence"), ("probe",)),
}
"""Options of the data, and techniques."""
_SENTENCE = re.compile(r"[^.!?]+(?:[.!?](?!\s|$)[^.!?]*)*[.!?]?\s*")
_SHORT = 20
"""Characters of what is no sentence."""


def main() -> None:
    given = options.parse(__doc__, SEEDS)
    results = Results(NAME, given)
    for seed in range(given.seeds):
        for case in CASES:
            results.measure(case, seed, OURS, partial(measure, given, case, seed))
    print(section(results.records()))


def pairs(part: str, most: int) -> list[data.Row]:
    """Each question with the sentence that holds its answer, and with another one of the paragraph."""
    draw, rows = random.Random(0), list[data.Row]()
    for line in data.table("xquad_en", part).read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        context, at = asked["context"], asked["answers"]["answer_start"][0]
        spans = [found.span() for found in _SENTENCE.finditer(context)]
        right = [context[start:end].strip() for start, end in spans if start <= at < end]
        wrong = [context[s:e].strip() for s, e in spans if not s <= at < e and e - s > _SHORT]
        if right and wrong:
            both = ((right[0], "yes"), (draw.choice(wrong), "no"))
            rows += [{"question": asked["question"], "sentence": text, "label": label} for text, label in both]
    return rows[:most]


def measure(given: Options, case: str, seed: int) -> Record:
    """`graft fit` from csv to saved model, then its accuracy on the test rows."""
    joined, techniques = CASES[case]
    with tempfile.TemporaryDirectory(prefix="graftwork-bench-") as folder:
        sizes = {part: 40 if given.quick else most for part, most in ROWS.items()}
        parts = {part: data.write(Path(folder) / f"{part}.csv", pairs(part, most)) for part, most in sizes.items()}
        out, chosen = Path(folder) / "model", [word for one in techniques for word in ("--with", one)]
        settings = [] if "probe" in techniques else ["--set", "epochs=4", "--set", "lr=3e-4", "--set", "evaluations=4"]
        arguments = ["--target", "label", *joined, *chosen, *settings, "--valid", parts["validation"]]
        spent = graft("fit", parts["train"], "--base", "minilm", *arguments, "--seed", str(seed), "--out", out)
        scores = json.loads(graft("evaluate", out, parts["test"], "--json").output)
    return {"cpu": spent.cpu, "wall": spent.wall, "accuracy": scores["accuracy"]["value"]}


def section(records: list[Record]) -> str:
    """The table of docs/fusion.md."""
    if not records:
        return "Not measured yet."
    made = []
    for case in dict.fromkeys(record["name"] for record in records):
        runs = [record for record in records if record["name"] == case]
        accuracy = mean_and_spread([run["accuracy"] for run in runs], 100)
        made.append([case, accuracy, mean_and_spread([run["cpu"] for run in runs], digits=0), str(len(runs))])
    return table(["inputs", "test accuracy, %", "CPU s", "seeds"], made)


if __name__ == "__main__":
    main()
