"""What to do next with a run: gains that were measured, each with its command, and rows of a pool to label first.

Customer messages, of which a few hundred are labelled, some of them wrongly, and the others wait for a label.
"""

from pathlib import Path

import pandas as pd

import graftwork as gw

DATA = Path(__file__).parent / "data" / "train.csv"


def main() -> None:
    messages = pd.read_csv(DATA)
    messages[:400].to_csv("labelled.csv", index=False)
    messages[400:].drop(columns="label").to_csv("pool.csv", index=False)
    gw.fit("labelled.csv", target="label", recipe=gw.Recipe(base="minilm", techniques=[gw.Probe()]), out="runs/advised")
    advice = gw.advise("runs/advised", unlabelled="pool.csv", label=10, out="to-label.csv")
    for number, one in enumerate(advice.items, 1):
        print(f"{number}. {one.text}\n   {advice.gain_text(one)}\n   {one.command}")
    for note in advice.notes:
        print(f"looked at: {note}")
    print("to label first:")
    print(pd.read_csv("to-label.csv").head().to_string(index=False))


if __name__ == "__main__":
    main()
