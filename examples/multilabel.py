"""Several labels a row: messages that ask for one thing or for two. Lists of labels make the task multi-label."""

import random
from pathlib import Path

import pandas as pd

import graftwork as gw

DATA = Path(__file__).parent / "data"


def joined(frame: pd.DataFrame, count: int, draw: random.Random) -> list[dict[str, object]]:
    """Rows of one or two messages, with a list of their labels."""
    pairs = list(zip(frame.text, frame.label, strict=True))
    picked = [draw.sample(pairs, draw.choice((1, 2))) for _ in range(count)]
    return [{"text": " and ".join(t for t, _ in some), "labels": sorted({n for _, n in some})} for some in picked]


def main() -> None:
    draw = random.Random(0)
    train = joined(pd.read_csv(DATA / "train.csv"), 600, draw)
    test = joined(pd.read_csv(DATA / "test.csv"), 150, draw)

    recipe = gw.Recipe(techniques=[gw.Probe()])
    model = gw.fit(train, target="labels", test=test, recipe=recipe)
    print(model.report.verdict())
    print(model.predict(["cancel my order, and why was I charged twice?"]))


if __name__ == "__main__":
    main()
