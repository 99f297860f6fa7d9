"""Points with their intervals, one line a term, arm or cause, and the numbers beside them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.figures.fitting import LETTERS, fit_rows, headed, letters_of_a_label, number_ticks
from outcomes.figures.styling import COLOURS, INK, PALE, signed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["interval_data", "intervals_in_words", "paint_intervals", "size"]

_HEAD = 60.0  # points that go to the title and what is said under it


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    lines = len(released.frame) + released.frame["group"].nunique() * (released.frame["group"] != "").any()
    deepest = max(len(textwrap.wrap(str(label), LETTERS)) for label in released.frame["label"])
    return 8.6, 1.9 + (0.36 + 0.17 * max(0, deepest - 2)) * max(int(lines), 2)


def interval_data(released: Released) -> pd.DataFrame:
    """Return what is drawn, from the top: group, label, estimate, conf_low, conf_high, expected, beside."""
    return released.frame


def paint_intervals(released: Released, axes: list[Axes]) -> None:
    """Draw a point and its interval a line; where there is a second point it is hollow."""
    ax, facts, frame = axes[0], released.facts, interval_data(released)
    labels: list[tuple[float, str, bool]] = []
    height, group, letters = 0.0, "", letters_of_a_label(ax)
    said = {
        (row["group"], row["label"]): text
        for row, text in zip(frame.to_dict("records"), _texts(frame, facts), strict=True)
    }
    for row in frame.to_dict("records"):
        if row["group"] != group:
            group = row["group"]
            labels.append((height, group.replace("_", " "), True))
            height -= 1
        _line(ax, height, row)
        _beside(ax, height, said[(row["group"], row["label"])])
        labels.append((height, "\n".join(textwrap.wrap(str(row["label"]), letters)), False))
        height -= 1
    if facts["none"] is not None:
        ax.axvline(facts["none"], color=INK, linewidth=1.2, zorder=1)
    if facts["within"] is not None:
        ax.axvspan(-facts["within"], facts["within"], color=PALE, alpha=0.5, zorder=0, linewidth=0)
    if facts["log"]:
        ax.set_xscale("log")
    if facts["from_zero"]:
        ax.set_xlim(
            left=min(0.0, float(np.nanmin(frame[["estimate", "conf_low"]].to_numpy(dtype=np.float64), initial=0.0)))
        )
    ax.set_yticks([at for at, _, _ in labels], [text for _, text, _ in labels])
    for tick, (_, _, bold) in zip(ax.get_yticklabels(), labels, strict=True):
        tick.set_fontweight("bold" if bold else "normal")
    ax.set_ylim(height + 0.4, 0.6)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlabel(facts["axis"], loc="left")
    hollow = f"; filled: {facts['first']}, hollow: {facts['second']}" if facts["second"] else ""
    fit_rows(ax, head=_HEAD)
    free = headed(ax, released.title, f"{facts['said'].rstrip('.')}{hollow}")
    number_ticks(ax, free, log=facts["log"])


def _line(ax: Axes, height: float, row: Mapping[Any, Any]) -> None:
    look: dict[str, Any] = {"color": COLOURS[0], "zorder": 3}
    if np.isfinite(row["expected"]):
        ax.plot(row["expected"], height, marker="o", markersize=8, markerfacecolor="white", linestyle="none", **look)
    if np.isfinite(row["conf_low"]) and np.isfinite(row["conf_high"]):
        bare = not np.isfinite(row["estimate"])
        ax.plot(
            [row["conf_low"], row["conf_high"]], [height, height], linewidth=2.2, linestyle=":" if bare else "-", **look
        )
    ax.plot(row["estimate"], height, marker="o", markersize=8, linestyle="none", **look)


def _beside(ax: Axes, height: float, said: str) -> None:
    place: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "annotation_clip": False,
    }
    ax.annotate(said, (1, height), (12, 0), va="center", size=9.5, color=INK, gid="beside", **place)


def _texts(frame: pd.DataFrame, facts: Mapping[str, Any]) -> list[str]:
    """Return the numbers beside each line; those of one group with as many decimals as its largest asks for."""
    largest = frame["estimate"].abs().groupby(frame["group"], sort=False).transform("max")
    digits = [
        2 if facts["log"] else _digits(value) if facts["digits"] is None else facts["digits"] for value in largest
    ]
    return [_numbers(row, count) for row, count in zip(frame.to_dict("records"), digits, strict=True)]


def _numbers(row: Mapping[Any, Any], digits: int) -> str:
    if row["beside"]:
        return str(row["beside"])
    if not np.isfinite(row["estimate"]):
        return "no estimate"
    if not np.isfinite(row["conf_low"]):
        return signed(row["estimate"], digits)
    low, high = signed(row["conf_low"], digits), signed(row["conf_high"], digits)
    return f"{signed(row['estimate'], digits)} ({low} to {high})"


def _digits(value: float) -> int:
    """Return decimals that show about three figures."""
    return 2 if not np.isfinite(value) or value == 0 else int(np.clip(2 - np.floor(np.log10(abs(value))), 0, 6))


def intervals_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    facts, frame = released.facts, interval_data(released)
    parts = [
        f"{row['group']}{', ' if row['group'] else ''}{row['label']}: {text}"
        for row, text in zip(frame.to_dict("records"), _texts(frame, facts), strict=True)
    ]
    return f"Points with intervals; axis: {facts['axis']}. {facts['said'].rstrip('.')}. {'; '.join(parts)}."
