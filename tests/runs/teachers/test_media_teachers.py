"""Teachers of images and sounds: transformers classifiers, and saved models of another base."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import graftwork as gw
from graftwork.data.media.images import decode
from graftwork.errors import DataError
from graftwork.runs.job.job import Job
from graftwork.runs.listener import Listener
from graftwork.runs.teachers.teachers import answers
from jobs import job_of
from pictures import encoded, picture, tiny_image_model
from tinysound import tiny_clips, tiny_sound_model

SMALL = gw.Training(steps=2, batch=8, evaluations=1, precision="fp32")


def photos(rows: int = 45) -> pd.DataFrame:
    kinds = [("one", "two", "three")[at % 3] for at in range(rows)]
    return pd.DataFrame({"photo": [encoded(picture(at)) for at in range(rows)], "label": kinds})


def sounds() -> pd.DataFrame:
    return pd.DataFrame(tiny_clips(45), columns=["clip", "label"])


def job(table: pd.DataFrame) -> Job:
    return job_of(table, gw.Recipe(base="auto", techniques=[]), target="label")


def classifier(folder: Path, auto: str, labels: list[str]) -> Any:
    """The backbone in `folder` with a head of random weights, as a classifier; it takes the backbone's place."""
    import transformers

    library: Any = transformers
    config = library.AutoConfig.from_pretrained(folder, num_labels=len(labels))
    config.id2label, config.label2id = dict(enumerate(labels)), {label: at for at, label in enumerate(labels)}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = getattr(library, auto).from_config(config).eval()
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize("kind", ["vit", "mobilenet_v1"])
def test_an_image_classifier_says_its_logits(kind: str, tmp_path: Path) -> None:
    from transformers import AutoImageProcessor

    folder = tiny_image_model(tmp_path / kind, kind)
    model = classifier(folder, "AutoModelForImageClassification", ["three", "one", "two"])
    made = job(photos())
    said = answers(made, str(folder), Listener())
    processor: Any = AutoImageProcessor.from_pretrained(folder)
    for at in (0, 7):
        pixels = processor(images=[decode(made.train.values("photo")[at])], return_tensors="pt")
        with torch.no_grad():
            expected = model(**pixels).logits[0, [1, 0, 2]]  # sorted: one, three, two
        np.testing.assert_allclose(said.predictions["label"][at], expected, atol=1e-5)
    assert said.features.shape[0] == len(made.train)
    assert answers(made, str(folder), None).features.shape == said.features.shape


def test_a_sound_classifier_says_its_logits(tmp_path: Path) -> None:
    folder = tiny_sound_model(tmp_path / "wave")
    classifier(folder, "AutoModelForAudioClassification", ["high", "low", "middle"])
    made = job(sounds())
    said = answers(made, str(folder), Listener())
    assert said.predictions["label"].shape == (len(made.train), 3)
    assert np.isfinite(said.predictions["label"]).all()
    assert len(np.unique(said.predictions["label"], axis=0)) > 10


@pytest.mark.slow
def test_a_saved_image_model_teaches_a_small_cnn(tmp_path: Path) -> None:
    folder = tiny_image_model(tmp_path / "mobile", "mobilenet_v2")
    teacher = gw.Recipe(base=str(folder), techniques=[gw.WarmStart(), gw.Full()], training=SMALL)
    gw.fit(photos(), target="label", recipe=teacher, out=tmp_path / "teacher")
    recipe = gw.Recipe(
        base="small-cnn:width=8,blocks=1,size=16",
        techniques=[gw.Distil(str(tmp_path / "teacher")), gw.DistilFeatures(str(tmp_path / "teacher")), gw.Flip()],
        training=SMALL,
    )
    model = gw.fit(photos(), target="label", unlabelled=photos(60)[["photo"]].iloc[45:], recipe=recipe)
    assert len(model.predict(photos(3)[["photo"]])) == 3


def test_a_row_without_its_image_is_named(tmp_path: Path) -> None:
    folder = tiny_image_model(tmp_path / "vit", "vit")
    classifier(folder, "AutoModelForImageClassification", ["one", "three", "two"])
    table = photos().assign(size=np.arange(45) / 7)
    table.loc[::4, "photo"] = None
    with pytest.raises(DataError, match=r"rows have nothing for the teacher .* to read; the first is row \d+"):
        answers(job(table), str(folder), Listener())
