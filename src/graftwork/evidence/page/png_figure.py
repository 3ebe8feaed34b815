"""A matplotlib figure that a notebook shows as a picture, whether or not it has been told to show plots."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


class PngFigure(Figure):
    """As its base; a notebook asks for the picture."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=120)
        return buffer.getvalue()
