"""Who left, where and why: boxes from everybody in the extract to those compared."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from outcomes.disclosure.releasing import Released
from outcomes.figures.styling import COLOURS, INK, PALE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["flow_data", "flow_in_words", "paint_flow", "size"]

_ROW = 0.82  # inches a step
_WIDE = 58  # characters a line
_TRUNK, _SIDE = 0.17, 0.36  # where the boxes stand, as shares of the width


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 8.6, 1.5 + _ROW * len(flow_data(released))


def flow_data(released: Released) -> pd.DataFrame:
    """Return everyone who came in, then the steps at which somebody left: step, reason, n_leaving, n_remaining, n_leaving_<arm>."""
    frame = released.frame
    everyone = frame[(frame["arm"] == "all") & ((frame["n_leaving"] > 0) | (frame["step"] == 0))]
    out = everyone[["step", "reason", "n_leaving", "n_remaining"]].reset_index(drop=True)
    for arm in released.facts["arms"]:
        mine = frame[frame["arm"] == arm].set_index("step")["n_leaving"]
        out[f"n_leaving_{arm}"] = out["step"].map(mine).astype("int64")
    return out


def paint_flow(released: Released, axes: list[Axes]) -> None:
    """Draw one box a step on the left, those who left on the right, and the arms compared at the bottom."""
    ax, steps, arms = axes[0], flow_data(released).to_dict("records"), released.facts["arms"]
    rows = len(steps)
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(-rows - 0.4, 0.45)
    ax.set_title(released.title, pad=4)
    _box(ax, _TRUNK, 0, f"{steps[0]['n_remaining']:,} {steps[0]['reason']}", weight="bold")
    for index, step in enumerate(steps[1:], start=1):
        _arrow(ax, (_TRUNK, 0.74 - index), (_TRUNK, 0.26 - index))
        _arrow(ax, (_TRUNK, 0.5 - index), (_SIDE - 0.02, 0.5 - index))
        _box(ax, _SIDE, 0.5 - index, textwrap.fill(_left(step, arms), _WIDE), ha="left", edge=PALE, face="#F5F5F5")
        last = index == rows - 1
        said = f"{step['n_remaining']:,} {'compared' if last else 'remain'}"
        _box(ax, _TRUNK, -index, said, weight="bold" if last else "normal")
    compared = released.frame[released.frame["step"] == released.frame["step"].max()].set_index("arm")["n_remaining"]
    for index, arm in enumerate(arms):
        place = _TRUNK + 0.32 * index
        _arrow(ax, (_TRUNK, 0.74 - rows), (place, 0.28 - rows))
        _box(
            ax,
            place,
            -rows,
            f"{arm}: {int(compared[arm]):,}",
            weight="bold",
            edge=COLOURS[index % len(COLOURS)],
            width=2.2,
        )


def _left(step: Mapping[Any, Any], arms: tuple[str, ...]) -> str:
    text = f"{step['n_leaving']:,} left: {step['reason']}"
    inside = ", ".join(f"{arm} {step[f'n_leaving_{arm}']:,}" for arm in arms if step[f"n_leaving_{arm}"])
    return f"{text} ({inside})" if inside else text


def _box(
    ax: Axes, x: float, y: float, text: str, *, ha: str = "center", weight: str = "normal", edge: str = INK, face: str = "white",
    width: float = 1.0,
) -> None:  # fmt: skip
    frame: dict[str, Any] = {
        "boxstyle": "round,pad=0.45,rounding_size=0.15",
        "facecolor": face,
        "edgecolor": edge,
        "linewidth": width,
    }
    ax.text(x, y, text, ha=ha, va="center", size=9.5, color=INK, weight=weight, bbox=frame)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    look: dict[str, Any] = {"arrowstyle": "-|>", "color": INK, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    ax.annotate("", end, start, arrowprops=look)


def flow_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    steps = flow_data(released).to_dict("records")
    left = "; ".join(_left(step, released.facts["arms"]) for step in steps[1:])
    return f"Flow chart. {released.text} Who left, in order: {left or 'nobody'}."
