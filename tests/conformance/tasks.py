"""The table of tasks that drives `test_every_task.py`. A new task is one new row here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from scipy.special import log_softmax
from sklearn.metrics import log_loss, mean_pinball_loss
from torch.nn import functional as F

from graftwork import specs
from graftwork.data.table import Kind
from graftwork.data.tensors import Tensors
from graftwork.networks.heads.hidden_tokens import NOTHING
from graftwork.tasks.bandit import Bandit
from graftwork.tasks.classification import Classification
from graftwork.tasks.decision import Decision
from graftwork.tasks.embedding.few_shot import FewShot
from graftwork.tasks.embedding.identity import Identity
from graftwork.tasks.embedding.retrieval import Retrieval
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.pretext.masked_image import MaskedImage
from graftwork.tasks.pretext.masked_language import MaskedLanguage
from graftwork.tasks.pretext.masked_mel import MaskedMel
from graftwork.tasks.pretext.simclr import SimCLR
from graftwork.tasks.quantile_regression import QuantileRegression
from graftwork.tasks.regression import Regression
from graftwork.tasks.task import Task
from graftwork.tasks.tokens.tagging import Tagging
from tiny import tiny_rows
from tinyrun import clip, picture

TOPICS = tiny_rows(90)
TEXTS = [text for text, _ in TOPICS]
TARGET = "label"
LOG: dict[str, list[Any]] = {
    "game": [f"game {at % 15}" for at in range(len(TEXTS))],
    "move": [at // 15 for at in range(len(TEXTS))],
    "points": [float(at % 7) for at in range(len(TEXTS))],
    "gain": [3.0 - at % 4 if at < 12 else at % 3 for at in range(len(TEXTS))],
    "chance": [0.2 + at % 5 / 10 for at in range(len(TEXTS))],
}
"""Columns of logged rollouts and choices, for tasks that learn from those."""
MEDIA = {"image": picture, "audio": clip}
"""What stands in an input that holds no texts."""


@dataclass(frozen=True, eq=False)
class Row:
    """target: from a row's text, its topic and its number to what the target column holds; None where the inputs say
    what is learned. answer: (task, a batch's targets) -> the predictions that say them as surely as can be.
    loss: (task, one row's predictions, its target) -> its loss, computed another way than the task does; None where
    rows are compared with each other, which a test of their own covers.

    inputs: that are read, of this kind, by this base.
    unknown: a value that training never had, and that is refused; None where any is taken.
    roles: of columns beside the inputs and the target, by role.
    """

    task: Task
    target: Callable[[str, str, int], Any] | None
    answer: Callable[[Any, Any], Tensors]
    loss: Callable[[Any, Any, Any], float] | None
    inputs: tuple[str, ...] = ("text",)
    unknown: Any = None
    kind: Kind = "text"
    base: str = "gru:width=8"
    roles: Mapping[str, str] = field(default_factory=lambda: {"domain": "place"})

    def __str__(self) -> str:
        return self.spec

    @property
    def spec(self) -> str:
        return specs.write(self.task, self.task.name)

    def values(self) -> list[Any]:
        """What the target column holds."""
        assert self.target is not None
        return [self.target(text, topic, at) for at, (text, topic) in enumerate(TOPICS)]

    def data(self, missing: Sequence[int] = ()) -> pa.Table:
        """Two texts a row, a domain, and the target, which the rows `missing` lack (an input, where there is none)."""
        others = [" ".join(reversed(text.split())) for text in TEXTS]
        columns: dict[str, Any] = {"text": TEXTS, "other": others}
        if self.kind in MEDIA:
            columns = {self.inputs[0]: [MEDIA[self.kind](topic, at) for at, (_, topic) in enumerate(TOPICS)]}
        lacking = TARGET if self.target is not None else self.inputs[-1]
        if self.target is not None:
            columns[TARGET] = self.values()
        columns[lacking] = [None if at in missing else value for at, value in enumerate(columns[lacking])]
        columns["place"] = [("far", "here")[at % 2] for at in range(len(TEXTS))]
        columns |= {name: made for name, made in LOG.items() if name in self.roles.values()}
        return pa.table(columns)


def sure(task: Task, target: torch.Tensor) -> torch.Tensor:
    """Logits that leave no doubt about a class index of each row."""
    return 20.0 * F.one_hot(target.clamp(min=0), task.outputs).float()


def sure_of_each(task: Task, target: torch.Tensor) -> torch.Tensor:  # noqa: ARG001
    """Logits that leave no doubt about each class (B, C)."""
    return 20.0 * (2.0 * target.float() - 1.0)


def together(task: Retrieval, target: torch.Tensor) -> Tensors:
    """Both sides of a row are the same direction, another one for each content."""
    _, codes = torch.unique(target[:, 0], return_inverse=True)
    side = torch.eye(task.width)[codes]
    learned = {"scale": 3.0} | ({"bias": -10.0} if task.contrast == "siglip" else {})
    return {
        "first": side,
        "second": side,
        **{name: torch.full((len(target), 1), each) for name, each in learned.items()},
    }


def of_class(task: Task, logits: np.ndarray, target: np.ndarray) -> float:  # noqa: ARG001
    return float(-log_softmax(logits.astype(float))[int(target)])


def of_classes(task: Task, logits: np.ndarray, target: np.ndarray) -> float:  # noqa: ARG001
    sigmoid = 1 / (1 + np.exp(-logits.astype(float)))
    return float(np.mean([log_loss([t], [p], labels=[0, 1]) for t, p in zip(target, sigmoid, strict=True)]))


LEVELS = (0.2, 0.5, 0.7)


def pinball(task: QuantileRegression, predictions: np.ndarray, target: np.ndarray) -> float:
    found = zip(predictions, task.levels, strict=True)
    each = [mean_pinball_loss([target], [quantile], alpha=level) for quantile, level in found]
    return float(np.mean(each))


def sure_of_tokens(task: Task, target: torch.Tensor) -> Tensors:
    """Logits that leave no doubt about the code of each token (B, L)."""
    return {"logits": sure(task, target), "counts": torch.ones(target.shape, dtype=torch.bool)}


def of_tokens(task: Task, prediction: Mapping[str, np.ndarray], target: np.ndarray) -> float:
    """Cross-entropy of each token that a label is asked of, summed."""
    asked = np.flatnonzero(target >= 0)
    return float(sum(of_class(task, prediction["logits"][at], target[at]) for at in asked))


def spans_of(text: str, topic: str, at: int) -> list[dict[str, Any]]:
    """The first word has a label of its topic, and of every other row the last one another."""
    words = text.split()
    first = {"start": 0, "end": len(words[0]), "label": topic}
    last = {"start": len(text) - len(words[-1]), "end": len(text), "label": "last"}
    return [first, last] if at % 2 and len(words) > 1 else [first]


VOCABULARY = 200
"""As many tokens as there may be at most."""


def sure_of_hidden_tokens(task: Task, target: Mapping[str, torch.Tensor]) -> Tensors:  # noqa: ARG001
    """Logits that leave no doubt about each hidden token (B, M)."""
    known = F.one_hot(target["tokens"].clamp(min=0), VOCABULARY)
    return {"logits": 20.0 * known.float(), "tokens": target["tokens"]}


def of_hidden_tokens(task: Task, prediction: Mapping[str, np.ndarray], target: Mapping[str, np.ndarray]) -> float:
    """Cross-entropy of each token that was hidden, summed."""
    asked = np.flatnonzero(target["tokens"] != NOTHING)
    return float(sum(of_class(task, prediction["logits"][at], target["tokens"][at]) for at in asked))


def alike(task: Task, target: torch.Tensor) -> torch.Tensor:
    """Views of a picture are the same direction, another one for each picture."""
    _, codes = torch.unique(target, return_inverse=True)
    return torch.eye(task.outputs)[codes]


def as_logged(task: Bandit, target: torch.Tensor) -> Tensors:
    """The logged action is chosen, and what it brought is expected of it."""
    action = F.one_hot(target[:, 0].long().clamp(min=0), task.actions).float()
    return torch.cat([20.0 * action, action * task.standardised(target[:, 1:2])], dim=1)


def of_logged(task: Bandit, predictions: np.ndarray, target: np.ndarray) -> float:
    """Cross-entropy of the logged action times what it brought, by its chance, and the squared error of that."""
    action, reward, propensity = int(target[0]), float(target[1]), float(target[2])
    said = predictions.astype(float)
    gain = np.clip((reward - task.log.low) / (task.log.high - task.log.low), 0, 1) / task.log.scale
    chosen = float(log_softmax(said[: task.actions])[action]) * min(1 / propensity, task.clip)
    return float((said[task.actions + action] - task.standardised(reward)) ** 2 - gain * chosen)


def what_was_there(task: Task, target: Mapping[str, torch.Tensor]) -> Tensors:  # noqa: ARG001
    """The hidden values themselves."""
    return {"values": target["values"], "wanted": target["values"], "hidden": target["hidden"]}


def distance(task: Task, prediction: Mapping[str, np.ndarray], target: Mapping[str, np.ndarray]) -> float:  # noqa: ARG001
    """Of each hidden value, summed."""
    pairs = zip(prediction["values"].flat, target["values"].flat, target["hidden"].flat, strict=True)
    return float(sum(abs(float(one) - float(other)) for one, other, hidden in pairs if hidden))


SMALL_CNN = "small-cnn:width=8,size=8"
MEL_GRU = "mel-gru:width=8,rate=2000,mels=16"
MEL_CNN = "mel-cnn:width=4,layers=3,rate=2000,mels=16"


def topic_of(text: str, topic: str, at: int) -> str:  # noqa: ARG001
    return topic


def words_of(text: str, topic: str, at: int) -> list[str]:
    return [topic, *(["long"] if len(text) > 20 else []), *(["odd"] if at % 2 else [])]


ALL = (
    Row(Classification(), topic_of, sure, of_class, unknown="music"),
    Row(
        Decision(),
        topic_of,
        sure,
        of_class,
        unknown="music",
        roles={"domain": "place", "rollout": "game", "step": "move", "reward": "points"},
    ),
    Row(Multilabel(), words_of, sure_of_each, of_classes, unknown=["music"]),
    Row(Multilabel(threshold=0.3), lambda *row: ";".join(words_of(*row)), sure_of_each, of_classes, unknown="music"),
    Row(
        Regression(),
        lambda text, _, at: len(text) + at / 10,
        lambda _, target: target[:, None],
        lambda _, prediction, target: float((prediction[0] - target) ** 2),
        unknown="many",
    ),
    Row(
        Regression(log=True),
        lambda text, _, at: len(text) + at / 10,
        lambda _, target: target[:, None],
        lambda _, prediction, target: float((prediction[0] - target) ** 2),
        unknown="many",
    ),
    Row(
        QuantileRegression(levels=LEVELS),
        lambda text, _, at: len(text) + at / 10,
        lambda _, target: target[:, None].repeat(1, 3),
        pinball,
        unknown="many",
    ),
    Row(Identity(), lambda _, topic, at: f"{topic} {at % 4}", sure, of_class),
    Row(FewShot(way=2, query=2, episodes=4), lambda _, topic, at: f"{topic} {at % 4}", sure, of_class),
    Row(Tagging(), spans_of, sure_of_tokens, of_tokens, unknown=[{"start": 0, "end": 2, "label": "music"}]),
    Row(
        Bandit(),
        topic_of,
        as_logged,
        of_logged,
        unknown="music",
        roles={"domain": "place", "reward": "gain", "propensity": "chance"},
    ),
    Row(MaskedLanguage(), None, sure_of_hidden_tokens, of_hidden_tokens),
    Row(MaskedLanguage(rate=0.4), None, sure_of_hidden_tokens, of_hidden_tokens),
    Row(SimCLR(width=90), None, alike, None, ("photo",), kind="image", base=SMALL_CNN),
    Row(MaskedImage(patch=2), None, what_was_there, distance, ("photo",), kind="image", base=SMALL_CNN),
    Row(MaskedMel(frames=2, bands=4), None, what_was_there, distance, ("tone",), kind="audio", base=MEL_GRU),
    Row(MaskedMel(frames=2, bands=4, share=0.3), None, what_was_there, distance, ("tone",), kind="audio", base=MEL_CNN),
    Row(Retrieval(width=16), None, together, None, ("text", "other")),
    Row(Retrieval(width=16, contrast="siglip"), None, together, None, ("text", "other")),
)
