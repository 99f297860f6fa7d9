"""In which state people are over time: shares stacked to the whole, one panel an arm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.disclosure.releasing import Released
from outcomes.durations import in_words
from outcomes.figures.curve_plot import time_axis, time_ticks, weighted_how
from outcomes.figures.fitting import end_labels, headed, room, settle_ends
from outcomes.figures.styling import COLOURS, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["paint_states", "size", "state_axes", "state_data", "states_in_words"]

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
    named = []
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
        last = mine[mine["time"] == mine["time"].max()].to_dict("records")
        said = [f"{row['state'].replace('_', ' ')} {100 * row['estimate']:.1f} %" for row in last]
        named.append(end_labels(ax, [(row["low"] + row["high"]) / 2 for row in last], said))
    for ax, arm in zip(axes[1:], arms[1:], strict=True):
        ax.set_title(f"In {arm}:", size=9.5, weight="normal", pad=6)
    first = "" if list(arms) == ["all"] else f" In {arms[0]}:"
    free = headed(axes[0], released.title, f"{_what_is_drawn(released)}{first}")
    for ax, labels in zip(axes, named, strict=True):
        here = free if ax is axes[0] else room(ax, laid_out=True)
        settle_ends(ax, labels, here)
        time_ticks(ax, released, here)


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
