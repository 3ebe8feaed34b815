"""Sounds through the public calls: fit, predict, save, load, techniques on audio bases, and what bad sounds say."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import graftwork as gw
from graftwork.errors import DataError
from tinysound import RATE, encoded, tiny_clips, tiny_sound_model, tone

QUICK = gw.Training(epochs=6, batch=8, precision="fp32", lr=3e-3)
SCRATCH = f"mel-cnn:rate={RATE},mels=16,width=8,layers=3"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A csv file that names files beside it."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "sounds").mkdir()
    rows = []
    for at, (content, label) in enumerate(tiny_clips(48)):
        (folder / "sounds" / f"{at}.wav").write_bytes(content)
        rows.append({"sound": f"sounds/{at}.wav", "label": label})
    with (folder / "clips.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["sound", "label"])
        writer.writeheader()
        writer.writerows(rows)
    return folder / "clips.csv"


@pytest.fixture(scope="module")
def yamnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sound_model(tmp_path_factory.mktemp("yamnet"), "yamnet")


def frame(rows: int = 48) -> list[dict[str, Any]]:
    return [{"sound": content, "label": label} for content, label in tiny_clips(rows)]


@pytest.mark.slow
def test_files_beside_the_table_and_bytes_give_the_same_model(table, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # paths start at the table's folder, not here
    recipe = gw.Recipe(base=SCRATCH, techniques=[], training=QUICK)
    named = gw.fit(table, target="label", recipe=recipe)
    held = gw.fit(frame(), target="label", recipe=recipe)
    new = [{"sound": encoded(tone(hertz, 0.4, seed=99))} for hertz in (155, 510, 1450)]
    assert named.predict(new).tolist() == held.predict(new).tolist() == ["low", "middle", "high"]
    named.save(tmp_path / "model")
    loaded = gw.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(new), named.predict_proba(new))


def test_as_datasets_keeps_sounds():
    rows = [{"sound": {"bytes": row["sound"], "path": None}, "label": row["label"]} for row in frame()]
    recipe = gw.Recipe(base=SCRATCH, techniques=[], training=QUICK)
    model = gw.fit(pa.Table.from_pylist(rows), target="label", recipe=recipe)
    assert model.predict([{"sound": {"bytes": encoded(tone(150)), "path": None}}]).tolist() == ["low"]


TECHNIQUES = {
    "probe": [gw.Probe()],
    "partial": [gw.WarmStart(), gw.Partial(2)],
    "lora": [gw.LoRA(rank=2)],
    "everything": [gw.LabelSmoothing(0.1), gw.EMA(), gw.SAM()],
}


@pytest.mark.parametrize("kind", ["yamnet", "ast", "wav2vec2", "wavlm"])
@pytest.mark.parametrize("name", TECHNIQUES)
def test_techniques_on_pretrained_bases(tmp_path, kind, name):
    base = tiny_sound_model(tmp_path / "base", kind)
    training = gw.Training(steps=4, batch=8, precision="fp32")
    recipe = gw.Recipe(base=str(base), techniques=TECHNIQUES[name], training=training)
    model = gw.fit(frame(24), target="label", recipe=recipe)
    model.save(tmp_path / "model")
    new = [{"sound": content} for content, _ in tiny_clips(5)]
    np.testing.assert_array_equal(gw.load(tmp_path / "model").predict_proba(new), model.predict_proba(new))


def test_the_default_probes_and_tunes_a_pretrained_base(yamnet):
    training = gw.Training(steps=2, batch=8, precision="fp32")
    recipe = gw.Recipe(base=str(yamnet), training=training)
    model = gw.fit(frame(), target="label", valid=frame(24), recipe=recipe)
    names = [candidate.name for candidate in model.report.candidates]
    assert names == ["kernel probe", "mlp probe", "linear probe", "tune"]
    assert model.evaluate(frame(24)).scores["accuracy"].value > 0.8


# --- bad sounds -----------------------------------------------------------------------------------------------------
def bad_rows(folder: Path) -> list[dict[str, Any]]:
    rows = []
    for at, row in enumerate(frame(24)):
        path = folder / f"{at}.wav"
        path.write_bytes(row["sound"])
        rows.append({"sound": str(path), "label": row["label"]})
    (folder / "1.wav").unlink()
    (folder / "2.wav").write_text("no sound")
    (folder / "3.wav").write_bytes(encoded(np.zeros(0, np.float32)))
    (folder / "4.wav").write_bytes(encoded(np.array([0.1, np.nan], np.float32), subtype="FLOAT"))
    (folder / "5.wav").write_bytes(encoded(np.zeros(200_000, np.float32), 100))
    (folder / "6.wav").write_bytes(encoded(tone(200))[:-800])
    (folder / "7.png").write_bytes(b"\x89PNG")
    rows[7]["sound"] = str(folder / "7.png")
    return rows


REASONS = [
    (2, "there is no file .*1.wav"),
    (3, "not a sound that can be read"),
    (4, "a sound of 0 samples"),
    (5, "1 of 2 samples are no numbers"),
    (6, "a sound of 2,000 seconds; at most 1,800 can be read"),
    (7, "the sound is cut short"),
    (8, "not a sound that can be read"),
]


def test_bad_sounds_are_listed_by_row(tmp_path):
    with pytest.raises(DataError) as caught:
        gw.fit(bad_rows(tmp_path), target="label", recipe=gw.Recipe(base=SCRATCH, techniques=[], training=QUICK))
    lines = str(caught.value).splitlines()
    assert "7 rows of 24 can't be used" in lines[0]
    for (row, reason), line in zip(REASONS, lines[1:], strict=False):
        assert re.search(f"row {row}, sound: .*{reason}", line), line


def test_bad_sounds_can_be_skipped(tmp_path):
    recipe = gw.Recipe(base=SCRATCH, techniques=[], training=gw.Training(steps=1, precision="fp32"))
    model = gw.fit(bad_rows(tmp_path), target="label", on_bad_rows="skip", recipe=recipe)
    assert model.report.data["train"].startswith("1")


def test_samples_without_a_rate_are_refused():
    rows = [{"sound": tone(150).tolist(), "label": label} for label in ("a", "b") for _ in range(4)]
    with pytest.raises(DataError, match="samples alone don't say their rate"):
        gw.fit(rows, target="label", inputs=["sound"])


def test_prepared_once(table, yamnet, monkeypatch):
    """A second run on the same files decodes none of them for its inputs."""
    from graftwork.networks.audio.encoder import AudioEncoder

    recipe = gw.Recipe(base=str(yamnet), techniques=[gw.Probe()], training=gw.Training(precision="fp32"))
    first = gw.fit(table, target="label", recipe=recipe)
    monkeypatch.setattr(AudioEncoder, "prepare", lambda *_: pytest.fail("prepared again"))
    again = gw.fit(table, target="label", recipe=recipe)
    assert first.report.verdict() == again.report.verdict()
