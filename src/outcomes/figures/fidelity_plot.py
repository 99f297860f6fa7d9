"""The hazard over the scores of groups, and the risk by third of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.figures.fitting import headed
from outcomes.figures.styling import COLOURS, GREY, INK, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["fidelity_axes", "fidelity_data", "fidelity_in_words", "paint_fidelity", "size"]

_FLOOR = 0.025  # of the height of the Axes: where groups are marked
_MOST = 7  # ratios along the axis
_RATIOS = (
    (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.4, 1.6, 2.0),
    (0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0),
    (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0),
    (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0),
)


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 8.6, 6.6 if _compared(released) else 4.6


def _compared(released: Released) -> bool:
    return bool(released.frames["thirds"]["estimate"].notna().any())


def fidelity_axes(figure: Figure, released: Released) -> list[Axes]:
    """Return an Axes of the curve and, where thirds are compared, one of them under it."""
    if not _compared(released):
        return [figure.add_subplot()]
    return list(figure.subplots(2, 1, height_ratios=(2.2, 1.0)))


def fidelity_data(released: Released) -> pd.DataFrame:
    """Return the curve that is drawn: score, estimate (hazard ratio), conf_low, conf_high."""
    return released.frame


def paint_fidelity(released: Released, axes: list[Axes]) -> None:
    """Draw the curve with its band and a mark a group; under it, where there is an Axes for them, the risks by third."""
    ax, frame, facts = axes[0], fidelity_data(released), released.facts
    ax.fill_between(frame["score"], frame["conf_low"], frame["conf_high"], color=COLOURS[0], alpha=0.13, linewidth=0)
    ax.plot(frame["score"], frame["estimate"], color=COLOURS[0])
    ax.axhline(1.0, color=INK, linewidth=1.0)
    ax.set_yscale("log")
    _ratio_ticks(ax)
    ax.axvline(facts["mean"], color=GREY, linewidth=1.0, linestyle=(0, (5, 2)))
    score = released.frames["groups"]["score"]
    ax.plot(
        score, np.full(len(score), _FLOOR), marker="|", markersize=9, color=COLOURS[0], alpha=0.6, linestyle="none",
        transform=ax.get_xaxis_transform(), gid="groups",
    )  # fmt: skip
    ax.set_xlabel(facts["axis"], loc="left")
    ax.set_ylabel("hazard ratio")
    if len(axes) > 1:
        _thirds(released, axes[1])
    headed(ax, released.title, f"{facts['said']}. Dashed: the mean")


def _ratio_ticks(ax: Axes) -> None:
    """Mark ratios at numbers people think in."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    low, high = ax.get_ylim()
    found = [[at for at in ratios if low <= at <= high] for ratios in _RATIOS]
    ticks = next(
        (some for some, ratios in zip(found, _RATIOS, strict=True) if len(some) <= _MOST and _spans(ratios, low, high)),
        found[-1],
    )
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _spans(ratios: tuple[float, ...], low: float, high: float) -> bool:
    return ratios[0] <= 1.5 * low or ratios[-1] >= high / 1.5


def _thirds(released: Released, ax: Axes) -> None:
    """Draw the standardised risk of each third with its interval."""
    frame = released.frames["thirds"]
    for height, row in enumerate(frame.to_dict("records")):
        if np.isfinite(row["conf_low"]):
            ax.plot([row["conf_low"], row["conf_high"]], [-height, -height], linewidth=2.2, color=COLOURS[0], zorder=3)
        ax.plot(row["estimate"], -height, marker="o", markersize=8, color=COLOURS[0], linestyle="none", zorder=3)
        ax.annotate(
            _risk_said(row), (1, -height), (12, 0), va="center", size=9.5, color=INK, gid="beside", xycoords=("axes fraction", "data"),
            textcoords="offset points", annotation_clip=False,
        )  # fmt: skip
    ax.set_yticks(-np.arange(len(frame)), list(frame["third"]))
    ax.set_ylim(0.5 - len(frame), 0.5)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(percent)
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x", visible=True)
    ax.set_xlabel(f"{released.facts['risk']}, standardised to everybody, by third of the groups", loc="left")


def _risk_said(row: Mapping[Any, float]) -> str:
    said = f"{100 * row['estimate']:.1f} %"
    return (
        said
        if not np.isfinite(row["conf_low"])
        else f"{said} ({100 * row['conf_low']:.1f} to {100 * row['conf_high']:.1f})"
    )


def _ratio_said(row: Mapping[Any, float]) -> str:
    limits = f" ({row['conf_low']:.2f} to {row['conf_high']:.2f})" if np.isfinite(row["conf_low"]) else ""
    return f"{row['estimate']:.2f}{limits} at {row['score']:.2f}"


def fidelity_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    frame = fidelity_data(released)
    ends = [_ratio_said(row) for row in (frame.iloc[0].to_dict(), frame.iloc[-1].to_dict())]
    text = f"A curve of the hazard ratio over the {released.facts['axis']}. {released.facts['said']}. {ends[0]}, {ends[1]}."
    if not _compared(released):
        return text
    thirds = "; ".join(f"{row['third']} {_risk_said(row)}" for row in released.frames["thirds"].to_dict("records"))
    return f"{text} {released.facts['risk'].capitalize()} by third of the groups: {thirds}."
