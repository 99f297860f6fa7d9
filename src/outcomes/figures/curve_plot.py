"""Curves of the arms over time, with numbers at risk and events so far under the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.durations import DAYS_PER_YEAR, in_words
from outcomes.figures.fitting import Room, end_labels, headed, room, settle_ends, thinned
from outcomes.figures.styling import GREY, INK, arm_style, percent, shade
from outcomes.results import in_capitals

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

__all__ = [
    "counts_under", "curve_axes", "curve_data", "curves_in_words", "named_under", "names_too_long", "paint_curves", "size",
    "time_axis", "time_ticks", "weighted_how",
]  # fmt: skip

_LINE = 15.0  # points between lines of the table under the axis
_UNDER = 9.0  # size of what is written under the axis
_NAMED = 0.3  # share of the room of an Axes that names at the ends of curves may take
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
    short = names_too_long(axes[0], released)
    painted = [_panel(axes[0], released, main, _top(released, main), short=short)]
    named_under(axes[0], released, keyed=short)
    others = frame[frame["cause"].isin(causes[1:])]
    for index, (ax, cause) in enumerate(zip(axes[1:], causes[1:], strict=False), start=1):
        painted.append(
            _panel(ax, released, frame[frame["cause"] == cause], _top(released, others), short=True, years_only=True)
        )
        ax.set_title(f"{cause}, competing", size=9.5, weight="normal", pad=6)
        ax.tick_params(labelleft=index == 1)
    free = headed(axes[0], released.title, _what_is_drawn(released))
    counts_under(axes[0], released, causes[0], free)
    looks = [arm_style(index) for index in range(len(released.facts["arms"]))]
    for ax, labels in zip(axes, painted, strict=False):
        here = free if ax is axes[0] else room(ax, laid_out=True)
        settle_ends(ax, labels, here, looks)
        time_ticks(ax, released, here)


def _top(released: Released, frame: pd.DataFrame) -> float:
    """Return the end of the vertical axis: 1 for shares still free, else a round share above all that is drawn."""
    if not released.facts["rising"]:
        return 1.0
    highest = float(np.nanmax(frame[["estimate", "conf_high"]].to_numpy()))
    return next((share for share in _ROUND if highest <= share), 1.0)


def _panel(
    ax: Axes, released: Released, frame: pd.DataFrame, top: float, *, short: bool, years_only: bool = False
) -> list[Annotation]:
    for index, arm in enumerate(released.facts["arms"]):
        mine, look = frame[frame["arm"] == arm], arm_style(index)
        ax.step(mine["time"], mine["estimate"], where="post", label=arm, **look)
        ax.fill_between(
            mine["time"], mine["conf_low"], mine["conf_high"], step="post", color=look["color"], linewidth=0,
            alpha=shade(len(released.facts["arms"])),
        )  # fmt: skip
    ax.set_ylim(0, top)
    ax.yaxis.set_major_formatter(percent)
    time_axis(ax, released, small=years_only)
    arms = released.facts["arms"]
    last = [float(frame.loc[frame["arm"] == arm, "estimate"].iloc[-1]) for arm in arms]
    said = [f"{'' if short else f'{arm} '}{100 * value:.1f} %" for arm, value in zip(arms, last, strict=True)]
    return end_labels(ax, last, said, [arm_style(index) for index in range(len(arms))])


def names_too_long(ax: Axes, released: Released) -> bool:
    """Return whether arms are named under this Axes alone, and not at the ends of their curves too."""
    figure: Any = ax.get_figure(root=True)
    place = ax.get_subplotspec()
    share = ax.get_position().width if place is None else len(place.colspan) / place.get_gridspec().ncols
    return bool(5.4 * (_longest(released) + 7) > _NAMED * 72 * figure.get_figwidth() * share)


def time_axis(ax: Axes, released: Released, *, small: bool) -> None:
    """Mark round times, in years where days are many."""
    unit, end = released.facts["unit"], released.facts["horizon"]
    in_years = unit == "days" and end >= DAYS_PER_YEAR
    times = released.frames["marks"]["time"].drop_duplicates().to_numpy()
    ax.set_xlim(0, end)
    ax.set_xticks(times, _said(times, in_years=in_years))
    ax.set_xlabel("years" if small and in_years else f"{'years' if in_years else unit} since time zero", loc="left")


def _said(times: Any, *, in_years: bool) -> list[str]:
    return [f"{t / DAYS_PER_YEAR:.1f}".removesuffix(".0") if in_years else f"{t:g}" for t in times]


def time_ticks(ax: Axes, released: Released, free: Room) -> None:
    """Keep the marks of the time axis that can stand beside each other."""
    times, end = ax.get_xticks(), float(released.facts["horizon"])
    said = _said(times, in_years=released.facts["unit"] == "days" and end >= DAYS_PER_YEAR)
    width = free.width * float(times[-1] - times[0]) / end
    kept = thinned(len(times), width, max(map(len, said)))
    ax.set_xticks(times[kept], [said[k] for k in kept])


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


def named_under(ax: Axes, released: Released, *, keyed: bool = False) -> None:
    """Name the arms under the axis, one line each, with a piece of the arm's line where `keyed`."""
    from matplotlib.text import OffsetFrom

    small: dict[str, Any] = {"size": _UNDER, "va": "center", "textcoords": "offset points", "xycoords": "axes fraction"}
    ax.annotate("People at risk (events so far)", (0, 0), (0, -46), color=GREY, **small)
    corner = OffsetFrom(ax.patch, (0, 0), "points")
    for index, arm in enumerate(released.facts["arms"]):
        below, look = -46 - _LINE * (index + 1), arm_style(index)
        ax.annotate(arm, (0, 0), (-12 - 30 * keyed, below), ha="right", color=INK, **small)
        if keyed:
            line: dict[str, Any] = {"arrowstyle": "-", "linewidth": 2.2, "shrinkA": 0, "shrinkB": 0, **look}
            ax.annotate("", (-10, below), (-36, below), xycoords=corner, textcoords=corner, arrowprops=line)


def counts_under(ax: Axes, released: Released, cause: str, free: Room) -> None:
    """Write people at risk (and events so far) at those round times whose counts can stand beside each other."""
    table, end = released.frames["marks"], float(released.facts["horizon"])
    table = table[table["cause"] == cause]
    times = np.sort(table["time"].unique())
    letters = [(row["time"], len(_counted(row))) for row in table.to_dict("records")]
    longest = max(count for _, count in letters)
    first = max(
        count for time, count in letters if time == times[0]
    )  # begins at its time; the others have it in their middle
    width = free.width * float(times[-1] - times[0]) / end
    shown = times[thinned(len(times), width, max(longest, first + (longest + 1) // 2), size=_UNDER)]
    small: dict[str, Any] = {"size": _UNDER, "va": "center", "textcoords": "offset points"}
    for index, arm in enumerate(released.facts["arms"], start=1):
        for row in table[(table["arm"] == arm) & table["time"].isin(shown)].to_dict("records"):
            side = "left" if row["time"] == 0 else "right" if row["time"] >= end else "center"
            below = (0, -46 - _LINE * index)
            place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "ha": side, "color": INK}
            ax.annotate(_counted(row), (row["time"], 0), below, **place, **small)


def _counted(row: Any) -> str:
    return f"{row['n_at_risk']:,} ({row['n_events']:,})"


def _longest(released: Released) -> int:
    return max(len(str(arm)) for arm in released.facts["arms"])


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
