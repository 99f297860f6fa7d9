"""Risk in each arm as a distribution of time has it: solid while people were at risk, dashed and labelled beyond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.durations import DAYS_PER_YEAR, in_words
from outcomes.figures.curve_plot import time_ticks
from outcomes.figures.fitting import end_labels, headed, settle_ends
from outcomes.figures.styling import COLOURS, percent, shade
from outcomes.results import in_capitals

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["paint_parametric", "parametric_data", "parametric_in_words", "size"]

_BEYOND = (0, (4, 2.5))
_MARKERS = ("o", "s", "^", "D")
_NAMED_AFTER = ("weibull", "gompertz")


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches: wider for long names."""
    return 8.6 + 0.08 * max(0, max(len(str(arm)) for arm in released.facts["arms"]) - 18), 5.0


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
        marker: dict[str, Any] = {"marker": _look(index)["marker"], "markevery": 10, "markersize": 6}
        ax.plot(seen["time"], seen["estimate"], color=colour, label=arm, **marker)
        if len(beyond):
            ax.plot(joined["time"], joined["estimate"], color=colour, linestyle=_BEYOND, gid="extrapolated", **marker)
        ax.fill_between(
            mine["time"],
            mine["conf_low"],
            mine["conf_high"],
            color=colour,
            alpha=shade(len(facts["arms"])),
            linewidth=0,
        )
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
    last = [float(frame.loc[frame["arm"] == arm, "estimate"].iloc[-1]) for arm in facts["arms"]]
    said = [f"{arm} {100 * value:.1f} %" for arm, value in zip(facts["arms"], last, strict=True)]
    looks = [_look(index) for index in range(len(facts["arms"]))]
    labels = end_labels(ax, last, said, looks)
    free = headed(ax, released.title, _what_is_drawn(released))
    settle_ends(ax, labels, free, looks)
    time_ticks(ax, released, free)


def _look(index: int) -> dict[str, Any]:
    """Return colour and marker of an arm; after the fourth arm the two pair up anew."""
    shift = index // len(COLOURS)
    return {"color": COLOURS[index % len(COLOURS)], "marker": _MARKERS[(index + shift) % len(_MARKERS)]}


def _what_is_drawn(released: Released) -> str:
    facts = released.facts
    name = facts["distribution"].replace("_", " ")
    name = name.capitalize() if name in _NAMED_AFTER else name
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
