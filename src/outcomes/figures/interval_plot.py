"""Points with their intervals, one line a term, arm or cause, and the numbers beside them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.figures.styling import COLOURS, INK, headed, signed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["interval_data", "intervals_in_words", "paint_intervals", "size"]

_LETTERS = 34  # of a label on one line


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    lines = len(released.frame) + released.frame["group"].nunique() * (released.frame["group"] != "").any()
    return 8.6, 1.9 + 0.36 * max(int(lines), 2)


def interval_data(released: Released) -> pd.DataFrame:
    """Return what is drawn, from the top: group, label, estimate, conf_low, conf_high, expected."""
    return released.frame


def paint_intervals(released: Released, axes: list[Axes]) -> None:
    """Draw a point and its interval a line; where there is a second point it is hollow."""
    ax, facts, frame = axes[0], released.facts, interval_data(released)
    labels: list[tuple[float, str, bool]] = []
    height, group = 0.0, ""
    for row in frame.to_dict("records"):
        if row["group"] != group:
            group = row["group"]
            labels.append((height, group.replace("_", " "), True))
            height -= 1
        _line(ax, height, row, facts)
        labels.append((height, "\n".join(textwrap.wrap(str(row["label"]), _LETTERS)), False))
        height -= 1
    if facts["none"] is not None:
        ax.axvline(facts["none"], color=INK, linewidth=1.2, zorder=1)
    _axis(ax, frame, log=facts["log"], from_zero=facts["none"] is None)
    ax.set_yticks([at for at, _, _ in labels], [text for _, text, _ in labels])
    for tick, (_, _, bold) in zip(ax.get_yticklabels(), labels, strict=True):
        tick.set_fontweight("bold" if bold else "normal")
    ax.set_ylim(height + 0.4, 0.6)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlabel(facts["axis"], loc="left")
    hollow = f"; filled: observed, hollow: {facts['second']}" if facts["second"] else ""
    headed(ax, released.title, f"{facts['said'].rstrip('.')}{hollow}")


def _line(ax: Axes, height: float, row: Mapping[Any, Any], facts: Mapping[str, Any]) -> None:
    look: dict[str, Any] = {"color": COLOURS[0], "zorder": 3}
    if np.isfinite(row["expected"]):
        ax.plot([row["expected"], row["estimate"]], [height, height], linewidth=1.2, color=COLOURS[0], zorder=2)
        ax.plot(row["expected"], height, marker="o", markersize=8, markerfacecolor="white", linestyle="none", **look)
    if np.isfinite(row["conf_low"]) and np.isfinite(row["conf_high"]):
        ax.plot([row["conf_low"], row["conf_high"]], [height, height], linewidth=2.2, **look)
    ax.plot(row["estimate"], height, marker="o", markersize=8, linestyle="none", **look)
    ax.annotate(
        _numbers(row, facts), (1, height), (12, 0), xycoords=("axes fraction", "data"), textcoords="offset points", va="center",
        size=9.5, color=INK, annotation_clip=False,
    )  # fmt: skip


def _axis(ax: Axes, frame: pd.DataFrame, *, log: bool, from_zero: bool) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    if log:
        drawn = frame[["estimate", "conf_low", "conf_high"]].to_numpy(dtype=np.float64)
        drawn = drawn[np.isfinite(drawn) & (drawn > 0)]
        wide = len(drawn) > 0 and drawn.max() / drawn.min() > 20
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(10, subs=(1.0,)) if wide else MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.xaxis.set_minor_locator(NullLocator())
    else:
        ax.xaxis.set_major_locator(MaxNLocator(7))
        if from_zero:
            ax.set_xlim(left=0)


def _numbers(row: Mapping[Any, Any], facts: Mapping[str, Any]) -> str:
    digits = 2 if facts["log"] else _digits(row["estimate"])
    if not np.isfinite(row["estimate"]):
        return "no estimate"
    if np.isfinite(row["expected"]):
        return f"{row['estimate']:.4g}, expected {row['expected']:.4g}"
    if not np.isfinite(row["conf_low"]):
        return signed(row["estimate"], digits)
    low, high = signed(row["conf_low"], digits), signed(row["conf_high"], digits)
    return f"{signed(row['estimate'], digits)} ({low} to {high})"


def _digits(value: float) -> int:
    """Return decimals that show about three figures."""
    return 2 if not np.isfinite(value) or value == 0 else int(np.clip(2 - np.floor(np.log10(abs(value))), 0, 6))


def intervals_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    facts = released.facts
    parts = [
        f"{row['group']}{', ' if row['group'] else ''}{row['label']}: {_numbers(row, facts)}"
        for row in interval_data(released).to_dict("records")
    ]
    return f"Points with intervals; axis: {facts['axis']}. {facts['said'].rstrip('.')}. {'; '.join(parts)}."
