"""Risk in each arm as a distribution of time has it: solid while people were at risk, dashed and labelled beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.durations import DAYS_PER_YEAR, in_words
from outcomes.figures.curve_plot import spread
from outcomes.figures.styling import COLOURS, INK, headed, percent
from outcomes.results import in_capitals

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["paint_parametric", "parametric_data", "parametric_in_words", "size"]

_BEYOND = (0, (4, 2.5))
_MARKERS = ("o", "s", "^", "D")


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 8.6, 5.0


def parametric_data(released: Released) -> pd.DataFrame:
    """Return what is drawn: arm, time, estimate (risk), conf_low, conf_high, extrapolated."""
    return released.frame[["arm", "time", "estimate", "conf_low", "conf_high", "extrapolated"]]


def paint_parametric(released: Released, axes: list[Axes]) -> None:
    """Draw one curve an arm, with its band; the part beyond the arm's last time at risk dashed, its ground grey."""
    ax, frame, facts = axes[0], parametric_data(released), released.facts
    first = min(facts["last_times"])
    for index, arm in enumerate(facts["arms"]):
        mine, colour = frame[frame["arm"] == arm], COLOURS[index % len(COLOURS)]
        seen, beyond = mine[~mine["extrapolated"]], mine[mine["extrapolated"]]
        joined = mine[mine["extrapolated"] | (mine["time"] == seen["time"].max())]
        marker: dict[str, Any] = {"marker": _MARKERS[index % len(_MARKERS)], "markevery": 10, "markersize": 6}
        ax.plot(seen["time"], seen["estimate"], color=colour, label=arm, **marker)
        if len(beyond):
            ax.plot(joined["time"], joined["estimate"], color=colour, linestyle=_BEYOND, gid="extrapolated", **marker)
        ax.fill_between(mine["time"], mine["conf_low"], mine["conf_high"], color=colour, alpha=0.11, linewidth=0)
        steps = released.frames["observed"]
        steps = steps[steps["arm"] == arm]
        ax.step(steps["time"], steps["estimate"], where="post", color=colour, linewidth=0.9, alpha=0.8, gid="observed")
    ax.set_xlim(0, facts["horizon"])
    ax.set_ylim(0, min(1.0, 1.05 * float(np.nanmax(frame[["estimate", "conf_high"]].to_numpy()))))
    ax.yaxis.set_major_formatter(percent)
    in_years = facts["unit"] == "days" and facts["horizon"] >= DAYS_PER_YEAR
    per = DAYS_PER_YEAR if in_years else 1.0
    ax.set_xticks(facts["marks"], [f"{round(t / per, 1):g}" for t in facts["marks"]])
    ax.set_xlabel(f"{'years' if in_years else facts['unit']} since time zero", loc="left")
    if facts["horizon"] > first:
        ax.axvspan(first, facts["horizon"], color="#F2F2F2", zorder=0, linewidth=0)
    _label_ends(ax, released, frame)
    headed(ax, released.title, _what_is_drawn(released))


def _label_ends(ax: Axes, released: Released, frame: pd.DataFrame) -> None:
    """Write each arm's name and last value at the end of its line, apart from each other."""
    arms, gap = released.facts["arms"], 0.062 * ax.get_ylim()[1]
    last = [float(frame.loc[frame["arm"] == arm, "estimate"].iloc[-1]) for arm in arms]
    for index, (arm, value, height) in enumerate(zip(arms, last, spread(last, gap, gap / 2), strict=True)):
        place: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
        said = f"{arm} {100 * value:.1f} %"
        ax.annotate(said, (1, height), (22, 0), va="center", size=9.5, color=INK, annotation_clip=False, **place)
        line = {"arrowstyle": "-", "linewidth": 2.2, "shrinkA": 0, "shrinkB": 3, "color": COLOURS[index % len(COLOURS)]}
        ax.annotate("", (1, height), (19, 0), arrowprops=line, annotation_clip=False, **place)


def _what_is_drawn(released: Released) -> str:
    facts = released.facts
    name = facts["distribution"].replace("_", " ")
    article = "an" if name[0] in "aeiou" else "a"
    weighted = {"none": "", "weighted": ", weighted"}.get(
        facts["estimand"], f", weighted ({in_capitals(facts['estimand'])})"
    )
    beyond = "; dashed on grey: extrapolated, nobody at risk" if facts["horizon"] > min(facts["last_times"]) else ""
    return (
        f"Risk of {facts['cause'].replace('_', ' ')} by {article} {name} model, everybody's covariates in each arm{weighted}; thin steps: "
        f"as observed{beyond}; bands: {100 * facts['conf_level']:g} % intervals, which hold only if the model does"
    )


def parametric_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    facts, frame = released.facts, parametric_data(released)
    parts = []
    for arm, last in zip(facts["arms"], facts["last_times"], strict=True):
        mine = frame[(frame["arm"] == arm) & ~frame["extrapolated"]].iloc[-1]
        end = frame[frame["arm"] == arm].iloc[-1]
        when = [
            in_words(t) if facts["unit"] == "days" else f"{t:g} {facts['unit']}"
            for t in (mine["time"], end["time"], last)
        ]
        said = f"{arm}: {100 * mine['estimate']:.1f} % by {when[0]}"
        if end["extrapolated"]:
            said += f", extrapolated to {100 * end['estimate']:.1f} % by {when[1]} (nobody at risk after {when[2]})"
        parts.append(said)
    return f"Smooth curves by arm. {_what_is_drawn(released)}. {'; '.join(parts)}."
