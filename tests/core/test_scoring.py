from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, log_loss

from core.fakes import Later, Teller
from graftwork.core.rows.examples import make_batch
from graftwork.core.scoring import predict_examples, probabilities, score
from tinyrun import Worlds


def test_predictions_stand_in_order_and_do_not_depend_on_the_batches(fixtures: Worlds):
    fixture = fixtures("transformer")
    network = fixture.network.train()
    whole = predict_examples(network, fixture.train)["label"]
    assert network.training  # as it was
    network.eval()
    with torch.inference_mode():
        for row in range(0, len(fixture.train), 7):
            alone = network(make_batch(fixture.train, network, np.array([row]))).predictions["label"]
            assert np.allclose(alone.numpy()[0], whole[row], atol=1e-5)


def test_scores_are_those_of_scikit_learn_and_more_is_better(fixtures: Worlds):
    fixture = fixtures("cnn")
    given = predict_examples(fixture.network, fixture.valid)
    truth, share = fixture.valid.targets["label"], probabilities(fixture.tasks["label"], given["label"])
    assert score(given, fixture.valid, fixture.tasks, {"label": "accuracy"}) == pytest.approx(
        accuracy_score(truth, share.argmax(1))
    )
    expected = f1_score(truth, share.argmax(1), average="macro", zero_division=0)
    assert score(given, fixture.valid, fixture.tasks, {"label": "macro_f1"}) == pytest.approx(expected)
    assert score(given, fixture.valid, fixture.tasks, {"label": "log_loss"}) == pytest.approx(
        -log_loss(truth, share), abs=1e-6
    )


def test_rows_without_a_label_do_not_count(fixtures: Worlds):
    fixture = fixtures("cnn", "classes", True)
    given = predict_examples(fixture.network, fixture.train)["label"]
    mask = fixture.train.labelled["label"]
    assert not mask.all()
    share = probabilities(fixture.tasks["label"], given)
    expected = accuracy_score(fixture.train.targets["label"][mask], share[mask].argmax(1))
    assert score({"label": given}, fixture.train, fixture.tasks, {"label": "accuracy"}) == pytest.approx(expected)


@pytest.mark.parametrize("listed", [("teller", "later"), ("later", "teller")])
def test_prediction_nests_like_training_whatever_the_order_of_the_list(listed: tuple[str, str], fixtures: Worlds):
    told: list[str] = []
    fakes = {"teller": Teller(told), "later": Later(told)}
    fixture = fixtures("cnn")
    predict_examples(fixture.network, fixture.valid, [fakes[name] for name in listed])
    assert told[:2] == ["teller predict in", "later predict in"]
    assert told[2:4] == ["later predict out", "teller predict out"]
