"""One run trained by two processes: the model of one process, and what each of the two cost.

python examples/several_workers.py                  # two processes of this machine
CLUSTER=auto python examples/several_workers.py     # on the machines of a Ray cluster, as `graft fit --cluster auto`
"""

import os
from pathlib import Path

import numpy as np

import graftwork as gw

DATA = Path(__file__).parent / "data"
CLUSTER = os.environ.get("CLUSTER")


def main() -> None:
    # Without dropout, which is drawn in each process, both compute the same sums, up to the last digits.
    training = gw.Training(steps=40, batch=32, evaluations=4, precision="fp32")
    recipe = gw.Recipe(base="cnn:width=16,dropout=0", techniques=[], training=training)
    alone = gw.fit(DATA / "train.csv", target="label", recipe=recipe, verbose=False)
    together = gw.fit(DATA / "train.csv", target="label", recipe=recipe, workers=2, cluster=CLUSTER, verbose=False)
    texts = ["where is my kettle?", "I was billed twice", "the boots are too small, can I send them back?"]
    apart = np.abs(np.subtract(alone.predict_proba(texts), together.predict_proba(texts))).max()
    print(f"two processes and one say the same: {apart < 1e-4} (apart by {apart:.1e})")
    for cost in together.report.workers:
        print(
            f"worker {cost.worker} on {cost.node}: {cost.wall_seconds:.0f} s, {cost.cpu_seconds:.0f} s of its "
            f"processor, {cost.share:.0%} of the time adding up gradients and waiting"
        )


if __name__ == "__main__":
    main()
