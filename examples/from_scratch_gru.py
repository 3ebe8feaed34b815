"""No pretrained base at all: a small GRU, with its own tokenizer, from nothing but the training rows."""

from pathlib import Path

import graftwork as gw

DATA = Path(__file__).parent / "data"


def main() -> None:
    recipe = gw.Recipe(base="gru:width=64", techniques=[gw.LabelSmoothing(0.05)])
    model = gw.fit(DATA / "train.csv", target="label", test=DATA / "test.csv", recipe=recipe)
    print(model.report.verdict())
    print(f"{model.report.parameters_total:,} parameters")


if __name__ == "__main__":
    main()
