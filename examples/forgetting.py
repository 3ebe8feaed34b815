"""A model of the topics of messages is tuned for another task: what it forgets, and what helps against that."""

import tempfile
from pathlib import Path

import pandas as pd

import graftwork as gw

DATA = Path(__file__).parent / "data"
TRAINING = gw.Training(epochs=3, lr=1e-4)


def by_size(rows: pd.DataFrame) -> pd.DataFrame:
    """A new task on the same kind of texts."""
    return pd.DataFrame({"text": rows.text, "size": ["long" if len(text) > 50 else "short" for text in rows.text]})


def main() -> None:
    rows, test = pd.read_csv(DATA / "train.csv"), pd.read_csv(DATA / "test.csv")
    with tempfile.TemporaryDirectory() as folder:
        old, old_table = Path(folder) / "old", Path(folder) / "old.csv"
        rows.iloc[:240].to_csv(old_table, index=False)
        recipe = gw.Recipe(techniques=[gw.WarmStart(), gw.Full()], training=TRAINING)
        gw.fit(old_table, target="label", recipe=recipe, out=old)

        ways = {
            "nothing": [],
            "l2-sp": [gw.L2SP(1.0)],
            "wise-ft": [gw.WiSEFT(0.5)],
            "replay": [gw.Replay(str(old_table), share=0.3)],
        }
        for name, techniques in ways.items():
            recipe = gw.Recipe(base=str(old), techniques=[gw.WarmStart(), *techniques], training=TRAINING)
            new = by_size(rows.iloc[240:440])
            model = gw.fit(new, target="size", test=by_size(test), recipe=recipe, remember=test)
            (topics,) = model.report.remembered
            print(f"{name}: {model.report.verdict()}")
            print(f"  {topics.sentence}")


if __name__ == "__main__":
    main()
