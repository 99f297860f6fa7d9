"""From the risk under one regime to that under the other: what comes from reach, what from effect; and how far people came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.figures.fitting import headed
from outcomes.figures.styling import COLOURS, GREY, INK, LINES, percent, signed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint_waterfall", "size", "waterfall_axes", "waterfall_data", "waterfall_in_words"]

_BAR = 0.56


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 8.6, 6.2


def waterfall_axes(figure: Figure, released: Released) -> list[Axes]:
    """Return an Axes of the waterfall and, under it, one of the steps."""
    return list(figure.subplots(2, 1, height_ratios=(1.0, 1.1)))


def waterfall_data(released: Released) -> pd.DataFrame:
    """Return the bars from the top: label, start, end, estimate, conf_low, conf_high (all per 100 people)."""
    return released.frame


def paint_waterfall(released: Released, axes: list[Axes]) -> None:
    """Draw the bars and, where there is an Axes for them, the steps of each regime."""
    ax, frame, facts = axes[0], waterfall_data(released), released.facts
    for height, row in enumerate(frame.to_dict("records")):
        whole = row["label"] not in facts["parts"]
        low, width = min(row["start"], row["end"]), abs(row["end"] - row["start"])
        ax.barh(-height, width, left=low, height=_BAR, color=COLOURS[0] if whole else COLOURS[1], zorder=2)
        if height + 1 < len(frame):
            ax.plot([row["end"]] * 2, [-height - _BAR / 2, -height - 1 + _BAR / 2], color=GREY, linewidth=1.0, zorder=1)
        ax.annotate(
            _number(row, whole), (1, -height), (12, 0), va="center", size=9.5, color=INK, gid="beside",
            xycoords=("axes fraction", "data"), textcoords="offset points", annotation_clip=False,
        )  # fmt: skip
    ax.set_yticks(-np.arange(len(frame)), list(frame["label"]))
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlim(left=0)
    ax.set_xlabel(facts["axis"], loc="left")
    if len(axes) > 1:
        _steps(released, axes[1])
    headed(ax, released.title, facts["said"])


def _number(row: dict[object, float], whole: bool) -> str:
    if not np.isfinite(row["estimate"]):
        return "no estimate"
    said = f"{row['estimate']:.1f}" if whole else signed(row["estimate"], 1)
    if not np.isfinite(row["conf_low"]):
        return said
    return f"{said} ({signed(row['conf_low'], 1)} to {signed(row['conf_high'], 1)})"


def _steps(released: Released, ax: Axes) -> None:
    """Draw for each regime which share of its caseload took each step."""
    steps, names = released.frames["steps"], list(dict.fromkeys(released.frames["steps"]["step"]))
    ends = []
    for place, (arm, mine) in enumerate(steps.groupby("arm", sort=False)):
        share = mine.set_index("step")["share"].reindex(names).to_numpy()
        ax.plot(range(len(names)), share, color=COLOURS[place], linestyle=LINES[place], marker="o", markersize=6)
        ends.append((float(share[-1]), f"{arm}", COLOURS[place]))
    apart = 0.07
    for step, (at, said, colour) in enumerate(sorted(ends)):
        low = min(value for value, _, _ in ends)
        ax.annotate(
            said, (len(names) - 1, max(at, low + step * apart)), (10, 0), textcoords="offset points", va="center",
            color=colour, size=10, annotation_clip=False,
        )  # fmt: skip
    ax.set_xticks(range(len(names)), names)
    ax.set_ylim(0, 1.04)
    ax.yaxis.set_major_formatter(percent)
    ax.set_title("How far the caseload of each regime came", size=10.5, weight="bold", loc="left")


def waterfall_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    facts, frame = released.facts, waterfall_data(released)
    bars = "; ".join(
        f"{row['label']}: {_number(row, row['label'] not in facts['parts'])}" for row in frame.to_dict("records")
    )
    steps = released.frames["steps"]
    taken = []
    for arm, mine in steps.groupby("arm", sort=False):
        said = ", ".join(f"{row['step']} {100 * row['share']:.0f} %" for row in mine.to_dict("records"))
        taken.append(f"{arm}: {said}")
    return f"Waterfall, {facts['axis']}. {facts['said'].rstrip('.')}. {bars}. Steps of each regime's caseload: {'; '.join(taken)}."
