"""New classes at use: fit, adapt, episodes, files, the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from command import graft as run
from graftwork.core.technique import Technique
from graftwork.errors import DataError, RefusedError, UsageError

WORDS = {
    "sea": "wave shell salt tide",
    "city": "tram tower crowd street",
    "farm": "barn hay tractor field",
    "sky": "cloud star moon wind",
    "kitchen": "pan oven knife spoon",
    "forest": "moss oak fern owl",
}
EPISODES = {"way": 2, "shot": 2, "episodes": 30}
BASE = "cnn:width=16,layers=2,widths=2+3"


def table(names: list[str], rows: int = 12, seed: int = 0) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    texts = [(" ".join(draw.choice(WORDS[name].split(), 3)), name) for name in names for _ in range(rows)]
    return pd.DataFrame(texts, columns=["text", "place"])


KNOWN, NEW = ["sea", "city", "farm", "sky"], ["kitchen", "forest"]


def fitted(*techniques: Technique, **changes) -> gw.Model:
    recipe = gw.Recipe(
        base=BASE,
        task="few-shot:way=2,shot=2,query=5,episodes=30",
        techniques=techniques,
        training=gw.Training(steps=6, evaluations=1, lr=1e-2),
    )
    given = {"valid": table(NEW, seed=1), "test": table(NEW, seed=2)} | changes
    return gw.fit(table(KNOWN), target="place", recipe=recipe, **given)


SHAPE = {"way": 3, "shot": 2, "query": 4}
TECHNIQUES = [gw.ProtoNet(**SHAPE), gw.MAML(**SHAPE, episodes=1), gw.ANIL(**SHAPE), gw.Reptile(**SHAPE)]


@pytest.mark.parametrize("technique", TECHNIQUES, ids=lambda technique: technique.name)
def test_a_model_learns_new_classes_and_is_a_model_like_any_other(technique, tmp_path: Path) -> None:
    model = fitted(technique)
    found = model.report.evaluations["test"]
    assert list(found.scores) == ["episode_accuracy"]
    assert 0 <= found.scores["episode_accuracy"].low <= found.scores["episode_accuracy"].high <= 1
    assert "over the episodes" in model.report.to_html()
    known = model.predict(table(KNOWN))
    assert set(known) <= set(KNOWN)
    adapted = model.few_shot().adapt(table(NEW, rows=3))
    assert adapted.task.classes == ("forest", "kitchen")
    assert model.task.classes == tuple(sorted(KNOWN))
    others = table(NEW, rows=6, seed=5)
    given = adapted.predict_proba(others)
    assert list(given.columns) == ["forest", "kitchen"]
    again = gw.load(adapted.save(tmp_path / "adapted"))
    assert np.array_equal(again.predict_proba(others).to_numpy(), given.to_numpy())
    assert 0 <= adapted.evaluate(others).scores["accuracy"].value <= 1
    loaded = gw.load(model.save(tmp_path / "model"))
    assert loaded.evaluate(table(NEW, seed=2)).to_json() == model.evaluate(table(NEW, seed=2)).to_json()
    assert np.array_equal(loaded.few_shot().adapt(table(NEW, rows=3)).predict_proba(others), given)


def test_any_classifier_can_be_asked_by_episodes_and_adapted() -> None:
    recipe = gw.Recipe(base=BASE, techniques=[], training=gw.Training(steps=4))
    model = gw.fit(table(KNOWN), target="place", recipe=recipe)
    first = model.few_shot().evaluate_episodes(table(NEW), **EPISODES)
    assert first.to_json() == model.few_shot().evaluate_episodes(table(NEW), **EPISODES).to_json()
    assert first.details.shape.way == 2
    assert set(model.few_shot().adapt(table(NEW, rows=2)).predict(table(NEW))) <= set(NEW)


def test_the_score_is_that_of_nearest_prototypes_drawn_by_hand() -> None:
    """Cosines of mean directions, with scikit-learn, on the very same episodes."""
    from sklearn.metrics.pairwise import cosine_similarity
    from sklearn.preprocessing import normalize

    from graftwork.core.rows.examples import prepare
    from graftwork.core.run import features_of
    from graftwork.data.episodes import Episodes, draw, rows_by_class
    from graftwork.data.load import load_like

    recipe = gw.Recipe(base=BASE, techniques=[], training=gw.Training(steps=4, precision="fp32"))
    model = gw.fit(table(KNOWN), target="place", recipe=recipe)
    frame = table([*NEW, *KNOWN], seed=3)
    found = model.few_shot().evaluate_episodes(frame, way=4, shot=2, query=5, episodes=20, seed=9)
    read = load_like(frame, model.schema, with_target=True).table
    features = features_of(model.network, prepare(read, model.network, {}, model.recipe.text), {})
    classes = np.unique(frame["place"], return_inverse=True)[1]
    shape, generator, scores = Episodes(4, 2, 5, 20), np.random.default_rng([9, 4, 2]), []
    for _ in range(20):
        rows = draw(rows_by_class(classes), shape, generator)
        seen = normalize(features[rows])
        prototypes = np.stack([seen[:8][np.arange(8) % 4 == k].mean(axis=0) for k in range(4)])
        given = cosine_similarity(seen[8:], prototypes).argmax(axis=1)
        scores.append((given == np.arange(20) % 4).mean())
    assert found.scores["episode_accuracy"].value == pytest.approx(np.mean(scores), abs=1e-9)


def test_whole_classes_are_held_out() -> None:
    model = fitted(gw.ProtoNet(way=2, shot=2, query=4), valid=None)
    assert model.task.outputs == 2
    assert any("2 of 4 classes" in note for note in model.report.notes)


def test_what_can_not_be_learned_is_refused_before_training() -> None:
    with pytest.raises(RefusedError, match=r"protonet can't draw .* takes 5 classes .* there are 4"):
        fitted(gw.ProtoNet(way=5))
    with pytest.raises(RefusedError, match=r"maml needs episodes, .* --task few-shot"):
        gw.fit(table(KNOWN), target="place", recipe=gw.Recipe(base=BASE, techniques=[gw.MAML(way=2)]))
    with pytest.raises(RefusedError, match=r"label-smoothing needs classes, but protonet removes them"):
        fitted(gw.ProtoNet(**SHAPE), gw.LabelSmoothing(0.1))
    with pytest.raises(RefusedError, match=r"accumulate needs batch_parts, but anil removes them"):
        fitted(gw.ANIL(**SHAPE), gw.Accumulate(2))
    with pytest.raises(DataError, match=r"takes 2 classes .* there is 1: 'sea' \(12 rows\)"):
        fitted(valid=table(["sea"]))
    with pytest.raises(DataError, match=r"6 classes|all 4 classes of the validation rows are trained on"):
        fitted(valid=table(KNOWN))


def test_a_support_that_says_nothing() -> None:
    model = fitted()
    with pytest.raises(DataError, match=r"'place' holds only 'forest'\. Expected a few rows of each of two"):
        model.few_shot().adapt(table(["forest"], rows=3))
    with pytest.raises(DataError, match="no column 'place'"):
        model.few_shot().adapt(table(NEW)[["text"]])
    with pytest.raises(UsageError, match="way is 1"):
        model.few_shot().evaluate_episodes(table(NEW), way=1)
    numbers = gw.fit(
        pd.DataFrame({"text": table(KNOWN)["text"], "n": np.arange(48.0) / 7}),
        target="n",
        recipe=gw.Recipe(base=BASE, techniques=[], training=gw.Training(steps=1)),
    )
    with pytest.raises(UsageError, match="regression, which has no classes to learn anew"):
        numbers.few_shot().adapt(table(NEW))


def test_the_command_line(tmp_path: Path) -> None:
    model = fitted(gw.ProtoNet(**SHAPE))
    model.save(tmp_path / "model")
    support, new = tmp_path / "support.csv", tmp_path / "new.csv"
    table(NEW, rows=3).to_csv(support, index=False)
    table(NEW, seed=4).to_csv(new, index=False)
    out = tmp_path / "adapted"
    done = run("adapt", tmp_path / "model", support, "--out", out)
    assert done.code == 0
    assert "2 classes learned" in done.err
    assert gw.load(out).task.classes == ("forest", "kitchen")
    over = run("adapt", tmp_path / "model", support, "--out", tmp_path / "model")
    assert over.code == 2
    assert "holds a finished model. Choose another --out" in over.err
    done = run("evaluate", tmp_path / "model", new, "--episodes", 20, "--way", 2, "--shot", 2, "--json")
    scored = json.loads(done.out)["episode_accuracy"]
    assert scored["value"] == pytest.approx(
        model.few_shot().evaluate_episodes(new, way=2, shot=2, query=5, episodes=20).scores["episode_accuracy"].value
    )
    failed = run("evaluate", tmp_path / "model", new, "--way", 3)
    assert failed.code == 1
    assert "takes 3 classes (way=3), and there are 2: 'forest' (12 rows), 'kitchen' (12 rows)" in failed.err
    assert run("evaluate", tmp_path / "model", new, "--shot", 0).code == 2
