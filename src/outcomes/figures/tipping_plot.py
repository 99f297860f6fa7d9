"""What an unmeasured confounder would have to do to explain a result away: a cell for its shares, darker where little would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.figures.fitting import headed
from outcomes.figures.styling import COLOURS, INK, signed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["paint_tipping", "size", "tipping_data", "tipping_in_words"]


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 7.6, 1.9 + 0.55 * released.frame["share_reference"].nunique()


def tipping_data(released: Released) -> pd.DataFrame:
    """Return what is drawn: share_reference, share_arm, for_estimate, for_limit."""
    return released.frame


def paint_tipping(released: Released, axes: list[Axes]) -> None:
    """Write each cell's numbers; the less it would take, the darker."""
    ax, frame = axes[0], tipping_data(released)
    ratio = released.facts["measure"] == "risk_ratio"
    down, across = (sorted(frame[name].unique()) for name in ("share_reference", "share_arm"))
    for row in frame.to_dict("records"):
        x, y = across.index(row["share_arm"]), down.index(row["share_reference"])
        colour: dict[str, Any] = {
            "color": COLOURS[0],
            "alpha": _darkness(row["for_estimate"], ratio=ratio),
            "linewidth": 0,
        }
        ax.fill_between([x - 0.48, x + 0.48], y - 0.46, y + 0.46, **colour)
        ax.annotate(_said(row, ratio=ratio), (x, y), ha="center", va="center", size=9.5, color=INK)
    ax.set_xlim(-0.5, len(across) - 0.5)
    ax.set_ylim(-0.5, len(down) - 0.5)
    ax.set_xticks(range(len(across)), [f"{100 * s:g} %" for s in across])
    ax.set_yticks(range(len(down)), [f"{100 * s:g} %" for s in down])
    ax.grid(visible=False)
    ax.set_xlabel("people in the arm who have it", loc="left")
    ax.set_ylabel("in the reference")
    what = "risk with it over risk without it" if ratio else "events it adds per 100 people"
    limit = " (in brackets: its limit)" if frame["for_limit"].notna().any() else ""
    headed(
        ax,
        released.title,
        f"{what[:1].upper()}{what[1:]} that would explain the estimate{limit} away; –: nothing could",
    )


def _darkness(value: float, *, ratio: bool) -> float:
    """Return how dark a cell is: darkest where little would do."""
    if not np.isfinite(value):
        return 0.0
    away = abs(np.log2(value)) if ratio else 4 * abs(value)
    return float(np.clip(0.45 - 0.16 * away, 0.04, 0.45))


def _said(row: Mapping[Any, Any], *, ratio: bool) -> str:
    if not np.isfinite(row["for_estimate"]):
        return "–" if not np.isfinite(row["for_limit"]) else f"– ({_number(row['for_limit'], ratio=ratio)})"
    limit = f" ({_number(row['for_limit'], ratio=ratio)})" if np.isfinite(row["for_limit"]) else ""
    return f"{_number(row['for_estimate'], ratio=ratio)}{limit}"


def _number(value: float, *, ratio: bool) -> str:
    return f"{value:.2f}" if ratio else signed(100 * value, 0)


def tipping_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    return f"A table by the share of people who have an unmeasured confounder in each arm. {released.text}"
