"""Whether a change of the code is neutral: recipes run on it and on an earlier commit, and end with the same bits.

    python benchmarks/same_bits.py 7897c8b

The earlier commit is checked out into a git worktree of its own. Each recipe is fitted by either code on one thread
and float32, from the same files and an empty cache; what must agree, bit for bit, is each tensor that training gave and
the predictions that the command line writes. Names of tensors may differ.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.measure import OFFLINE, ONE_THREAD

ROOT = Path(__file__).parents[1]
SCRATCH = ["--set", "epochs=2", "--set", "precision=fp32"]
TEXT = ["texts.csv", "--target", "topic", "--base", "gru:width=32"]
SOUND = ["sounds.csv", "--target", "tone", "--base", "mel-cnn"]
PICTURE = ["pictures.csv", "--target", "digit", "--base", "small-cnn"]
RECIPES: dict[str, Sequence[str]] = {
    "plain loop": [*TEXT, "--with", "none", *SCRATCH],
    "mixup, label smoothing, EMA": [*TEXT, "--with", "mixup", "--with", "label-smoothing", "--with", "ema", *SCRATCH],
    "consistency, SAM": [*TEXT, "--with", "consistency", "--with", "sam", *SCRATCH],
    "probe on MiniLM": ["texts.csv", "--target", "topic", "--with", "probe", "--set", "precision=fp32"],
    "kernel head": [
        "texts.csv",
        "--target",
        "topic",
        "--with",
        "probe",
        "--set",
        "head=kernel",
        "--set",
        "precision=fp32",
    ],
    "LoRA, warm start": [
        *("texts.csv", "--target", "topic", "--base", "minilm", "--with", "lora:rank=4", "--with", "warm-start"),
        *("--set", "steps=6", "--set", "precision=fp32"),
    ],
    "pictures, flip and crop": [*PICTURE, "--with", "flip", "--with", "crop", *SCRATCH],
    "sounds, spec-augment": [*SOUND, "--with", "spec-augment", *SCRATCH],
    "several targets, PCGrad": [
        *("texts.csv", "--target", "topic", "--target", "length", "--base", "gru:width=32", "--with", "pcgrad"),
        *SCRATCH,
    ],
    "text and numbers, fusion transformer": [
        *("both.csv", "--target", "topic", "--base", "text=gru:width=32", "--with", "fusion-transformer", *SCRATCH),
    ],
    "supervised contrast, identity": [
        *("pictures.csv", "--target", "digit", "--task", "identity", "--base", "small-cnn"),
        *("--with", "arcface", *SCRATCH),
    ],
    "retrieval": [
        *("pairs.csv", "--task", "retrieval:width=16", "--inputs", "question", "--inputs", "answer"),
        *("--base", "gru:width=32", "--with", "none", *SCRATCH),
    ],
    "few-shot, ProtoNet": [
        *("pictures.csv", "--target", "digit", "--task", "few-shot:way=3", "--base", "conv4"),
        *("--with", "protonet", "--set", "steps=6", "--set", "precision=fp32"),
    ],
}
"""By name, what stands behind `graft fit`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", help="the earlier commit")
    parser.add_argument("--only", action="append", help="names of recipes, in place of all")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="graftwork-bits-") as name:
        folder = Path(name)
        earlier = folder / "before"
        git("worktree", "add", "--detach", str(earlier), given.before)
        try:
            write_data(folder / "data")
            found = {one: compared(one, folder, earlier) for one in given.only or RECIPES}
        finally:
            git("worktree", "remove", "--force", str(earlier))
    sys.exit(not all(found.values()))


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True)


def compared(name: str, folder: Path, earlier: Path) -> bool:
    """Whether both codes end with the same; says so."""
    before, after = (outcome(name, tree, folder) for tree in (earlier, ROOT))
    same = before == after and bool(before)
    wrong = "" if same else f": {before.keys() ^ after.keys() or [one for one in before if before[one] != after[one]]}"
    print(f"{name}: {'the same bits' if same else 'DIFFERS'}{wrong}", flush=True)
    return same


def outcome(name: str, tree: Path, folder: Path) -> dict[str, str]:
    """What a recipe ends with under the code of a tree: digests of its tensors, by their order, and of predictions."""
    from safetensors.numpy import load_file

    with tempfile.TemporaryDirectory(dir=folder) as place:
        environment = {**ONE_THREAD, **OFFLINE, "PYTHONPATH": str(tree / "src"), "GRAFTWORK_CACHE": f"{place}/cache"}
        recipe, out = RECIPES[name], f"{place}/model"
        graft(["fit", *recipe, "--out", out], folder / "data", environment)
        graft(["predict", out, recipe[0], "--out", f"{place}/predicted.csv"], folder / "data", environment)
        tensors = sorted(digest(one.tobytes()) for one in load_file(f"{out}/weights.safetensors").values())
        rows = Path(f"{place}/predicted.csv").read_bytes()
    return {**{f"tensor {at}": one for at, one in enumerate(tensors)}, "predictions": digest(rows)}


def graft(arguments: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
    import os

    command = [sys.executable, "-m", "graftwork.cli", *arguments]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"graft {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr[-2000:]}")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def write_data(folder: Path) -> None:
    """Small tables of texts, numbers, pictures and sounds, the same each time."""
    (folder / "files").mkdir(parents=True)
    random = np.random.default_rng(0)
    topics = {
        "pets": "cat dog bird fish paw",
        "weather": "rain snow wind cloud sun",
        "food": "soup bread cake tea rice",
    }
    rows = []
    for at in range(180):
        topic = list(topics)[at % 3]
        words = random.choice(["the", "a", "is", "here", *topics[topic].split(), *topics["pets"].split()], 3 + at % 9)
        rows.append({"text": " ".join(words), "topic": topic, "length": round(float(len(words) + random.normal()), 3)})
    write(folder / "texts.csv", rows)
    write(folder / "both.csv", [{**row, "wide": round(float(random.normal()), 3)} for row in rows])
    write(folder / "pairs.csv", [pair(row["text"], at) for at, row in enumerate(rows)])
    write(folder / "pictures.csv", [picture(folder, at) for at in range(200)])
    write(folder / "sounds.csv", [sound(folder, at, random) for at in range(60)])


def pair(text: str, at: int) -> dict[str, object]:
    return {"question": f"{text} {at} ?", "answer": f"{at} {' '.join(reversed(text.split()))}"}


def picture(folder: Path, at: int) -> dict[str, object]:
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    Image.fromarray((digits.images[at] * 15).astype(np.uint8)).resize((32, 32)).save(folder / f"files/{at}.png")
    return {"picture": f"files/{at}.png", "digit": f"digit {digits.target[at]}"}


def sound(folder: Path, at: int, random: np.random.Generator) -> dict[str, object]:
    import soundfile

    time = np.arange(8000) / 16000
    wave = np.sin(2 * np.pi * (300, 900, 2500)[at % 3] * time) + 0.3 * random.normal(size=len(time))
    soundfile.write(folder / f"files/{at}.wav", (0.3 * wave).astype(np.float32), 16000)
    return {"sound": f"files/{at}.wav", "tone": ("low", "middle", "high")[at % 3]}


def write(path: Path, rows: Sequence[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
