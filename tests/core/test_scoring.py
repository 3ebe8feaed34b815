from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, log_loss

from core.fakes import Later, Teller
from graftwork.core.examples import make_batch
from graftwork.core.scoring import predict_examples, probabilities, score
from tinyrun import Worlds


def test_predictions_stand_in_order_and_do_not_depend_on_the_batches(worlds: Worlds):
    world = worlds("transformer")
    network = world.network.train()
    whole = predict_examples(network, world.train)["label"]
    assert network.training  # as it was
    network.eval()
    with torch.inference_mode():
        for row in range(0, len(world.train), 7):
            alone = network(make_batch(world.train, network, np.array([row]))).predictions["label"]
            assert np.allclose(alone.numpy()[0], whole[row], atol=1e-5)


def test_scores_are_those_of_scikit_learn_and_more_is_better(worlds: Worlds):
    world = worlds("cnn")
    given = predict_examples(world.network, world.valid)
    truth, share = world.valid.targets["label"], probabilities(world.tasks["label"], given["label"])
    assert score(given, world.valid, world.tasks, {"label": "accuracy"}) == pytest.approx(
        accuracy_score(truth, share.argmax(1))
    )
    expected = f1_score(truth, share.argmax(1), average="macro", zero_division=0)
    assert score(given, world.valid, world.tasks, {"label": "macro_f1"}) == pytest.approx(expected)
    assert score(given, world.valid, world.tasks, {"label": "log_loss"}) == pytest.approx(
        -log_loss(truth, share), abs=1e-6
    )


def test_rows_without_a_label_do_not_count(worlds: Worlds):
    world = worlds("cnn", "classes", True)
    given = predict_examples(world.network, world.train)["label"]
    mask = world.train.labelled["label"]
    assert not mask.all()
    share = probabilities(world.tasks["label"], given)
    expected = accuracy_score(world.train.targets["label"][mask], share[mask].argmax(1))
    assert score({"label": given}, world.train, world.tasks, {"label": "accuracy"}) == pytest.approx(expected)


@pytest.mark.parametrize("listed", [("teller", "later"), ("later", "teller")])
def test_prediction_nests_like_training_whatever_the_order_of_the_list(listed: tuple[str, str], worlds: Worlds):
    told: list[str] = []
    fakes = {"teller": Teller(told), "later": Later(told)}
    world = worlds("cnn")
    predict_examples(world.network, world.valid, [fakes[name] for name in listed])
    assert told[:2] == ["teller predict in", "later predict in"]
    assert told[2:4] == ["later predict out", "teller predict out"]
