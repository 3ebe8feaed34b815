"""Which candidates the default tries, and in which order: written by `benchmarks/portfolio.py --write`.

12 of the 34 sets of its grid are measured, and until all are every line says the order that was set by hand.
"""

from __future__ import annotations

from graftwork.runs.candidates.orders import Line

PORTFOLIO: tuple[Line, ...] = (
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
