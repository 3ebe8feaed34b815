"""Scores by domain."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from evidence.samples import classification, single_label
from evidence.samples import score as of
from graftwork.evidence.evaluate import evaluate
from graftwork.evidence.scores.domains import MOST, DomainScore, domain_scores, summary, to_json
from graftwork.tasks.metrics.registry import METRICS


def score(domain: str, value: float, rows: int = 9) -> DomainScore:
    return DomainScore(domain, rows, {"accuracy": of("accuracy", value), "log_loss": of("log_loss", value, 0.0, 9.0)})


def test_scores_are_those_of_the_domains_rows():
    truth, given = single_label(90, 4)
    names = np.array(["a", None, "b"] * 30, dtype=object)
    found = evaluate(classification(), truth, given, np.arange(90), domains=names).domains
    assert [(one.domain, one.rows) for one in found] == [("a", 30), ("b", 30)]
    for one in found:
        rows, chosen = names == one.domain, given.argmax(1)
        assert one.scores["accuracy"].value == pytest.approx(accuracy_score(truth[rows], chosen[rows]))
        expected = f1_score(truth[rows], chosen[rows], average="macro", zero_division=0, labels=np.unique(truth))
        assert one.scores["macro_f1"].value == pytest.approx(expected, abs=0.05)


def test_only_labelled_rows_count():
    truth, given = single_label(40, 4)
    labelled = np.arange(40) < 25
    found = evaluate(classification(), truth, given, np.arange(40), labelled=labelled, domains=["a", "b"] * 20).domains
    assert [one.rows for one in found] == [13, 12]


def test_a_single_row_has_no_score_and_few_domains_are_many_enough():
    found = domain_scores(["a", "b", "b"], lambda rows: {"accuracy": of("accuracy", len(rows))})
    assert [(one.rows, bool(one.scores)) for one in found] == [(1, False), (2, True)]
    names = [str(at) for at in range(MOST + 5) for _ in range(2)] + ["0"]
    most = domain_scores(names, lambda _: {})
    assert len(most) == MOST
    assert next(one.rows for one in most if one.domain == "0") == 3


def test_mean_and_worst_go_by_the_metric():
    domains = [score("a", 0.5), score("b", 0.25, 90), DomainScore("c", 1, {})]
    accuracy, loss = summary(domains, "accuracy"), summary(domains, "log_loss")
    assert accuracy is not None
    assert loss is not None
    assert (accuracy.mean, accuracy.worst.domain) == (0.375, "b")
    assert loss.worst.domain == "a"
    assert summary(domains[2:], "accuracy") is None
    assert summary(domains, "macro_f1") is None


def test_they_come_back_from_json():
    one = score("a", 0.5)
    assert DomainScore.from_json("a", one.to_json(), METRICS) == one
    data = to_json([one, score("b", 0.25)], "accuracy")
    assert (data["mean"], data["worst"], list(data["domains"])) == (0.375, "b", ["a", "b"])
