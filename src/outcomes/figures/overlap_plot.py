"""Propensity scores by arm: of two arms mirrored, of several one panel a score; where all have people, and where only some have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.disclosure.releasing import Released
from outcomes.figures.fitting import headed, room, wrapped
from outcomes.figures.styling import COLOURS, GREY, INK, arm_style, percent
from outcomes.results import in_capitals

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["overlap_axes", "overlap_data", "overlap_in_words", "paint_overlap", "size"]

_HIGHEST = 0.85  # of the room an arm has in a panel


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    if len(released.facts["arms"]) == 2:
        return 8.6, 4.9
    return max(8.6, 1.5 + 2.9 * len(released.facts["scores"])), 1.9 + 1.1 * len(released.facts["arms"])


def overlap_axes(figure: Figure, released: Released) -> list[Axes]:
    """Return one Axes a score, side by side."""
    return list(figure.subplots(1, len(released.facts["scores"]), squeeze=False, sharey=True)[0])


def overlap_data(released: Released) -> pd.DataFrame:
    """Return the bins that are drawn: arm, score_low, score_high, share, share_weighted; with several arms score_of first."""
    names = ["score_of", "arm", "score_low", "score_high", "share", "share_weighted"]
    return released.frame[[name for name in names if name in released.frame]]


def paint_overlap(released: Released, axes: list[Axes]) -> None:
    """Draw the scores; bars are people, outlines are people as weighted.

    Of two arms the reference is drawn downwards and the other upwards. Of several each score has an Axes on which the arms lie one
    under the other; where there is one Axes only, the first score is drawn.
    """
    if len(released.facts["arms"]) == 2:
        _paint_mirrored(released, axes[0])
    else:
        _paint_panels(released, axes)


def _paint_panels(released: Released, axes: list[Axes]) -> None:
    frame, arms = overlap_data(released), released.facts["arms"]
    unit = float(frame[["share", "share_weighted"]].to_numpy().max()) / _HIGHEST
    for ax, name, (low, high) in zip(axes, released.facts["scores"], released.facts["ranges"], strict=False):
        of_score = frame[frame["score_of"] == name]
        for index, arm in enumerate(arms):
            mine = of_score[of_score["arm"] == arm]
            ax.bar(
                mine["score_low"], mine["share"] / unit, width=mine["score_high"] - mine["score_low"], bottom=-index, align="edge",
                color=COLOURS[index % len(COLOURS)], alpha=0.4, edgecolor="white", linewidth=0.6,
            )  # fmt: skip
            edges = [*mine["score_low"], mine["score_high"].iloc[-1]]
            ax.stairs(mine["share_weighted"] / unit - index, edges, baseline=-index, linewidth=2, **arm_style(index))
            ax.axhline(-index, color=INK, linewidth=0.8)
        for at in (low, high) if low <= high else ():
            ax.axvline(at, color=GREY, linewidth=1, linestyle=(0, (3, 3)), zorder=0)
        ax.set_xlim(0, 1)
        ax.set_ylim(1 - len(arms), 1)
        ax.set_yticks([-index for index in range(len(arms))], list(arms))
        ax.grid(axis="y", visible=False)
        ax.set_xlabel("chance", loc="left")
    headed(
        axes[0],
        released.title,
        f"Share of each arm by score. Bars: as they are; outlines: weighted ({in_capitals(released.facts['estimand'])}); dashed: all arms "
        "have people between",
        across=axes[1:],
    )
    for ax, name in zip(axes, released.facts["scores"], strict=False):
        wide = room(ax, laid_out=True).width
        ax.set_xlabel(wrapped(f"chance of being in {name}", wide, 10.5, fewest=12), loc="left")


def _paint_mirrored(released: Released, ax: Axes) -> None:
    frame, arms = overlap_data(released), released.facts["arms"]
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
    low, high = released.facts["ranges"][0]
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
    if len(released.facts["arms"]) > 2:
        scores = ", ".join(released.facts["scores"])
        return (
            f"Histograms, one panel a score ({scores}), in twenty bins, the arms one under the other. {released.text}"
        )
    parts = []
    for arm in released.facts["arms"]:
        mine = frame[frame["arm"] == arm]
        half = float(mine.loc[mine["score_low"] >= 0.5, "share"].sum())
        parts.append(f"{100 * half:.0f} % of {arm} have a score of one half or more")
    return f"Mirrored histograms of the propensity score in twenty bins. {released.text} {'; '.join(parts)}."
