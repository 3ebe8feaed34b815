"""Choose the techniques: LoRA, label smoothing and a moving average of the weights in one run.

The same on the command line:
graft fit examples/data/train.csv --target label --with lora:rank=16 --with label-smoothing --with ema --set epochs=2
"""

from pathlib import Path

import graftwork as gw

DATA = Path(__file__).parent / "data"


def main() -> None:
    recipe = gw.Recipe(
        techniques=[gw.WarmStart(), gw.LoRA(rank=16), gw.LabelSmoothing(0.1), gw.EMA(decay=0.99)],
        training=gw.Training(epochs=2),
    )
    for _, plan in gw.plan(DATA / "train.csv", target="label", recipe=recipe):
        print(plan.explain())
    model = gw.fit(DATA / "train.csv", target="label", test=DATA / "test.csv", recipe=recipe)
    print(model.report.verdict())

    try:  # what can't go together is refused before anything is trained
        gw.fit(
            DATA / "train.csv", target="label", recipe=gw.Recipe(techniques=[gw.Mixup(), gw.SupervisedContrastive()])
        )
    except gw.GraftworkError as error:
        print(f"refused: {error}")


if __name__ == "__main__":
    main()
