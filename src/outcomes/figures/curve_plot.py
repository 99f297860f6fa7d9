"""Curves of the arms over time, with numbers at risk and events so far under the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.durations import DAYS_PER_YEAR, in_words
from outcomes.figures.styling import GREY, INK, arm_style, headed, percent
from outcomes.results import in_capitals

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "curve_axes", "curve_data", "curves_in_words", "paint_curves", "size", "spread", "time_axis", "under_the_axis", "weighted_how",
]  # fmt: skip

_LINE = 15.0  # points between lines of the table under the axis
_GAP = 0.062  # share of the axis that two labels must lie apart
_LETTER = 5.0  # points of a digit under the axis
_BESIDE = 90.0  # points beside an axis that go to its own labels, and to the values at the ends of curves
_PLACE = 0.775  # share of a figure's width that an Axes alone is given before anything is laid out
_SHORT = 18  # letters of a name that need no more room
_ROUND = (0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches: more for long names, and for many arms."""
    arms = released.facts["arms"]
    wide = 8.6 + 0.13 * max(0, _longest(released) - _SHORT)
    return wide, (5.4 if len(_causes(released)) == 1 else 8.4) + 0.3 * max(0, len(arms) - 3)


def curve_axes(figure: Figure, released: Released) -> list[Axes]:
    """Return one Axes for the outcome and, in a row under it, one for each competing event that occurred."""
    competing = _causes(released)[1:]
    if not competing:
        return [figure.add_subplot()]
    grid = figure.add_gridspec(2, len(competing), height_ratios=[1.7, 1.0], hspace=0.03)
    below = [figure.add_subplot(grid[1, i]) for i in range(len(competing))]
    return [figure.add_subplot(grid[0, :]), *below]


def curve_data(released: Released) -> pd.DataFrame:
    """Return the steps that are drawn: arm, cause, time, estimate, conf_low, conf_high."""
    return released.frame[["arm", "cause", "time", "estimate", "conf_low", "conf_high"]]


def _causes(released: Released) -> list[str]:
    """Return the outcome, and the competing events that occurred."""
    frame, (outcome, *others) = released.frame, released.facts["causes"]
    return [outcome, *(c for c in others if (frame.loc[frame["cause"] == c, "n_events"] > 0).any())]


def paint_curves(released: Released, axes: list[Axes]) -> None:
    """Draw the outcome on the first Axes, each competing event on one of the others: none on Axes that are one."""
    frame, causes = curve_data(released), _causes(released)
    main = frame[frame["cause"] == causes[0]]
    _panel(axes[0], released, main, _top(released, main))
    headed(axes[0], released.title, _what_is_drawn(released))
    under_the_axis(axes[0], released, causes[0])
    others = frame[frame["cause"].isin(causes[1:])]
    for index, (ax, cause) in enumerate(zip(axes[1:], causes[1:], strict=False), start=1):
        _panel(ax, released, frame[frame["cause"] == cause], _top(released, others), small=True)
        ax.set_title(f"{cause}, competing", size=9.5, weight="normal", pad=6)
        ax.tick_params(labelleft=index == 1)


def _top(released: Released, frame: pd.DataFrame) -> float:
    """Return the end of the vertical axis: 1 for shares still free, else a round share above all that is drawn."""
    if not released.facts["rising"]:
        return 1.0
    highest = float(np.nanmax(frame[["estimate", "conf_high"]].to_numpy()))
    return next((share for share in _ROUND if highest <= share), 1.0)


def _panel(ax: Axes, released: Released, frame: pd.DataFrame, top: float, *, small: bool = False) -> None:
    for index, arm in enumerate(released.facts["arms"]):
        mine, look = frame[frame["arm"] == arm], arm_style(index)
        ax.step(mine["time"], mine["estimate"], where="post", label=arm, **look)
        ax.fill_between(
            mine["time"], mine["conf_low"], mine["conf_high"], step="post", color=look["color"], alpha=0.13, linewidth=0
        )
    ax.set_ylim(0, top)
    ax.yaxis.set_major_formatter(percent)
    time_axis(ax, released, small=small)
    _direct_labels(ax, released, frame, top, small=small)


def time_axis(ax: Axes, released: Released, *, small: bool) -> None:
    """Mark round times, in years where days are many."""
    unit, end = released.facts["unit"], released.facts["horizon"]
    in_years = unit == "days" and end >= DAYS_PER_YEAR
    times = released.frames["marks"]["time"].drop_duplicates().to_numpy()
    ax.set_xlim(0, end)
    ax.set_xticks(times, [f"{t / DAYS_PER_YEAR:.1f}".removesuffix(".0") if in_years else f"{t:g}" for t in times])
    ax.set_xlabel("years" if small and in_years else f"{'years' if in_years else unit} since time zero", loc="left")


def spread(wanted: list[float], gap: float, low: float) -> list[float]:
    """Return heights at least `gap` apart and not below `low`, as near as may be to those wanted, in the same order.

    Examples
    --------
    >>> spread([0.5, 0.5], 0.1, 0.0), spread([0.01, 0.02], 0.1, 0.05)
    ([0.45, 0.55], [0.05, 0.15])
    """
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    placed = [wanted[i] for i in order]
    for _ in range(50):
        for k in range(1, len(placed)):
            short = max(gap - (placed[k] - placed[k - 1]), 0.0)
            placed[k - 1], placed[k] = placed[k - 1] - short / 2, placed[k] + short / 2
    placed[0] = max(placed[0], low)
    for k in range(1, len(placed)):
        placed[k] = max(placed[k], placed[k - 1] + gap)
    return [round(placed[order.index(i)], 10) for i in range(len(wanted))]


def _direct_labels(ax: Axes, released: Released, frame: pd.DataFrame, top: float, *, small: bool) -> None:
    """Write each arm's name and last value at the end of its line, in dark grey, apart from each other."""
    arms, gap = released.facts["arms"], _GAP * top * (2.2 if small else 1.0)
    last = [float(frame.loc[frame["arm"] == arm, "estimate"].iloc[-1]) for arm in arms]
    for index, (arm, value, height) in enumerate(zip(arms, last, spread(last, gap, gap / 2), strict=True)):
        said = f"{100 * value:.1f} %" if small else f"{arm} {100 * value:.1f} %"
        place: dict[str, Any] = {
            "xycoords": ("axes fraction", "data"),
            "textcoords": "offset points",
            "annotation_clip": False,
        }
        ax.annotate(said, (1, height), (22, 0), va="center", size=9.5, color=INK, **place)
        line: dict[str, Any] = {"arrowstyle": "-", "linewidth": 2.2, "shrinkA": 0, "shrinkB": 3, **arm_style(index)}
        ax.annotate("", (1, height), (19, 0), arrowprops=line, **place)


def _event(released: Released) -> str:
    facts = released.facts
    outcome = facts["causes"][0].replace("_", " ")
    return (
        f"{outcome} reoffence proven within {facts['proven_within']}"
        if facts["proven_within"]
        else f"event '{outcome}'"
    )


def _what_is_drawn(released: Released) -> str:
    facts = released.facts
    lead = "Estimated share with" if facts["rising"] else "Estimated share still without"
    weighted = weighted_how(released)
    apart = f" as if nobody left by {' or '.join(facts['censored'])}" if facts["censored"] else ""
    return f"{lead} {_event(released)}{apart}, {weighted}; bands: {100 * facts['conf_level']:g} % intervals"


def weighted_how(released: Released) -> str:
    """Return to whom the arms were weighted, in a word or two."""
    estimand = released.facts["estimand"]
    return {"none": "unadjusted", "weighted": "weighted"}.get(estimand, f"weighted ({in_capitals(estimand)})")


def under_the_axis(ax: Axes, released: Released, cause: str) -> None:
    """Write people at risk (and events so far) at round times, one line an arm."""
    table = released.frames["marks"]
    table = table[table["cause"] == cause]
    small: dict[str, Any] = {"size": 9, "va": "center", "textcoords": "offset points"}
    ax.annotate("People at risk (events so far)", (0, 0), (0, -46), xycoords="axes fraction", color=GREY, **small)
    shown = _with_room(ax, released, table)
    for index, arm in enumerate(released.facts["arms"], start=1):
        below = -46 - _LINE * index
        ax.annotate(arm, (0, 0), (-12, below), xycoords="axes fraction", ha="right", color=INK, **small)
        for row in table[(table["arm"] == arm) & table["time"].isin(shown)].to_dict("records"):
            side = "left" if row["time"] == 0 else "right" if row["time"] >= released.facts["horizon"] else "center"
            said = f"{row['n_at_risk']:,} ({row['n_events']:,})"
            ax.annotate(
                said, (row["time"], 0), (0, below), xycoords=("data", "axes fraction"), ha=side, color=INK, **small
            )


def _longest(released: Released) -> int:
    return max(len(str(arm)) for arm in released.facts["arms"])


def _with_room(ax: Axes, released: Released, table: pd.DataFrame) -> Any:
    """Return the times whose counts can stand beside each other under an axis of this width."""
    times = np.sort(table["time"].unique())
    if len(times) < 2:
        return times
    longest = max(len(f"{n:,} ({e:,})") for n, e in zip(table["n_at_risk"], table["n_events"], strict=True))
    figure = ax.get_figure(root=True)
    inches = figure.get_figwidth() if figure is not None else 8.6
    names = (
        2 * _LETTER * _longest(released) + _BESIDE
    )  # arms are named on the left of the counts, and at the ends of the curves
    points = max(72 * inches * ax.get_position().width / _PLACE - names, 1.0)
    apart = points / (len(times) - 1)
    step = max(1, int(np.ceil((longest * _LETTER + _LETTER) / apart)))
    return times[::step]


def curves_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    facts, frame = released.facts, released.frame
    end = frame[frame["time"] == frame["time"].max()]
    when = in_words(facts["horizon"]) if facts["unit"] == "days" else f"{facts['horizon']:g} {facts['unit']}"
    start = released.frames["marks"].query("time == 0").drop_duplicates("arm")
    people = ", ".join(f"{int(row['n_at_risk']):,} in {row['arm']}" for row in start.to_dict("records"))
    parts = []
    for row in end[end["cause"].isin(_causes(released))].to_dict("records"):
        level = (
            f"{100 * facts['conf_level']:g} % interval {100 * row['conf_low']:.1f} to {100 * row['conf_high']:.1f} %"
        )
        parts.append(f"{row['cause']}, {row['arm']}: {100 * row['estimate']:.1f} % ({level})")
    return f"Step curves over {when}, by arm ({people} at the start). {_what_is_drawn(released)}. By the end: {'; '.join(parts)}."
