"""In which state people are over time: shares stacked to the whole, one panel an arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outcomes.disclosure.releasing import Released
from outcomes.durations import in_words
from outcomes.figures.curve_plot import spread, time_axis, weighted_how
from outcomes.figures.styling import COLOURS, INK, headed, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint_states", "size", "state_axes", "state_data", "states_in_words"]

_GAP = 0.055  # share of the axis that two labels must lie apart
_HATCHES = ("", "///", "...", "xxx")  # the next four states share the colours of the first


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 9.2, 1.2 + 3.6 * len(released.facts["arms"])


def state_axes(figure: Figure, released: Released) -> list[Axes]:
    """Return one Axes an arm, one under the other."""
    axes = figure.subplots(len(released.facts["arms"]), 1, squeeze=False, gridspec_kw={"hspace": 0.08})
    return [ax for row in axes for ax in row]


def state_data(released: Released) -> pd.DataFrame:
    """Return the bands that are drawn: arm, state, time, estimate, and the heights low and high between which a state lies."""
    frame = released.frame[["arm", "state", "time", "estimate"]]
    high = frame.groupby(["arm", "time"], sort=False)["estimate"].cumsum()
    return frame.assign(low=high - frame["estimate"], high=high)


def paint_states(released: Released, axes: list[Axes]) -> None:
    """Draw each arm on an Axes of its own, or, where there is one Axes only, the first arm on it."""
    frame = state_data(released)
    arms = released.facts["arms"][: len(axes)]
    for ax, arm in zip(axes, arms, strict=False):
        mine = frame[frame["arm"] == arm]
        for index, state in enumerate(released.facts["states"]):
            band = mine[mine["state"] == state]
            look = {"color": COLOURS[index % len(COLOURS)], "hatch": _HATCHES[index // len(COLOURS) % len(_HATCHES)]}
            ax.fill_between(
                band["time"], band["low"], band["high"], step="post", label=state, alpha=0.75, edgecolor="white",
                facecolor=look["color"], hatch=look["hatch"], linewidth=1.0,
            )  # fmt: skip
        ax.set_ylim(0, 1)
        ax.yaxis.set_major_formatter(percent)
        time_axis(ax, released, small=False)
        _direct_labels(ax, mine)
    headed(axes[0], released.title, f"{_what_is_drawn(released)} In {arms[0]}:")
    for ax, arm in zip(axes[1:], arms[1:], strict=True):
        ax.set_title(f"In {arm}:", size=9.5, weight="normal", pad=6)


def _direct_labels(ax: Axes, frame: pd.DataFrame) -> None:
    """Write each state's name and last share beside its band, in dark grey, apart from each other."""
    last = frame[frame["time"] == frame["time"].max()].to_dict("records")
    heights = spread([(row["low"] + row["high"]) / 2 for row in last], _GAP, _GAP / 2)
    place: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "annotation_clip": False,
    }
    for row, height in zip(last, heights, strict=True):
        said = f"{row['state'].replace('_', ' ')} {100 * row['estimate']:.1f} %"
        ax.annotate(said, (1, height), (8, 0), va="center", size=9.5, color=INK, **place)


def _what_is_drawn(released: Released) -> str:
    return f"Estimated share of people in each state over time, {weighted_how(released)}, from the bottom in the order named."


def states_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    facts, frame = released.facts, state_data(released)
    when = in_words(facts["horizon"]) if facts["unit"] == "days" else f"{facts['horizon']:g} {facts['unit']}"
    end = frame[frame["time"] == frame["time"].max()]
    parts = []
    for arm in facts["arms"]:
        rows = end[end["arm"] == arm].to_dict("records")
        shares = ", ".join(f"{row['state'].replace('_', ' ')} {100 * row['estimate']:.1f} %" for row in rows)
        parts.append(f"{arm}: {shares}")
    return f"Stacked shares over {when}, one panel an arm. {_what_is_drawn(released)} By the end: {'; '.join(parts)}."
