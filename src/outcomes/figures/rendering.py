"""A figure as bytes, the same bytes every time: nothing of the machine, the day or the person in them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from outcomes.figures.styling import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["as_png", "as_svg"]

_MADE_BY = "outcomes"
_DPI = 150


def as_png(figure: Figure, *, description: str) -> bytes:
    """Return the figure as PNG, with its text alternative inside."""
    return _drawn(figure, "png", {"Software": _MADE_BY, "Description": description})


def as_svg(figure: Figure, *, title: str, description: str) -> bytes:
    """Return the figure as SVG, with its title and text alternative inside."""
    return _drawn(figure, "svg", {"Date": None, "Creator": _MADE_BY, "Title": title, "Description": description})


def _drawn(figure: Figure, kind: str, metadata: dict[str, str | None]) -> bytes:
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format=kind, dpi=_DPI, metadata=metadata)
    return buffer.getvalue()
