"""Curves a profile, row or arm each, with their intervals: what a model predicts, or a cumulative hazard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.durations import DAYS_PER_YEAR, in_words
from outcomes.figures.curve_plot import time_ticks
from outcomes.figures.fitting import end_labels, headed, settle_ends
from outcomes.figures.styling import arm_style, percent, shade

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["paint_predictions", "prediction_data", "predictions_in_words", "size"]


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches: wider for long names."""
    return 8.6 + 0.08 * max(0, max(map(len, released.facts["profiles"])) - 18), 4.8


def prediction_data(released: Released) -> pd.DataFrame:
    """Return the steps that are drawn: profile, time, estimate, conf_low, conf_high."""
    return released.frame[["profile", "time", "estimate", "conf_low", "conf_high"]]


def paint_predictions(released: Released, axes: list[Axes]) -> None:
    """Draw one step curve a profile, its band, and its name and last value at its end."""
    ax, frame, profiles = axes[0], prediction_data(released), released.facts["profiles"]
    highest = float(np.nanmax(frame[["estimate", "conf_high"]].to_numpy()))
    share = released.facts["share"]
    top = min(1.0 if share else np.inf, 1.05 * highest) if highest > 0 else 1.0
    for index, name in enumerate(profiles):
        mine, look = frame[frame["profile"] == name], arm_style(index)
        ax.step(mine["time"], mine["estimate"], where="post", label=name, **look)
        band: dict[str, Any] = {"step": "post", "color": look["color"], "alpha": shade(len(profiles)), "linewidth": 0}
        ax.fill_between(mine["time"], mine["conf_low"], mine["conf_high"], **band)
    ax.set_ylim(0, top)
    ax.yaxis.set_major_formatter(percent if share else lambda value, _: f"{value:g}")
    _time_axis(ax, released)
    last = [float(frame.loc[frame["profile"] == name, "estimate"].iloc[-1]) for name in profiles]
    named = [f"row {name}" if name.isdigit() and released.facts["by"] == "profile" else name for name in profiles]
    said = [f"{name} {_said(value, released)}" for name, value in zip(named, last, strict=True)]
    looks = [arm_style(index) for index in range(len(profiles))]
    labels = end_labels(ax, last, said, looks)
    free = headed(ax, released.title, _what_is_drawn(released))
    settle_ends(ax, labels, free, looks)
    time_ticks(ax, released, free)


def _time_axis(ax: Axes, released: Released) -> None:
    unit, end, times = released.facts["unit"], released.facts["horizon"], released.facts["marks"]
    in_years = unit == "days" and end >= DAYS_PER_YEAR
    ax.set_xlim(0, end)
    ax.set_xticks(times, [f"{t / DAYS_PER_YEAR:.1f}".removesuffix(".0") if in_years else f"{t:g}" for t in times])
    ax.set_xlabel(f"{'years' if in_years else unit} since time zero", loc="left")


def _said(value: float, released: Released) -> str:
    return f"{100 * value:.1f} %" if released.facts["share"] else f"{value:.2f}"


def _what_is_drawn(released: Released) -> str:
    return f"{released.facts['said']}; bands: {100 * released.facts['conf_level']:g} % intervals"


def predictions_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    facts, frame = released.facts, prediction_data(released)
    when = in_words(facts["horizon"], facts["unit"])
    parts = []
    for name in facts["profiles"]:
        row = frame[frame["profile"] == name].iloc[-1]
        low, high = _said(row["conf_low"], released), _said(row["conf_high"], released)
        limits = f"{100 * facts['conf_level']:g} % interval {low} to {high}"
        parts.append(f"{name}: {_said(row['estimate'], released)} ({limits})")
    each = "an arm" if facts["by"] == "arm" else "a profile"
    return f"Step curves over {when}, one {each}. {_what_is_drawn(released)}. By the end: {'; '.join(parts)}."
