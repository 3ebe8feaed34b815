"""Is it the same voice, and whose is it? A table of clips and speakers, from the encoder of voices where it was fetched
(`graft bases get speaker`, 16 MB, once), else from nothing. The speakers are made up: each has a pitch and the
resonances of a mouth of their own, and hums another tune in each clip."""

import csv
import tempfile
from pathlib import Path

import numpy as np
import soundfile

import graftwork as gw

RATE, CLIPS = 16000, 6
SPEAKERS = {"known": range(24), "strangers": range(24, 34)}
ANN, BEN, STRANGER = 24, 25, 26


def clip(person: int, take: int) -> np.ndarray:
    """About a second of harmonics, through three resonances, with noise."""
    body, draw = np.random.default_rng(person), np.random.default_rng(1000 * person + take)
    time = np.arange(round(draw.uniform(0.8, 1.2) * RATE)) / RATE
    pitch, resonances = body.uniform(90, 240), body.uniform([300, 900, 2200], [800, 2000, 3400])
    glide = np.cumsum(1 + 0.1 * np.sin(2 * np.pi * draw.uniform(1, 3) * time + draw.uniform(0, 6))) / RATE
    wave = np.zeros(len(time))
    for harmonic in range(1, int(4000 / pitch)):
        loud = np.exp(-(((harmonic * pitch - resonances) / 200) ** 2)).sum() + 0.05
        wave += loud * np.sin(2 * np.pi * harmonic * pitch * glide)
    return 0.3 * wave / np.abs(wave).max() + draw.normal(0, 0.01, len(time))


def write(folder: Path, people: range) -> Path:
    """A file a clip, and a table that names them."""
    folder.mkdir()
    table = folder / "clips.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["clip", "speaker"])
        for person in people:
            for take in range(CLIPS):
                name = f"{person}-{take}.flac"
                soundfile.write(folder / name, clip(person, take), RATE)
                lines.writerow([name, f"speaker {person}"])
    return table


def main() -> None:
    fetched = any(base.name == "ge2e-speaker" and base.folder for base in gw.bases.listed())
    if fetched:  # its voices are good as they are: a solved head on the frozen base is enough
        recipe = gw.Recipe(task="identity", base="ge2e-speaker", techniques=[gw.Probe()])
    else:
        scratch, training = "mel-cnn:width=8,layers=3,mels=32", gw.Training(epochs=6)
        recipe = gw.Recipe(task="identity", base=scratch, techniques=[gw.Triplet(), gw.Refit()], training=training)
    with tempfile.TemporaryDirectory() as folder:
        known, strangers = (write(Path(folder) / name, people) for name, people in SPEAKERS.items())
        model = gw.fit(known, target="speaker", recipe=recipe)
        print(f"{recipe.base}, speakers never trained on:", model.evaluate(strangers).to_json()["eer"])

        ann, ben, stranger = (
            [str(strangers.parent / f"{one}-{take}.flac") for take in range(CLIPS)] for one in (ANN, BEN, STRANGER)
        )
        verifier = model.verifier()
        print("two clips of Ann:", verifier.verify(ann[0], ann[1]))
        print("Ann and Ben:", verifier.verify(ann[0], ben[0]))
        gallery = verifier.enroll({"Ann": ann[:3], "Ben": ben[:3]})
        print("whose voice is it? (Ann's)", verifier.identify(ann[5], gallery))
        print("whose voice is it? (a stranger's)", verifier.identify(stranger[0], gallery))


if __name__ == "__main__":
    main()
