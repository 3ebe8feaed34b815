"""Classify text with nothing chosen but a budget: the anytime default finds what suits the rows.

python examples/classify_text.py
"""

from pathlib import Path

import graftwork as gw

DATA = Path(__file__).parent / "data"


def main() -> None:
    model = gw.fit(DATA / "train.csv", target="label", test=DATA / "test.csv", budget=60)
    print(model.report.verdict())
    for warning in model.report.warnings:
        print(f"{warning.kind}: {warning.message}")

    questions = ["where is my kettle?", "I was billed twice", "the boots are too small, can I send them back?"]
    probabilities = model.predict_proba(questions)
    for text, label, row in zip(questions, model.predict(questions), probabilities, strict=True):
        print(f"{label} ({row.max():.0%}): {text}")

    model.report.write(model.save("runs/classify_text"))
    print("model and report: runs/classify_text/report.html")


if __name__ == "__main__":
    main()
