"""Mean number of events a person over time, with numbers at risk and events so far under the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.durations import in_words
from outcomes.figures.curve_plot import spread, time_axis, under_the_axis, weighted_how
from outcomes.figures.styling import INK, arm_style, headed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["count_data", "counts_in_words", "paint_counts", "size"]

_GAP = 0.062  # share of the axis that two labels must lie apart
_ROUND = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 8.6, 5.4


def count_data(released: Released) -> pd.DataFrame:
    """Return the steps that are drawn: arm, cause, time, estimate, conf_low, conf_high."""
    return released.frame[["arm", "cause", "time", "estimate", "conf_low", "conf_high"]]


def paint_counts(released: Released, axes: list[Axes]) -> None:
    """Draw the mean counts of the arms on the first Axes."""
    ax, frame = axes[0], count_data(released)
    top = _top(frame)
    for index, arm in enumerate(released.facts["arms"]):
        mine, look = frame[frame["arm"] == arm], arm_style(index)
        ax.step(mine["time"], mine["estimate"], where="post", label=arm, **look)
        ax.fill_between(
            mine["time"], mine["conf_low"], mine["conf_high"], step="post", color=look["color"], alpha=0.13, linewidth=0
        )
    ax.set_ylim(0, top)
    ax.set_ylabel("events a person")
    time_axis(ax, released, small=False)
    _direct_labels(ax, released, frame, top)
    headed(ax, released.title, _what_is_drawn(released))
    under_the_axis(ax, released, released.facts["causes"][0])


def _top(frame: pd.DataFrame) -> float:
    """Return a round number above all that is drawn."""
    highest = float(np.nanmax(frame[["estimate", "conf_high"]].to_numpy()))
    if highest <= 0:
        return 1.0
    unit = 10.0 ** np.floor(np.log10(highest))
    return float(next(part * unit for part in _ROUND if highest <= part * unit))


def _direct_labels(ax: Axes, released: Released, frame: pd.DataFrame, top: float) -> None:
    """Write each arm's name and last value at the end of its line, in dark grey, apart from each other."""
    arms, gap = released.facts["arms"], _GAP * top
    last = [float(frame.loc[frame["arm"] == arm, "estimate"].iloc[-1]) for arm in arms]
    place: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "annotation_clip": False,
    }
    for index, (arm, value, height) in enumerate(zip(arms, last, spread(last, gap, gap / 2), strict=True)):
        ax.annotate(f"{arm} {value:.2f}", (1, height), (22, 0), va="center", size=9.5, color=INK, **place)
        line: dict[str, Any] = {"arrowstyle": "-", "linewidth": 2.2, "shrinkA": 0, "shrinkB": 3, **arm_style(index)}
        ax.annotate("", (1, height), (19, 0), arrowprops=line, **place)


def _what_is_drawn(released: Released) -> str:
    facts = released.facts
    outcome = facts["causes"][0].replace("_", " ")
    event = (
        f"{outcome} reoffences proven within {facts['proven_within']}"
        if facts["proven_within"]
        else f"events '{outcome}'"
    )
    present = " while present" if facts["while_present"] else ""
    level = f"bands: {100 * facts['conf_level']:g} % intervals"
    return f"Estimated mean number of {event} a person{present}, {weighted_how(released)}; {level}"


def counts_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    facts, frame = released.facts, count_data(released)
    end = frame[frame["time"] == frame["time"].max()]
    when = in_words(facts["horizon"]) if facts["unit"] == "days" else f"{facts['horizon']:g} {facts['unit']}"
    level = f"{100 * facts['conf_level']:g} % interval"
    parts = [
        f"{row['arm']}: {row['estimate']:.2f} ({level} {row['conf_low']:.2f} to {row['conf_high']:.2f})"
        for row in end.to_dict("records")
    ]
    return f"Step curves over {when}, by arm. {_what_is_drawn(released)}. By the end: {'; '.join(parts)}."
