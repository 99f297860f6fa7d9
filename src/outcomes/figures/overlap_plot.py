"""Propensity scores of two arms, mirrored: where both have people, and where only one has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.disclosure.releasing import Released
from outcomes.figures.fitting import headed
from outcomes.figures.styling import COLOURS, GREY, INK, arm_style, percent
from outcomes.results import in_capitals

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["overlap_data", "overlap_in_words", "paint_overlap", "size"]


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 8.6, 4.9


def overlap_data(released: Released) -> pd.DataFrame:
    """Return the bins that are drawn: arm, score_low, score_high, share, share_weighted."""
    return released.frame[["arm", "score_low", "score_high", "share", "share_weighted"]]


def paint_overlap(released: Released, axes: list[Axes]) -> None:
    """Draw the reference downwards and the other arm upwards; bars are people, outlines are people as weighted."""
    ax, frame, arms = axes[0], overlap_data(released), released.facts["arms"]
    top = 1.16 * float(frame[["share", "share_weighted"]].to_numpy().max())
    for index, arm in enumerate(arms):
        mine, sign = frame[frame["arm"] == arm], -1 if index == 0 else 1
        width = mine["score_high"] - mine["score_low"]
        ax.bar(
            mine["score_low"], sign * mine["share"], width=width, align="edge", color=COLOURS[index],
            alpha=0.45 if index == 0 else 0.32, edgecolor="white", linewidth=0.6,
        )  # fmt: skip
        edges = [*mine["score_low"], mine["score_high"].iloc[-1]]
        ax.stairs(sign * mine["share_weighted"], edges, linewidth=2, **arm_style(index))
        ax.annotate(
            arm, (1, sign * top / 2), (8, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
            weight="bold", color=INK, annotation_clip=False,
        )  # fmt: skip
    ax.axhline(0, color=INK, linewidth=1)
    ax.set_ylim(-top, top)
    ax.set_xlim(0, 1)
    low, high = released.facts["common"]
    for at in (low, high) if low <= high else ():
        ax.axvline(at, color=GREY, linewidth=1, linestyle=(0, (3, 3)), zorder=0)
    ax.yaxis.set_major_formatter(lambda share, _: percent(abs(share)))
    both = (
        f"; dashed: both arms have people from {low:.2f} to {high:.2f}"
        if low <= high
        else "; no range has people of both arms"
    )
    headed(
        ax,
        released.title,
        f"Share of each arm. Bars: as they are; outlines: weighted ({in_capitals(released.facts['estimand'])}){both}",
    )
    ax.set_xlabel(f"propensity score: chance of being in {arms[1]}", loc="left")


def overlap_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    frame = overlap_data(released)
    parts = []
    for arm in released.facts["arms"]:
        mine = frame[frame["arm"] == arm]
        half = float(mine.loc[mine["score_low"] >= 0.5, "share"].sum())
        parts.append(f"{100 * half:.0f} % of {arm} have a score of one half or more")
    return f"Mirrored histograms of the propensity score in twenty bins. {released.text} {'; '.join(parts)}."
