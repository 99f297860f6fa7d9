"""Standardised differences between the arms before and after weighting, largest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.figures.styling import COLOURS, GREY, INK, PALE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["love_data", "love_in_words", "paint_love", "size"]


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 8.6, 1.8 + 0.27 * len(love_data(released))


def love_data(released: Released) -> pd.DataFrame:
    """Return one row a covariate or level: label, smd_before, smd_after (absolute values), smallest before first.

    Of several arms the largest of all pairs.
    """
    sizes = ["smd_before", "smd_after"]
    frame = released.frame.assign(**{name: released.frame[name].abs() for name in sizes})
    frame = frame.groupby(["term", "level"], sort=False)[sizes].max().reset_index()
    label = [f"{term}: {level}" if level else term for term, level in zip(frame["term"], frame["level"], strict=True)]
    out = frame[sizes]
    out.insert(0, "label", [text.replace("_", " ") for text in label])
    out = out.dropna(subset=["smd_before"])
    return out.sort_values(["smd_before", "label"], kind="stable").reset_index(drop=True)


def paint_love(released: Released, axes: list[Axes]) -> None:
    """Draw one line a covariate: a hollow square before, a filled circle after."""
    ax, frame = axes[0], love_data(released)
    height = np.arange(len(frame))
    ax.hlines(height, frame["smd_after"], frame["smd_before"], color=PALE, linewidth=2, zorder=1)
    hollow: dict[str, Any] = {"marker": "s", "facecolor": "white", "edgecolor": COLOURS[1], "linewidth": 1.8}
    ax.scatter(frame["smd_before"], height, s=42, zorder=3, clip_on=False, label="before", **hollow)
    ax.scatter(
        frame["smd_after"],
        height,
        s=42,
        zorder=4,
        clip_on=False,
        label=f"after {released.facts['done']}",
        marker="o",
        color=COLOURS[0],
    )
    for band, side in zip(released.facts["bands"], ("right", "left"), strict=True):
        ax.axvline(band, color=GREY, linewidth=1, linestyle=(0, (3, 3)), zorder=0)
        ax.annotate(
            f"{band:.2f}", (band, 1), (2 if side == "left" else -2, 3), xycoords=("data", "axes fraction"),
            textcoords="offset points", ha=side, size=8.5, color=INK,
        )  # fmt: skip
    ax.set_yticks(height, frame["label"])
    ax.set_ylim(-0.7, len(frame) - 0.3)
    ax.set_xlim(left=0)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(f"absolute standardised difference between {_between(released)}", loc="left")
    ax.set_title(released.title, pad=18)
    ax.legend(loc="lower right", frameon=True, facecolor="white", edgecolor=PALE, fontsize=9.5)


def _between(released: Released) -> str:
    return "the arms" if len(released.facts["arms"]) == 2 else "any two arms, the largest"


def love_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    frame = love_data(released)
    before, after = frame.iloc[-1], frame.loc[frame["smd_after"].idxmax()]
    counts = " ".join(
        f"Above {band:.2f}: {int((frame['smd_before'] > band).sum())} before, {int((frame['smd_after'] > band).sum())} after."
        for band in released.facts["bands"]
    )
    return (
        f"Dot plot of {len(frame)} absolute standardised differences between {_between(released)}. Largest before: {before['label']}, "
        f"{before['smd_before']:.2f} ({before['smd_after']:.2f} after). Largest after {released.facts['done']}: {after['label']}, "
        f"{after['smd_after']:.2f}. {counts}"
    )
