"""What does each technique bring? The same run with and without, on the same rows and seed, from fastest to slowest.

The frozen layers are computed in the first run and read from the cache by the others. One seed on 240 test rows tells
large differences from small ones, no more: look at the intervals.
"""

import time
from pathlib import Path

import graftwork as gw

DATA = Path(__file__).parent / "data"
RECIPES = {
    "probe": [gw.Probe()],
    "top 2 blocks": [gw.Partial(2)],
    "+ warm start": [gw.Partial(2), gw.WarmStart()],
    "+ label smoothing": [gw.Partial(2), gw.WarmStart(), gw.LabelSmoothing(0.1)],
    "+ mixup": [gw.Partial(2), gw.WarmStart(), gw.LabelSmoothing(0.1), gw.Mixup()],
}


def main() -> None:
    for name, techniques in RECIPES.items():
        began = time.process_time()
        recipe = gw.Recipe(techniques=techniques, training=gw.Training(lr=1e-4, epochs=2))
        model = gw.fit(DATA / "train.csv", target="label", test=DATA / "test.csv", recipe=recipe)
        score = model.report.evaluations["test"].scores["accuracy"]
        seconds = time.process_time() - began
        print(f"{name:18} {score.value:.1%} ({score.low:.1%} to {score.high:.1%}), {seconds:.0f} CPU seconds")


if __name__ == "__main__":
    main()
