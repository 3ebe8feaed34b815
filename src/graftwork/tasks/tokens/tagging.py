"""Tagging: spans of a text are labelled, such as names of people and places, by character offset."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch.nn import functional as F

from graftwork.data.store.ragged import Ragged, from_rows
from graftwork.data.table import Kind, Table
from graftwork.data.values import Targets
from graftwork.errors import DataError, UsageError
from graftwork.shown import shortened_text
from graftwork.tasks.learned import with_learned
from graftwork.tasks.metrics.metric import Metric
from graftwork.tasks.sampling import DrawsTokens
from graftwork.tasks.section import Grid, Section, SeenRows
from graftwork.tasks.task import NONE, Encoders, Task
from graftwork.tasks.tokens.spans import (
    NOTHING,
    Span,
    encoded,
    ratio,
    span_counts,
    span_f1,
    span_precision,
    span_recall,
    spans_of,
    token_accuracy,
)


@dataclass(frozen=True, kw_only=True)
class Tagging(DrawsTokens, Task):
    """Labelled spans of a text, by character: {"start": 0, "end": 5, "label": "PER"}; cross-entropy of each token.

    Tokens are coded by BIO (Ramshaw & Marcus 1995): 0 outside, 2 k + 1 where a span of label k begins, 2 k + 2 inside.
    A span takes in each token that it touches. Targets are ragged: of each row how many spans of each label no token
    stands for (behind the part of a text that is read), which count as missed, then the codes (K + L,), int64.
    Predictions are `logits` (B, L, 2 K + 1) and `counts` (B, L), which tokens are there.
    """

    name: ClassVar[str] = "tagging"
    target_kinds: ClassVar[tuple[Kind, ...]] = ("text",)
    metric_names: ClassVar[tuple[str, ...]] = ("span_f1", "span_precision", "span_recall", "token_accuracy")
    own_facts: ClassVar[frozenset[str]] = frozenset({"token_outputs", "structured_targets"})
    usual_head: ClassVar[str] = "token-linear"

    labels: tuple[str, ...] = field(default=(), init=False)
    column: str = field(default="", init=False)
    """The text that is labelled."""

    def learn_rows(self, table: Table, name: str) -> Self:
        """Raises UsageError unless there is one input of texts, DataError where no row has a span."""
        texts = [one for one in table.schema.modalities if one.modality == "text"]
        if len(texts) != 1 or len(texts[0].columns) != 1:
            found = ", ".join(one.name for one in texts) or "none"
            raise UsageError(
                f"The task tagging labels spans of one text column, and {table.source} has {len(texts)} ({found}). "
                "Name it: --inputs COLUMN (in Python inputs=[...])."
            )
        labelled = _read(table, name)
        labels = sorted({span["label"] for spans in labelled if spans for span in spans})
        if not labels:
            raise DataError(
                f"{table.source}: no row has a span in '{name}'. Expected lists of spans such as "
                '[{"start": 0, "end": 5, "label": "PER"}].'
            )
        return with_learned(self, labels=tuple(labels), column=texts[0].columns[0])

    @property
    def outputs(self) -> int:
        return 2 * len(self.labels) + 1

    def encode_rows(self, table: Table, name: str, encoders: Encoders = NONE) -> Targets | None:
        if name not in table.data.column_names:
            return None
        labelled, rows = _read(table, name), []
        mask = np.array([spans is not None for spans in labelled], bool)
        if not encoders:  # where tokens stand is not told, only which rows have a target
            return Targets(from_rows([np.zeros(0, np.int64)] * len(labelled)), mask)
        places = self._places(table, encoders)
        texts, number = table.values(self.column), {label: at for at, label in enumerate(self.labels)}
        for at, (spans, stand) in enumerate(zip(labelled, places, strict=True)):
            where = f"{table.source}, row {table.rows[at]}"
            known = [_checked(span, str(texts[at] or ""), number, where) for span in spans or ()]
            codes, lost = encoded(known, stand, len(self.labels))
            if spans is None:
                codes[:] = NOTHING
            rows.append(np.concatenate([lost, codes]))
        return Targets(from_rows(rows), mask)

    def collate(self, values: Ragged, rows: np.ndarray) -> Tensor:
        """Codes (B, L), `NOTHING` behind the end of a row."""
        codes = [torch.from_numpy(row[len(self.labels) :]) for row in values.rows(rows)]
        return torch.nn.utils.rnn.pad_sequence(codes, batch_first=True, padding_value=NOTHING)

    def loss(self, predictions: Mapping[str, Tensor], target: Tensor) -> Tensor:
        """Cross-entropy of each row, summed over its tokens (B,)."""
        logits = predictions["logits"]
        room = logits.shape[1] - target.shape[1]
        target = F.pad(target, (0, room), value=NOTHING) if room >= 0 else target[:, : logits.shape[1]]
        each = F.cross_entropy(logits.transpose(1, 2), target, ignore_index=NOTHING, reduction="none")
        return each.sum(dim=1)

    def units(self, target: Tensor) -> Tensor:
        """Tokens with a label (B,)."""
        return (target != NOTHING).sum(dim=1).float()

    def keep(self, predictions: Mapping[str, Tensor]) -> Sequence[np.ndarray]:
        """The code of each token that is there, of each row (L,)."""
        codes, there = predictions["logits"].argmax(dim=2).cpu().numpy(), predictions["counts"].bool().cpu().numpy()
        return [row[kept] for row, kept in zip(codes, there, strict=True)]

    def located(self, kept: Any, table: Table, encoders: Encoders) -> Ragged:
        """Of each row (L, 3): the codes, and where the tokens stand in the text."""
        pairs = zip(kept, self._places(table, encoders), strict=True)
        return from_rows([np.column_stack([codes[: len(stand)], stand[: len(codes)]]) for codes, stand in pairs])

    def decode(self, kept: Any) -> list[Any]:
        """Spans of each row by character; by token, where rows were not `located`."""
        return [[self._named(span) for span in _placed(np.asarray(row))] for row in kept]

    @property
    def value_type(self) -> pa.DataType:
        return pa.list_(pa.struct({"start": pa.int64(), "end": pa.int64(), "label": pa.string()}))

    def numbers(self, name: str) -> tuple[str, ...]:
        """None: what is said is said of tokens."""
        return ()

    def metrics(self) -> Mapping[str, Metric]:
        known = len(self.labels)
        each = (
            Metric("span_f1", partial(span_f1, known), "kept", True, "F1 of spans", meaning=_MEANT["span_f1"]),
            Metric("span_precision", partial(span_precision, known), "kept", True, "Precision of spans",
                   meaning=_MEANT["span_precision"]),
            Metric("span_recall", partial(span_recall, known), "kept", True, "Recall of spans",
                   meaning=_MEANT["span_recall"]),
            Metric("token_accuracy", partial(token_accuracy, known), "kept", True, "Accuracy of tokens",
                   meaning=_MEANT["token_accuracy"]),
        )  # fmt: skip
        return {metric.name: metric for metric in each}

    def sections(self, truth: Any, kept: Any, rows: SeenRows) -> tuple[Section, ...]:
        """How well the spans of each label are found."""
        sums = span_counts(len(self.labels), truth, kept).sum(axis=0)
        cells = tuple(
            (label, f"{true:,.0f}", f"{said:,.0f}", f"{right:,.0f}", f"{100 * ratio(2 * right, true + said):.1f} %")
            for label, (right, true, said) in zip(self.labels, sums, strict=True)
        )
        sentence = "A span is right where its label and all of its tokens are."
        return (Section("Spans by label", (sentence,), Grid(("label", "there", "predicted", "right", "F1"), cells)),)

    def format(self, value: Any) -> str:
        return f"{len(spans_of(np.asarray(value)))} spans"

    def state(self) -> dict[str, Any]:
        return {"labels": list(self.labels), "column": self.column}

    def with_state(self, state: dict[str, Any]) -> Self:
        return with_learned(self, labels=tuple(map(str, state["labels"])), column=str(state["column"]))

    def _places(self, table: Table, encoders: Encoders) -> list[np.ndarray]:
        """Where the tokens of each row's text stand (L, 2)."""
        reader = encoders.get(self.column)
        if reader is None:
            raise UsageError(
                f"The task tagging reads the tokens of '{self.column}', and nothing reads that input here."
            )
        return [reader.places("" if text is None else str(text)) for text in table.values(self.column)]

    def _named(self, span: Span) -> dict[str, Any]:
        return {"start": int(span.start), "end": int(span.end), "label": self.labels[span.label]}


_MEANT = {
    "span_f1": "harmonic mean of precision and recall of spans; a span is right where its label and all tokens are",
    "span_precision": "share of the predicted spans that are right",
    "span_recall": "share of the spans that are there which are found",
    "token_accuracy": "share of tokens whose code is right; most are outside of all spans",
}


def _placed(row: np.ndarray) -> list[Span]:
    """Spans of a row's codes (L,) by token, or of codes with their places (L, 3) by character."""
    if row.ndim == 1:
        return spans_of(row)
    codes, places = np.where(row[:, 2] > row[:, 1], row[:, 0], NOTHING), row[:, 1:]
    return [Span(places[one.start, 0], places[one.end - 1, 1], one.label) for one in spans_of(codes)]


def _read(table: Table, name: str) -> list[list[dict[str, Any]] | None]:
    """The spans of each row, None where it has no target. In a csv they are written as json."""
    found = list[list[dict[str, Any]] | None]()
    for at, value in enumerate(table.values(name)):
        where = f"{table.source}, row {table.rows[at]}"
        if isinstance(value, str):
            try:
                value = json.loads(value) if value.strip() else None
            except json.JSONDecodeError:
                raise _unreadable(where, value) from None
        spans = value.get("spans", value) if isinstance(value, dict) else value
        if spans is not None and not (isinstance(spans, list) and all(map(_is_span, spans))):
            raise _unreadable(where, value)
        found.append(spans)
    return found


def _is_span(span: Any) -> bool:
    if not isinstance(span, dict) or not {"start", "end", "label"} <= set(span):
        return False
    return all(isinstance(span[key], int) for key in ("start", "end")) and isinstance(span["label"], str)


def _unreadable(where: str, value: Any) -> DataError:
    return DataError(
        f"{where}: '{shortened_text(str(value))}' is no list of spans. Expected, of each row, spans such as "
        '[{"start": 0, "end": 5, "label": "PER"}], with characters counted from 0; an empty list where it has none.'
    )


def _checked(span: dict[str, Any], text: str, number: Mapping[str, int], where: str) -> Span:
    if not 0 <= span["start"] < span["end"] <= len(text):
        raise DataError(
            f"{where}: a span goes from {span['start']} to {span['end']}, and the text has {len(text)} characters. "
            "Expected a start before the end, both within the text, counted from 0."
        )
    if span["label"] not in number:
        raise DataError(
            f"{where}: the label '{shortened_text(span['label'])}' is none of those that training had: "
            f"{', '.join(list(number)[:10])}. Correct it, or train with it."
        )
    return Span(span["start"], span["end"], number[span["label"]])
