"""Tell generated sounds apart: files in a folder, and a small CNN over log-mel that starts from nothing."""

import csv
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import graftwork as gw

RATE = 8000


def sound(kind: str, draw: np.random.Generator) -> np.ndarray:
    """0.4 to 0.8 seconds of a steady tone, a rising one, a trill, or noise, at any pitch and loudness."""
    time = np.arange(round(draw.uniform(0.4, 0.8) * RATE)) / RATE
    pitch = draw.uniform(300, 1200)
    if kind == "noise":
        wave = draw.normal(0, 0.3, len(time))
    elif kind == "rising":
        wave = np.sin(2 * np.pi * (pitch + 600 * time) * time)
    elif kind == "trill":
        wave = np.sin(2 * np.pi * pitch * time + 20 * np.sin(2 * np.pi * 8 * time))
    else:
        wave = np.sin(2 * np.pi * pitch * time)
    return draw.uniform(0.1, 0.6) * wave + draw.normal(0, 0.01, len(time))


def write(folder: Path, rows: int, seed: int) -> Path:
    """So many files of each kind, and a table that names them."""
    draw = np.random.default_rng(seed)
    folder.mkdir()
    table = folder / "clips.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["sound", "label"])
        for row in range(rows):
            for kind in ("steady", "rising", "trill", "noise"):
                name = f"{kind}-{row}.flac"
                soundfile.write(folder / name, np.clip(sound(kind, draw), -1, 1), RATE)
                lines.writerow([name, kind])
    return table


def main() -> None:
    recipe = gw.Recipe(base="mel-cnn:rate=8000,mels=32,width=16,layers=3", techniques=[gw.LabelSmoothing(0.1)])
    with tempfile.TemporaryDirectory() as folder:
        train, test = write(Path(folder) / "train", 40, seed=0), write(Path(folder) / "test", 15, seed=1)
        model = gw.fit(train, target="label", test=test, recipe=recipe)
        print(model.report.verdict())
        new = Path(folder) / "test" / "trill-0.flac"
        print(f"{new.name} is a {model.predict([{'sound': str(new)}])[0]}")


if __name__ == "__main__":
    main()
