"""Small evaluations and reports that several tests use."""

from __future__ import annotations

import numpy as np

from graftwork.evidence.evaluate import evaluate
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.report import Report
from graftwork.evidence.results import Candidate, Curves, Series, Stage
from graftwork.evidence.scores.breakdown import reliability
from graftwork.evidence.scores.intervals import Score
from graftwork.evidence.warnings import DataWarning, Suspect
from graftwork.tasks.classification import Classification
from graftwork.tasks.embedding.identity import Identity
from graftwork.tasks.embedding.retrieval import Retrieval
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.registry import METRICS
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.regression import Regression

MARKUP = "<script>alert('x')</script> & <b>$5$</b> 漢字 中文"


def classification(classes: int = 4) -> Classification:
    labels = [MARKUP, *(f"class number {at}" for at in range(1, classes))]
    return Classification().with_state({"classes": labels, "type": "string"})


def score(metric: str, value: float, low: float = 0.0, high: float = 1.0) -> Score:
    return Score(value, low, high, METRICS[metric])


def single_label(rows: int = 300, classes: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    targets = rng.integers(classes, size=rows)
    logits = rng.normal(size=(rows, classes))
    logits[np.arange(rows), targets] += 2.5
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return targets, probabilities


def evaluation(rows: int = 300, classes: int = 4) -> Evaluation:
    targets, probabilities = single_label(rows, classes)
    texts = [f"row {at}: {MARKUP}" for at in range(rows)]
    return evaluate(
        classification(classes), targets, probabilities, np.arange(1, rows + 1), texts=texts, lengths=np.arange(rows)
    )


def multilabel_evaluation(rows: int = 200) -> Evaluation:
    rng = np.random.default_rng(0)
    task = Multilabel().with_state({"classes": ["a", "b", "c"], "type": "string", "lists": True})
    targets = (rng.random((rows, 3)) < 0.4).astype(np.uint8)
    return evaluate(task, targets, np.clip(0.4 * targets + 0.6 * rng.random((rows, 3)), 0, 1), np.arange(rows))


def regression_evaluation(rows: int = 200) -> Evaluation:
    rng = np.random.default_rng(0)
    task = Regression().with_state({"mean": 50.0, "std": 10.0})
    targets = rng.normal(size=rows).astype(np.float32)
    units = task.truth(targets) + 3 * rng.normal(size=rows)
    return evaluate(task, targets, units[:, None], np.arange(rows))


def report(classes: int = 4, rows: int = 300) -> Report:
    targets, probabilities = single_label(rows, classes)
    sharper = probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True)
    steps = tuple(float(step) for step in range(1, 60))
    return Report(
        title=f"Intents {MARKUP}",
        primary="accuracy",
        evaluations={"test": evaluation(rows, classes), "validation": evaluation(rows // 2, classes)},
        base="minilm (22.7 million parameters)",
        data={"source": "train.csv", "rows": "10,003", "classes": f"{classes}", "target": "label"},
        recipe="base: minilm\ntechniques:\n- lora:rank=16\n- label-smoothing:amount=0.1\nepochs: 3\nseed: 0",
        plan=(("technique", "stages", "trains"), ("lora", "adapt, groups", "0.6 %"), ("label-smoothing", "inputs", "")),
        candidates=(
            Candidate("probe, linear on the last layer", 0.921, 31.0, note="C = 16, normalised"),
            Candidate("fine-tune of the upper two blocks", 0.936, 101.4, kept=True),
        ),
        decision="The fine-tune was kept: it is 1.5 points better on validation than the probe.",
        curves=Curves(
            Series("loss", steps, tuple(3 / step**0.5 for step in steps)),
            (Series("fine-tune", (20.0, 40.0, 59.0), (0.88, 0.92, 0.936)),),
        ),
        temperature=1.37,
        before_temperature=reliability(targets, sharper),
        warnings=(
            DataWarning("duplicates", "12 of 3,080 test rows (0.39 %) also stand in train: rows 3, 17, 20, …"),
            DataWarning("rare classes", f"1 of 77 classes has fewer than 5 training rows: '{MARKUP}' (3)."),
        ),
        suspects=(Suspect(7, MARKUP, "class number 1", 0.97),),
        notes=("The target holds text: classification.", "Validation: 10 % of the training rows, stratified."),
        costs=(Stage("read", 0.3, 0.4), Stage("features", 14.2, 27.9), Stage("fine-tune", 61.0, 101.4)),
        parameters_trained=3_578_445,
        parameters_total=22_713_216,
        peak_memory=812 * 2**20,
        versions={"graftwork": "0.1.0", "torch": "2.13.0"},
        command="graft fit train.csv --target label --with lora:rank=16 --seed 0 --out runs/intents",
    )


def of_classes(counts: dict[str, tuple[int, int]], shift: int = 1) -> Evaluation:
    """By class, how many rows it has and how many of them are right; the wrong ones are taken for the next class."""
    names = list(counts)
    task = Classification().with_state({"classes": names, "type": "string"})
    truth = np.repeat(np.arange(len(names)), [rows for rows, _ in counts.values()])
    chosen = np.concatenate(
        [
            np.where(np.arange(rows) < right, at, (at + shift) % len(names))
            for at, (rows, right) in enumerate(counts.values())
        ]
    )
    probabilities = np.full((len(truth), len(names)), 0.1 / max(len(names) - 1, 1))
    probabilities[np.arange(len(truth)), chosen] = 0.9
    texts = [f"text {at}" for at in range(len(truth))]
    return evaluate(task, truth, probabilities, np.arange(1, len(truth) + 1), texts=texts)


def of_numbers(truth: np.ndarray, predicted: np.ndarray) -> Evaluation:
    task = Regression().with_state({"mean": 0.0, "std": 1.0})
    return evaluate(task, truth, predicted[:, None], np.arange(1, len(truth) + 1))


def of_labels(counts: dict[str, tuple[int, int, int]], rows: int) -> Evaluation:
    """By label, how many rows have it, how many of them are found, and how many others are given it wrongly."""
    names = list(counts)
    task = Multilabel().with_state({"classes": names, "type": "string", "lists": True})
    truth, given = np.zeros((rows, len(names)), np.uint8), np.full((rows, len(names)), 0.1)
    for at, (has, found, wrong) in enumerate(counts.values()):
        truth[:has, at], given[:found, at], given[has : has + wrong, at] = 1, 0.9, 0.9
    return evaluate(task, truth, given, np.arange(1, rows + 1))


def identity_evaluation(people: int = 20, photos: int = 5) -> Evaluation:
    """Photos of so many people; their embeddings are a direction each, with noise."""
    rng = np.random.default_rng(0)
    identities = np.repeat(np.arange(people), photos)
    embeddings = rng.normal(size=(people, 16))[identities] + 0.6 * rng.normal(size=(len(identities), 16))
    embeddings = (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)
    task = Identity().with_state({"classes": ["a", "b"], "type": "string", "calibration": None})
    task = task.calibrated(embeddings, identities)
    texts = [f"photo {at}" for at in range(len(identities))]
    return evaluate(task, identities, embeddings, np.arange(1, len(identities) + 1), texts=texts)


def searches_evaluation() -> Evaluation:
    """40 pairs, of which 30 find each other at once and 10 stand in each other's place."""
    task = with_learned(Retrieval(width=40), sides=(("a",), ("b",)))
    first, second = np.eye(40), np.eye(40)
    for at in range(0, 10, 2):
        second[[at, at + 1]] = second[[at + 1, at]]
    given = np.concatenate([first, second], axis=1).astype(np.float32)
    targets = np.stack([np.arange(40), np.arange(40)], axis=1)
    return evaluate(task, targets, given, np.arange(40))
