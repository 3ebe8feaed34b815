"""The evidence of a merge or a soup: what was tried, and every model's scores on every table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graftwork.data.store.writing import write_text
from graftwork.evidence.page.tables import Grid, Value
from graftwork.evidence.scores.intervals import Score
from graftwork.evidence.words import line, quoted
from graftwork.tasks.metrics.metric import Metric


@dataclass(frozen=True)
class Tried:
    """A way of mixing that was scored on validation. score: more is better; None where nothing was scored."""

    name: str
    score: float | None
    kept: bool


@dataclass(frozen=True)
class Scores:
    """How well each model predicts one target of one table.

    data: the table. metric: by which models are compared. by_model: by model and the metric's name.
    """

    data: str
    rows: int
    target: str
    metric: Metric
    by_model: Mapping[str, Mapping[str, Score]]

    @property
    def primary(self) -> str:
        """The name of the metric by which the models are compared."""
        return self.metric.name


@dataclass(frozen=True)
class MixReport:
    """title: what was mixed. result: what the mixed model is called. models: the others. tried: in their order.

    scored_on: what the scores are of: "test", or "validation" where the way of mixing was chosen on these very rows.
    """

    title: str
    result: str
    models: tuple[str, ...]
    kept: str
    tried: tuple[Tried, ...]
    scores: tuple[Scores, ...]
    scored_on: str
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON data."""
        return {
            "title": self.title,
            "models": list(self.models),
            "kept": self.kept,
            "tried": [{"name": one.name, "score": one.score, "kept": one.kept} for one in self.tried],
            "scored_on": self.scored_on,
            "scores": [
                {
                    "data": one.data,
                    "rows": one.rows,
                    "target": one.target,
                    "primary": one.primary,
                    "models": {
                        model: {metric: interval.to_json() for metric, interval in each.items()}
                        for model, each in one.by_model.items()
                    },
                }
                for one in self.scores
            ],
            "notes": list(self.notes),
        }

    def table(self) -> list[list[str]]:
        """A row for each table and target, a column for each model; the first row names the columns."""
        names = [*self.models, self.result]
        rows = [["data", "target", "metric", *names]]
        for one in self.scores:
            cells = [one.by_model[name][one.primary].text if name in one.by_model else "" for name in names]
            rows.append([f"{one.data} ({one.rows:,} rows)", one.target, one.metric.display, *cells])
        return rows if len(rows) > 1 else []

    def verdicts(self) -> list[str]:
        """What was kept; then for each table and target how the mix does beside the best of the others."""
        return [f"Kept: {line(self.kept)}.", *filter(None, (self._verdict(one) for one in self.scores))]

    def _verdict(self, one: Scores) -> str:
        others = {name: one.by_model[name][one.primary] for name in self.models if name in one.by_model}
        if self.result not in one.by_model or not others:
            return ""
        mixed = one.by_model[self.result][one.primary]
        metric = mixed.metric
        sign = 1.0 if metric.higher_is_better else -1.0
        name, best = max(others.items(), key=lambda at: sign * at[1].value)
        told = (
            f"{line(one.data)}, {quoted(one.target)}: {metric.display.lower()} {metric.text(mixed.value)} for the mix, "
            f"{metric.text(best.value)} for the best of the others, {quoted(name)}."
        )
        alike = mixed.low <= best.high and best.low <= mixed.high
        return f"{told} These {one.rows:,} rows don't tell the two apart." if alike else told

    def page(self) -> str:
        """HTML."""
        from graftwork.evidence.page.page import render

        head, *rows = self.table() or [[]]
        cells = tuple(tuple(Value(line(cell)) for cell in row) for row in rows)
        table = Grid(f"Scores on {self.scored_on} rows, with 95 % intervals", tuple(head), cells) if rows else None
        return render(
            "merged.html.jinja",
            {"report": self, "verdicts": self.verdicts(), "table": table, "tried": self._tried()},
        )

    def _tried(self) -> Grid | None:
        """The ways of mixing, where there was a choice."""
        if len(self.tried) < 2:
            return None
        scores = ["" if one.score is None else f"{one.score:.4f}" for one in self.tried]
        cells = tuple(
            (Value(line(one.name)), Value(score, one.score)) for one, score in zip(self.tried, scores, strict=True)
        )
        kept = frozenset(at for at, one in enumerate(self.tried) if one.kept)
        return Grid("Ways of mixing", ("Mix", "Score on validation"), cells, frozenset({1}), kept)

    def write(self, folder: Path) -> None:
        """`mixed.json` and `report.html` in a model's folder."""
        write_text(folder / "mixed.json", json.dumps(self.to_json(), ensure_ascii=False, indent=1))
        write_text(folder / "report.html", self.page())
