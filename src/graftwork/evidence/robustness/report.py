"""What was measured of a model's robustness as a folder: JSON, one HTML page, and its curves as PNG."""

from __future__ import annotations

import base64
import json
import re
from importlib.resources import files
from pathlib import Path

from graftwork.data.store.writing import clean, write_bytes, write_text
from graftwork.evidence.robustness.attacks import Attacked
from graftwork.evidence.robustness.corrupted import SEVERITIES, Corrupted
from graftwork.evidence.robustness.measure import Robustness
from graftwork.evidence.robustness.plots import attack_curve, corruption_curves
from graftwork.evidence.robustness.settings import HUGE, UNITS

Rows = list[tuple[str, ...]]
"""A table for people; the first row names the columns."""


def attack_rows(found: Attacked) -> Rows:
    """Accuracy at each strength."""
    rows: Rows = [("epsilon", "gradient attack", "black-box attack"), ("0", found.clean.text, "")]
    for epsilon, share in zip(found.epsilons, found.gradient, strict=True):
        last = epsilon == found.epsilons[-1] and found.black_box is not None
        shown = found.black_box.text if last and found.black_box is not None else ""
        rows.append((_epsilon(epsilon, found.modality), share.text, shown))
    return [*rows, (_epsilon(HUGE[found.modality], found.modality), found.far.text, "")]


def corruption_rows(found: Corrupted) -> Rows:
    """Accuracy at each severity, a corruption a row."""
    rows: Rows = [("corruption", *(f"severity {severity}" for severity in SEVERITIES))]
    rows += [(name, *(share.text for share in shares)) for name, shares in found.each.items()]
    return [*rows, ("mean of all", *("" for _ in SEVERITIES[1:]), f"{100 * found.mean:.1f} %")]


def title(found: Attacked | Corrupted) -> str:
    """Of a table."""
    what = "under attack" if isinstance(found, Attacked) else "under corruption"
    unit = f"; epsilon is a share {UNITS[found.modality]}" if isinstance(found, Attacked) else ""
    return f"accuracy of {found.target} {what} of {found.input} ({found.clean.rows:,} rows{unit})"


def write(found: Robustness, folder: Path) -> None:
    """robustness.json, robustness.html and a PNG a curve into `folder`, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    clean(folder)
    text = json.dumps(found.to_json(), ensure_ascii=False, indent=2)
    write_text(folder / "robustness.json", text + "\n")
    drawn = [(attack_rows(one), title(one), attack_curve(one), _file("attack", one)) for one in found.attacked]
    drawn += [
        (corruption_rows(one), title(one), corruption_curves(one), _file("corrupted", one)) for one in found.corrupted
    ]
    for _, _, png, name in drawn:
        write_bytes(folder / name, png)
    write_text(folder / "robustness.html", _page(found, drawn))


def _page(found: Robustness, drawn: list[tuple[Rows, str, bytes, str]]) -> str:
    from jinja2 import Environment, StrictUndefined

    source = files("graftwork.evidence.robustness").joinpath("robustness.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    parts = [(title, rows, base64.b64encode(png).decode()) for rows, title, png, _ in drawn]
    return environment.from_string(source).render(found=found, parts=parts)


def _file(kind: str, found: Attacked | Corrupted) -> str:
    name = re.sub(r"[^\w-]+", "_", f"{kind}-{found.target}-{found.input}")
    return f"{name}.png"


def _epsilon(value: float, modality: str) -> str:
    grey = value * 255
    return f"{grey:.3g}/255" if modality == "image" and abs(grey - round(grey)) < 1e-6 else f"{value:.4g}"
