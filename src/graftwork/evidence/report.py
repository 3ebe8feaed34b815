"""The evidence of one run, and the files it is written to: report.html, metrics.json, README.md (a model card)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graftwork.data.store.writing import write_text
from graftwork.evidence.evaluation import Evaluation
from graftwork.evidence.forgetting import remembered_json
from graftwork.evidence.page.card import model_card
from graftwork.evidence.page.page import page
from graftwork.evidence.results import Findings
from graftwork.evidence.reward.tuned import tuned_json
from graftwork.evidence.scores.domains import to_json as by_domain
from graftwork.evidence.summary.summarising import summarised
from graftwork.evidence.summary.summary import Summary
from graftwork.evidence.views import report_html, report_lines
from graftwork.evidence.workers import to_json as workers_json


@dataclass(frozen=True, kw_only=True, repr=False)
class Report(Findings):
    """What was found in a run, with the ways to read it: sentences, a page, a model card, JSON, files."""

    @property
    def summary(self) -> Summary:
        """The first screen in plain sentences: how good, where not, made from what, what next."""
        return summarised(self)

    def metrics(self) -> dict[str, Any]:
        """What metrics.json holds: scores with intervals by split (of several targets: by target), what they cost."""
        return {
            "primary": self._each({result.target: result.primary for result in self.results}),
            "scores": self._by_split(lambda evaluation: evaluation.to_json()),
            "rows": self._by_split(lambda evaluation: evaluation.rows),
            "baseline": self._each({r.target: r.baseline.to_json() if r.baseline else None for r in self.results}),
            "temperature": self._each({result.target: result.temperature for result in self.results}),
            **self._inputs(),
            **self._domains(),
            **({"remembered": remembered_json(self.remembered)} if self.remembered else {}),
            **({"tuned": tuned_json(self.tuned)} if self.tuned else {}),
            **self._slices(),
            "seconds": {
                stage.name: {"wall": round(stage.wall_seconds, 3), "cpu": round(stage.cpu_seconds, 3)}
                for stage in self.costs
            },
            **({"workers": workers_json(self.workers)} if self.workers else {}),
            "parameters": {"trained": self.parameters_trained, "total": self.parameters_total},
            "peak_memory_bytes": self.peak_memory,
            "candidates": [
                {"name": each.name, "score": each.score, "cpu_seconds": each.cpu_seconds, "kept": each.kept}
                | ({"kept_is_better_by": each.behind.to_json()} if each.behind else {})
                for each in self.candidates
            ],
            "rows_used": {
                "train": {"used": self.rows_used, "total": self.rows_total},
                "validation": {"used": self.valid_rows_used, "total": self.valid_rows_total},
                "budget_for_all": self.budget_for_all,
            },
            "threads": self.threads,
            "versions": dict(self.versions),
            "command": self.command,
            "summary": self.summary.to_json(),
        }

    def _inputs(self) -> dict[str, Any]:
        """What each input brings; nothing where there is one."""
        found = {r.target: {one.name: one.to_json() for one in r.inputs} for r in self.results if r.inputs}
        return {"inputs": self._each(found)} if found else {}

    def _domains(self) -> dict[str, Any]:
        """Scores by domain: of each split, and of the domains left out; nothing where there is no domain column."""
        seen = {
            split: {r.target: by_domain(e.domains, r.primary) for r in self.results if (e := r.evaluations.get(split))}
            for split in {name: None for r in self.results for name, e in r.evaluations.items() if e.domains}
        }
        found = {split: self._each(of_target) for split, of_target in seen.items()}
        left = {r.target: by_domain(r.left_out, r.primary) for r in self.results if r.left_out}
        return ({"domains": found} if found else {}) | ({"left_out": self._each(left)} if left else {})

    def _slices(self) -> dict[str, Any]:
        """Groups of rows in which it is worse, on the split that counts; nothing where none could be looked at."""
        found = {r.target: r.headline[1].slices for r in self.results if r.evaluations}
        looked = {target: one.to_json() for target, one in found.items() if one.looked_at}
        return {"slices": self._each(looked)} if looked else {}

    def _each(self, by_target: Mapping[str, Any]) -> Any:
        return dict(by_target) if self.more else next(iter(by_target.values()))

    def _by_split(self, what: Callable[[Evaluation], Any]) -> dict[str, Any]:
        splits = dict.fromkeys(split for result in self.results for split in result.evaluations)
        return {
            split: self._each({r.target: what(r.evaluations[split]) for r in self.results if split in r.evaluations})
            for split in splits
        }

    def __repr__(self) -> str:
        return "\n".join(report_lines(self))

    def _repr_html_(self) -> str:
        return report_html(self)

    def to_html(self) -> str:
        """The report as one page that needs no other file."""
        return page(self)

    def model_card(self) -> str:
        """The model card in Markdown."""
        return model_card(self)

    def write(self, folder: Path) -> Path:
        """Write report.html, metrics.json and README.md into `folder`; each is there whole or not at all.

        Returns the path of report.html.
        """
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "metrics.json", json.dumps(self.metrics(), indent=2, ensure_ascii=False) + "\n")
        write_text(folder / "README.md", self.model_card())
        write_text(folder / "report.html", self.to_html())
        return folder / "report.html"
