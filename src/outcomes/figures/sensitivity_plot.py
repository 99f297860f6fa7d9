"""A difference over the share of events that are recorded, with its band and the shares at which the answer tips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.figures.fitting import headed, wrapped
from outcomes.figures.styling import COLOURS, GREY, INK, PALE, signed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["paint_sensitivity", "sensitivity_data", "sensitivity_in_words", "size"]


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 7.6, 4.8


def sensitivity_data(released: Released) -> pd.DataFrame:
    """Return the curve that is drawn: share (of 100 events), estimate, conf_low, conf_high (per 100 people), verdict."""
    return released.frame


def paint_sensitivity(released: Released, axes: list[Axes]) -> None:
    """Draw the difference with its band; what is recorded in full stands on the right, and each share at which it tips is named."""
    ax, frame, facts = axes[0], sensitivity_data(released), released.facts
    if facts["margin"] is not None:
        ax.axhspan(-facts["margin"], facts["margin"], color=PALE, alpha=0.5, linewidth=0, zorder=0)
    ax.axhline(0.0, color=INK, linewidth=1.2, zorder=1)
    ax.fill_between(frame["share"], frame["conf_low"], frame["conf_high"], color=COLOURS[0], alpha=0.13, linewidth=0)
    ax.plot(frame["share"], frame["estimate"], color=COLOURS[0])
    _tips(ax, released.frames["tipping"], float(frame["share"].mean()))
    ax.set_xlabel(wrapped(facts["axis"], 430.0, 10.5), loc="left")
    ax.set_ylabel("difference per 100 people")
    ax.yaxis.set_major_formatter(lambda value, _: signed(value, 1).removesuffix(".0"))
    shaded = f"; grey: differences within the margin of {facts['margin']:g}" if facts["margin"] is not None else ""
    headed(ax, released.title, f"{facts['said']}. Below 0: fewer in {facts['arms'][1]}{shaded}")


def _tips(ax: Axes, tips: pd.DataFrame, middle: float) -> None:
    """Mark each share at which something tips, the names one under the other at the foot."""
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.09 * len(tips) * (high - low), high)
    for place, (what, share) in enumerate(zip(tips["what"], tips["share"], strict=True)):
        ax.axvline(share, color=GREY, linewidth=1.0, linestyle=(0, (5, 2)), zorder=1)
        right = share < middle
        ax.annotate(
            f"{what} {share:.1f}", (share, 0.03 + 0.075 * place), (5 if right else -5, 0), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha="left" if right else "right", va="bottom", size=9.5, color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip


def sensitivity_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    frame, facts = sensitivity_data(released), released.facts
    ends = " and ".join(
        f"{signed(row['estimate'], 1)}{_limits(row)} at {row['share']:.0f}"
        for row in frame.iloc[[-1, 0]].to_dict("records")
    )
    tips = "; ".join(f"{row['what']} {row['share']:.1f}" for row in released.frames["tipping"].to_dict("records"))
    return (
        f"A curve of the difference per 100 people over {facts['axis']}. {facts['said']}. {ends}."
        f"{f' It tips: {tips}.' if tips else ' It tips at no share drawn.'}"
    )


def _limits(row: Mapping[Any, float]) -> str:
    return f" ({signed(row['conf_low'], 1)} to {signed(row['conf_high'], 1)})" if np.isfinite(row["conf_low"]) else ""
