"""Kill a run at a random moment, go on with it, and get the same weights as without the accident, bit for bit.

The same on the command line: `graft fit … --out runs/x`, kill -9, then the same command with `--resume`.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import graftwork as gw

DATA = Path(__file__).parent / "data"
RECIPE = gw.Recipe(base="gru:width=32", techniques=[gw.EMA()], training=gw.Training(epochs=5, precision="fp32"))


def train(out: Path, resume: bool = False) -> gw.Model:
    torch.set_num_threads(1)  # sums over several threads may round differently
    return gw.fit(DATA / "train.csv", target="label", recipe=RECIPE, out=out, resume=resume)


def train_and_be_killed(out: Path) -> None:
    """Another process trains, until soon after its first checkpoint."""
    process = subprocess.Popen([sys.executable, __file__, str(out)])
    while not list(out.glob(".work/*/checkpoint.safetensors")):
        if process.poll() is not None:
            raise SystemExit("the run ended before it could be killed")
        time.sleep(0.02)
    process.kill()
    process.wait()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        killed, whole = Path(folder) / "killed", Path(folder) / "whole"
        train_and_be_killed(killed)
        print("killed after a checkpoint; going on")
        resumed, straight = train(killed, resume=True), train(whole)
    ours, theirs = resumed.network.state_dict(), straight.network.state_dict()
    same = all(torch.equal(ours[name], theirs[name]) for name in theirs)
    print(f"same weights as an uninterrupted run: {same}")


if __name__ == "__main__":
    main() if len(sys.argv) == 1 else train(Path(sys.argv[1]))
