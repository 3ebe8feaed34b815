"""Which candidates the default tries, and in which order: written by `benchmarks/portfolio.py --write`.

Learned from 34 sets (docs/benchmarks.md). At 300 seconds learned orders are better than the one set by hand, which
stands elsewhere.
"""

from __future__ import annotations

from graftwork.runs.candidates.orders import Line, Span

PORTFOLIO: tuple[Line, ...] = (
    Line(
        kind="text",
        order=(
            "kernel probe",
            "mlp probe",
            "linear probe",
            "tune",
        ),
        up_to=145,
    ),
    Line(
        kind="text",
        order=(
            "kernel probe",
            "mlp probe",
            "plain fine-tuning",
            "linear probe",
            "tune",
            "tune, all blocks",
        ),
        rows=Span(0, 10000),
    ),
    Line(
        kind="text",
        order=(
            "kernel probe",
            "mlp probe",
            "linear probe",
            "tune",
        ),
    ),
    Line(
        kind="image",
        order=(
            "kernel probe",
            "mlp probe",
            "linear probe",
            "tune",
        ),
        up_to=145,
    ),
    Line(
        kind="image",
        order=(
            "kernel probe",
            "tune, twice as long",
            "mlp probe",
            "linear probe",
            "tune",
        ),
        rows=Span(0, 10000),
    ),
    Line(
        kind="image",
        order=(
            "kernel probe",
            "mlp probe",
            "linear probe",
            "tune",
        ),
    ),
    Line(
        kind="audio",
        order=(
            "kernel probe",
            "mlp probe",
            "linear probe",
            "tune",
        ),
    ),
    Line(
        kind="table",
        order=(
            "plain linear probe",
            "kernel probe",
            "mlp probe",
            "linear probe",
            "boosting",
            "train",
        ),
    ),
    Line(
        kind="several",
        order=(
            "kernel probe",
            "mlp probe",
            "linear probe",
            "each kind alone",
            "late fusion",
            "tune",
        ),
    ),
)
