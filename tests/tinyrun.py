"""Tiny runs on a Transformer, an RNN and a CNN: what the tests of the core and the conformance suite train.

`fixtures(base, task, unlabelled)` builds a network and its examples once; `Fixture.run` makes a run on a copy.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import torch

from graftwork.core.fit import Fitted, Observer, fit
from graftwork.core.parallel.workers import ALONE, Workers
from graftwork.core.rows.examples import Examples, prepare
from graftwork.core.rows.old_rows import OldRows
from graftwork.core.run import Run, make_run
from graftwork.core.settings import Training
from graftwork.core.technique import TeacherOutputs, Technique
from graftwork.core.training.checkpoint import Checkpointing
from graftwork.data.columns.text import TextSettings
from graftwork.data.rollouts import Rollouts
from graftwork.data.table import Column, Kind, Schema, Table
from graftwork.networks.base_settings import TrainingRows
from graftwork.networks.bases.registry import parse_base
from graftwork.networks.heads.head import Head
from graftwork.networks.heads.rows import RowHead
from graftwork.networks.network import Network
from graftwork.tasks.bandit import Bandit
from graftwork.tasks.classification import Classification
from graftwork.tasks.embedding.few_shot import FewShot
from graftwork.tasks.embedding.retrieval import Retrieval
from graftwork.tasks.multilabel import Multilabel
from graftwork.tasks.regression import Regression
from graftwork.tasks.task import Task
from pictures import tiny_image_model
from tiny import tiny_bert, tiny_rows
from tinysound import encoded, tone

BASES = ("transformer", "rnn", "cnn")
"""Worlds of one text column. "image" has one of pictures, as "normed", whose base has batch norm; "audio" has one of
tones; "mixed" has a text, a picture and a table, and rows that lack the picture. "wide" has a tone too and two targets,
"wide-episodes" episodes and a number, as "pictures", which has pictures alone: what no other fixture has together."""
TASKS = ("classes", "many", "number", "pairs")
"""What is learned; "pairs" aligns two texts, and has no target column."""
DEPTH = 3
"""Blocks of every tiny base."""
TRAINING = Training(
    lr=3e-3, head_lr=1e-2, steps=6, batch=8, evaluations=2, warmup=0.25, weight_decay=0.05, precision="fp32"
)
SEED = 3
TEACHER = "teacher"
"""The name under which techniques of these runs find a teacher."""
OLD = "old.csv"
"""The name under which they find rows of an old task."""
DOMAINS = ("far", "here", "there")
METRICS = {"classes": "log_loss", "many": "log_loss", "number": "rmse", "pairs": "reciprocal_rank"}

Worlds = Callable[..., "Fixture"]


@dataclass(frozen=True, eq=False)
class Fixture:
    """A network as it comes from its base, its task, and examples of 40 training and 16 validation rows."""

    network: Network
    tasks: dict[str, Task]
    train: Examples
    valid: Examples
    metric: str | dict[str, str]
    spec: str | dict[str, str]
    schema: Schema

    @property
    def metrics(self) -> dict[str, str]:
        """What each target is scored by."""
        return self.metric if isinstance(self.metric, dict) else dict.fromkeys(self.tasks, self.metric)

    @property
    def teacher_outputs(self) -> TeacherOutputs:
        """What a made-up teacher says of the training rows."""
        draw = np.random.default_rng(SEED)
        widths = {name: task.outputs for name, task in self.tasks.items() if task.target == "column"}
        made = {name: draw.normal(size=(len(self.train), width)).astype(np.float32) for name, width in widths.items()}
        return TeacherOutputs(made, draw.normal(size=(len(self.train), 5)).astype(np.float32))

    @property
    def old_rows(self) -> OldRows:
        """The last fifth of the training rows, as if they had had another target before; the head read all of them."""
        rows, width = len(self.train), self.network.width
        there = np.arange(rows) >= rows - rows // 5
        task = Classification().learn(pa.chunked_array([["new", "old"]]), "old table")

        def heads() -> dict[str, Head]:
            with torch.random.fork_rng():
                torch.manual_seed(SEED)
                return {"before": RowHead(width, 2)}

        return OldRows({"before": task}, {"before": np.arange(rows) % 2}, {"before": there}, heads)

    @property
    def rollouts(self) -> Rollouts:
        """Eight made-up rollouts of the training rows; every ninth row belongs to none."""
        draw, at = np.random.default_rng(SEED), np.arange(len(self.train))
        rollout = np.where(at % 9 == 4, -1, at % 8)
        return Rollouts(rollout, at // 8, np.where(rollout < 0, 0.0, draw.normal(size=len(at))))

    def run(
        self,
        techniques: Sequence[Technique] = (),
        *,
        started: bool = True,
        workers: Workers = ALONE,
        **changes: Any,
    ) -> Run:
        """A run on a copy of the network; `changes` are training settings."""
        return make_run(
            copy.deepcopy(self.network),
            self.tasks,
            techniques,
            replace(TRAINING, **changes),
            replace(self.train, old_rows={OLD: self.old_rows}, rollouts=self.rollouts),
            self.valid,
            metrics=self.metrics,
            seed=SEED,
            started=started,
            ask={TEACHER: self.teacher_outputs}.__getitem__,
            workers=workers,
        )

    def fit(
        self,
        techniques: Sequence[Technique] = (),
        *,
        observers: Sequence[Observer] = (),
        checkpoints: Checkpointing | None = None,
        workers: Workers = ALONE,
        **changes: Any,
    ) -> tuple[Run, Fitted]:
        run = self.run(techniques, workers=workers, **changes)
        return run, fit(run, observers=observers, checkpoints=checkpoints)


class Killed(Exception):
    """Stands for a process that is stopped."""


def kill_at(step: int) -> Observer:
    """An observer that stops the run after this step, before its checkpoint is written."""

    def observe(progress: Any) -> None:
        if progress.step == step:
            raise Killed

    return observe


def weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Whether two sets of weights are equal to the bit."""
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())


def make_worlds(folder: Path) -> Worlds:
    """The builder of fixtures; `folder` takes the files of the tiny Transformer."""
    bert = tiny_bert(folder / "bert", num_hidden_layers=DEPTH - 1, hidden_size=16, num_attention_heads=2)
    specs = {
        "transformer": str(bert),
        "rnn": "gru:width=16,layers=2,dropout=0.2",
        "cnn": "cnn:width=16,layers=2,widths=2+3,dropout=0.2",
    }

    @cache
    def build(base: str = "transformer", task: str = "classes", unlabelled: bool = False) -> Fixture:
        fixture = make(base, task, unlabelled)
        for encoder in fixture.network.each_encoder():
            assert encoder.facts  # found out once, by running the encoder, and not in every copy
        return fixture

    def make(base: str, task: str, unlabelled: bool) -> Fixture:
        if base in ALONE:
            return _alone(base, task, unlabelled, ALONE[base])
        if base == "normed":
            return _alone("image", task, unlabelled, str(tiny_image_model(folder / "resnet", "resnet")))
        if base == "episodes":
            return _episodes(specs["cnn"], unlabelled)
        if base == "logs":
            return _logs(specs["cnn"], unlabelled)
        if base == "several":
            return _several(specs["transformer"], unlabelled)
        if base == "mixed":
            return _mixed(specs["cnn"], task, unlabelled)
        if base.startswith("wide"):
            photo = str(tiny_image_model(folder / "resnet", "resnet"))
            named = {"text": specs["cnn"], **MIXED, "photo": photo, "tone": ALONE["audio"]}
            return _wide(named, EPISODIC if base == "wide-episodes" else TWO, unlabelled)
        if base == "pictures":
            return _wide({"photo": str(tiny_image_model(folder / "vit", "vit"))}, EPISODIC, unlabelled)
        if task == "pairs":
            return _pairs(specs[base], unlabelled)
        rows = [(text, topic) for at, (text, topic) in enumerate(tiny_rows(78)) if topic != "food" or at % 4 == 0]
        table = _table(rows, task)
        train, valid, tasks = _parts(table, task, unlabelled)
        encoder = parse_base(specs[base]).build(TrainingRows(lambda: [text for text, _ in rows]), SEED)
        with torch.random.fork_rng():
            torch.manual_seed(SEED)
            head = RowHead(encoder.width, tasks["label"].outputs)
        network = Network({"text": encoder}, {"label": head})
        text = TextSettings()
        examples = [prepare(part, network, tasks, text) for part in (train, valid)]
        return Fixture(network, tasks, *examples, METRICS[task], specs[base], table.schema)

    return build


def _table(rows: Sequence[tuple[str, str]], task: str) -> Table:
    targets: dict[str, list[Any]] = {
        "classes": [topic for _, topic in rows],
        "many": [topic + (";long" if len(text) > 20 else "") for text, topic in rows],
        "number": [float(len(text)) for text, _ in rows],
    }
    places = [DOMAINS[(len(text) + at) % 3] for at, (text, _) in enumerate(rows)]
    data = pa.table({"text": [text for text, _ in rows], "label": targets[task], "place": places})
    label = Column("label", "number" if task == "number" else "category", "target")
    schema = Schema((Column("text", "text"), label, Column("place", "category", "domain", DOMAINS)))
    return Table(data, schema, "tiny", np.arange(1, len(rows) + 1))


def pairs_table(unlabelled: bool = False) -> Table:
    """Texts, and the same words the other way round; with `unlabelled` every fourth row lacks those."""
    texts = [text for text, _ in tiny_rows(56)]
    others = [" ".join(reversed(text.split())) for text in texts]
    kept = [None if unlabelled and at % 4 == 1 else other for at, other in enumerate(others)]
    schema = Schema((Column("text", "text"), Column("other", "text")))
    return Table(pa.table({"text": texts, "other": kept}), schema, "tiny", np.arange(1, len(texts) + 1))


def _pairs(spec: str, unlabelled: bool) -> Fixture:
    table = pairs_table(unlabelled)
    train, valid = table.take(np.arange(40)), table.take(np.arange(40, 56))
    tasks: dict[str, Task] = {"label": Retrieval(width=8).learn_rows(train, "label")}
    encoder = parse_base(spec).build(TrainingRows(lambda: table.values("text")), SEED)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        head = RowHead(2 * encoder.width, tasks["label"].outputs, "towers", (encoder.width, encoder.width))
    network = Network({"text": encoder, "other": encoder}, {"label": head})
    examples = [prepare(part, network, tasks, TextSettings()) for part in (train, valid)]
    return Fixture(network, tasks, *examples, METRICS["pairs"], spec, table.schema)


def _without_labels(table: Table) -> Table:
    """Every fourth row without a label."""
    labels = [None if at % 4 == 1 else value for at, value in enumerate(table.values("label"))]
    place = table.data.column_names.index("label")
    data = table.data.set_column(place, "label", pa.array(labels, table.column("label").type))
    return replace(table, data=data)


def _parts(table: Table, task: str, unlabelled: bool) -> tuple[Table, Table, dict[str, Task]]:
    train, valid = table.take(np.arange(40)), table.take(np.arange(40, 56))
    kind: Task = {"classes": Classification(), "many": Multilabel(), "number": Regression()}[task]
    tasks = {"label": kind.learn(train.column("label"), "train")}
    return _without_labels(train) if unlabelled else train, valid, tasks


def _episodes(spec: str, unlabelled: bool) -> Fixture:
    """Texts, from whose topics episodes are drawn: the task few-shot."""
    table = _table([(text, topic) for at, (text, topic) in enumerate(tiny_rows(78)) if at % 5], "classes")
    train, valid, _ = _parts(table, "classes", unlabelled)
    task: Task = FewShot(way=2, query=2, episodes=4).learn(train.column("label"), "train")
    encoder = parse_base(spec).build(TrainingRows(lambda: table.values("text")), SEED)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        head = RowHead(encoder.width, task.outputs)
    network = Network({"text": encoder}, {"label": head})
    examples = [prepare(part, network, {"label": task}, TextSettings()) for part in (train, valid)]
    return Fixture(network, {"label": task}, *examples, "episode_accuracy", spec, table.schema)


def logs_table(unlabelled: bool = False) -> Table:
    """Texts, of which one of three actions was chosen: it brought about 1 where it was the topic's own, as in two of
    three rows; with `unlabelled` every fourth row lacks the action."""
    rows = tiny_rows(78)
    topics = sorted({topic for _, topic in rows})
    chosen = [topic if at // 3 % 2 else topics[(at // 6 + at) % 3] for at, (_, topic) in enumerate(rows)]
    brought = [float(chosen[at] == topic) + at % 2 / 10 for at, (_, topic) in enumerate(rows)]
    data = pa.table(
        {
            "text": [text for text, _ in rows],
            "label": [None if unlabelled and at % 4 == 1 else action for at, action in enumerate(chosen)],
            "reward": brought,
            "chance": [(0.6, 0.7, 0.8)[at % 3] for at in range(len(rows))],
        }
    )
    roles = (Column("reward", "number", "reward"), Column("chance", "number", "propensity"))
    schema = Schema((Column("text", "text"), Column("label", "category", "target"), *roles))
    return Table(data, schema, "tiny", np.arange(1, len(rows) + 1))


def _logs(spec: str, unlabelled: bool) -> Fixture:
    """Texts, of which actions were chosen: the task bandit."""
    table = logs_table(unlabelled)
    train, valid = table.take(np.arange(40)), table.take(np.arange(40, 56))
    tasks: dict[str, Task] = {"label": Bandit(support=2).learn_rows(train, "label")}
    encoder = parse_base(spec).build(TrainingRows(lambda: table.values("text")), SEED)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        head = RowHead(encoder.width, tasks["label"].outputs)
    network = Network({"text": encoder}, {"label": head})
    examples = [prepare(part, network, tasks, TextSettings()) for part in (train, valid)]
    return Fixture(network, tasks, *examples, "policy_value", spec, table.schema)


def mixed_table(task: str = "classes", rows: Sequence[tuple[str, str]] | None = None) -> Table:
    """Texts, pictures in the topic's colour (every third is missing), a number and a category."""
    rows = rows or tiny_rows(78)
    plain = _table(rows, task)
    pictures = [None if at % 3 == 2 else picture(topic, at) for at, (_, topic) in enumerate(rows)]
    numbers = [len(text) + at % 3 for at, (text, _) in enumerate(rows)]
    shops = [("old", "new", topic)[at % 3] for at, (_, topic) in enumerate(rows)]
    data = plain.data.append_column("photo", pa.array(pictures, pa.binary()))
    data = data.append_column("size", pa.array(numbers)).append_column("shop", pa.array(shops))
    inputs = (Column("text", "text"), Column("photo", "image"), Column("size", "number"), Column("shop", "category"))
    return replace(plain, data=data, schema=Schema((*inputs, *plain.schema.columns[1:])))


SEVERAL: dict[str, Task] = {"label": Classification(), "many": Multilabel(), "number": Regression()}
"""Targets of the fixture `several`, of all kinds."""


def several_table(unlabelled: bool = False) -> Table:
    """Texts with three targets, of which many rows lack one; with `unlabelled`, every eleventh lacks all."""
    rows = tiny_rows(78)
    tables = {name: _table(rows, task) for name, task in (("label", "classes"), ("many", "many"), ("number", "number"))}
    lacking = {"label": 4, "many": 5, "number": 3}
    columns: dict[str, list[Any]] = {"text": [text for text, _ in rows]}
    for name, table in tables.items():
        values = table.values("label")
        columns[name] = [
            None if at % lacking[name] == 2 or (unlabelled and at % 11 == 0) else value
            for at, value in enumerate(values)
        ]
    kinds: dict[str, Kind] = {"label": "category", "many": "category", "number": "number"}
    targets = (Column(name, kind, "target") for name, kind in kinds.items())
    return Table(pa.table(columns), Schema((Column("text", "text"), *targets)), "tiny", np.arange(1, len(rows) + 1))


def _several(spec: str, unlabelled: bool) -> Fixture:
    table = several_table(unlabelled)
    train, valid = table.take(np.arange(40)), table.take(np.arange(40, 56))
    tasks = {name: task.learn(train.column(name), "train") for name, task in SEVERAL.items()}
    encoder = parse_base(spec).build(TrainingRows(lambda: table.values("text")), SEED)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        heads = {name: RowHead(encoder.width, task.outputs) for name, task in tasks.items()}
    network = Network({"text": encoder}, heads)
    examples = [prepare(part, network, tasks, TextSettings()) for part in (train, valid)]
    metrics = {"label": "log_loss", "many": "log_loss", "number": "r2"}
    return Fixture(network, tasks, *examples, metrics, spec, table.schema)


MIXED = {"photo": "small-cnn:width=8,blocks=1,size=8", "table": "table-mlp:embedding=4,width=8,layers=1"}


def _mixed(text_base: str, task: str, unlabelled: bool) -> Fixture:
    table = mixed_table(task)
    train, valid, tasks = _parts(table, task, unlabelled)
    return _joined(train, valid, tasks, {"text": text_base, **MIXED}, METRICS[task])


TWO: dict[str, Task] = {"label": Classification(), "number": Classification()}
EPISODIC: dict[str, Task] = {"label": FewShot(way=2, query=4, episodes=4), "number": Regression()}
"""Targets of the fixtures `wide` and `wide-episodes`."""


def _wide(named: dict[str, str], kinds: dict[str, Task], unlabelled: bool) -> Fixture:
    """Those inputs of the mixed table and of tones that have a base, with these targets."""
    rows = [(text, topic) for at, (text, topic) in enumerate(tiny_rows(78)) if at % 5]
    whole = mixed_table(rows=rows)
    columns = {name: whole.values(name) for name in whole.data.column_names}
    columns["tone"] = [clip(topic, at) for at, (_, topic) in enumerate(rows)]
    columns["photo"] = [picture(topic, at) for at, (_, topic) in enumerate(rows)]
    sizes = [len(text) for text, _ in rows]
    columns["number"] = list(map(float, sizes)) if kinds is EPISODIC else [("few", "many")[size > 20] for size in sizes]
    inputs = [column for column in (*whole.schema.inputs, Column("tone", "audio")) if column.name in named]
    inputs += [column for column in whole.schema.inputs if "table" in named and column.kind in ("number", "category")]
    targets = [
        Column(name, "number" if task.name == "regression" else "category", "target") for name, task in kinds.items()
    ]
    schema = Schema((*inputs, *targets, *(column for column in whole.schema.columns if column.role == "domain")))
    table = Table(pa.table(columns), schema, "tiny", np.arange(1, len(rows) + 1))
    train, valid = table.take(np.arange(40)), table.take(np.arange(40, 56))
    tasks = {name: task.learn(train.column(name), "train") for name, task in kinds.items()}
    metrics = {"label": "episode_accuracy", "number": "r2"} if kinds is EPISODIC else dict.fromkeys(kinds, "log_loss")
    return _joined(_without_labels(train) if unlabelled else train, valid, tasks, named, metrics)


def _joined(
    train: Table, valid: Table, tasks: dict[str, Task], named: dict[str, str], metric: str | dict[str, str]
) -> Fixture:
    """A network over all inputs of the tables, by the bases named."""
    schema = train.schema
    encoders = {}
    for one in schema.modalities:
        columns = tuple(column for column in schema.inputs if column.name in one.columns)
        rows = TrainingRows(lambda: train.values("text"), columns, train)
        encoders[one.name] = parse_base(named[one.name], one.modality).build(rows, SEED)
    if "text" in encoders:
        encoders["text"].pretrained = True
    width = sum(encoder.width for encoder in encoders.values())
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        heads = {name: RowHead(width, task.outputs) for name, task in tasks.items()}
    network = Network(encoders, heads, sources={one.name: one.columns for one in schema.modalities})
    examples = [prepare(part, network, tasks, TextSettings()) for part in (train, valid)]
    return Fixture(network, tasks, *examples, metric, named, schema)


ALONE: dict[str, str] = {
    "image": "small-cnn:width=8,blocks=1,size=8",
    "audio": "mel-cnn:width=4,layers=3,rate=2000,mels=16,dropout=0.1",
}
"""Worlds of one column that is no text, and their bases."""


def _alone(kind: Literal["image", "audio"], task: str, unlabelled: bool, spec: str) -> Fixture:
    """Pictures in the topic's colour, or tones of the topic's pitch."""
    rows = tiny_rows(56)
    plain, make = _table(rows, task), picture if kind == "image" else clip
    column = Column(kind, kind)
    values = [make(topic, at) for at, (_, topic) in enumerate(rows)]
    table = replace(
        plain,
        data=plain.data.append_column(kind, pa.array(values, pa.binary())),
        schema=Schema((column, *plain.schema.columns[1:])),
    )
    train, valid, tasks = _parts(table, task, unlabelled)
    encoder = parse_base(spec, kind).build(TrainingRows(list, (column,), train), SEED)
    with torch.random.fork_rng():
        torch.manual_seed(SEED)
        head = RowHead(encoder.width, tasks["label"].outputs)
    network = Network({kind: encoder}, {"label": head})
    examples = [prepare(part, network, tasks, TextSettings()) for part in (train, valid)]
    return Fixture(network, tasks, *examples, METRICS[task], spec, table.schema)


def clip(topic: str, at: int) -> bytes:
    pitch = {"animals": 150.0, "weather": 400.0, "food": 800.0}[topic]
    return encoded(tone(pitch + 5 * at, 0.12 + 0.02 * (at % 3), 2000, seed=at), 2000)


def picture(topic: str, at: int) -> bytes:
    from PIL import Image

    pixels = np.random.default_rng(at).integers(0, 120, (8, 8, 3), dtype=np.uint8)
    pixels[..., ("animals", "weather", "food").index(topic)] += 100
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue()
