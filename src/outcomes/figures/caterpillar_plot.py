"""Sites of each arm in order of their shrunken effects, with what was observed there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.figures.fitting import fit_rows, headed
from outcomes.figures.styling import COLOURS, GREY, INK, signed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["caterpillar_axes", "caterpillar_data", "caterpillar_in_words", "paint_caterpillar", "size"]

_ABOVE = 16.0  # points over an Axes that go to the name of its arm
_HEAD = 76.0  # points that go to the title and what is said under it


def _drawn(released: Released) -> list[str]:
    """Return the arms with sites to be drawn; the first arm where there is none."""
    arms = [arm for arm in released.facts["arms"] if len(released.frame) and (released.frame["arm"] == arm).any()]
    return arms or list(released.facts["arms"][:1])


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    most = int(released.frame["arm"].value_counts().max()) if len(released.frame) else 1
    return 5.2 + 4.0 * (len(_drawn(released)) - 1), 2.0 + 0.21 * max(most, 4)


def caterpillar_axes(figure: Figure, released: Released) -> list[Axes]:
    """Return an Axes an arm, side by side, on one scale."""
    return list(figure.subplots(1, len(_drawn(released)), squeeze=False, sharex=True)[0])


def caterpillar_data(released: Released) -> pd.DataFrame:
    """Return what is drawn, from the top of each arm: arm, site, n, observed, estimate, conf_low, conf_high (per 100 people)."""
    return released.frame


def paint_caterpillar(released: Released, axes: list[Axes]) -> None:
    """Draw each arm's sites on an Axes of its own, or, where there is one Axes only, those of the first arm."""
    frame, facts = caterpillar_data(released), released.facts
    arms = _drawn(released)[: len(axes)]
    for ax, arm in zip(axes, arms, strict=False):
        mine = frame[frame["arm"] == arm] if len(frame) else frame
        for height, row in enumerate(mine.to_dict("records")):
            ax.plot(
                row["observed"], -height, marker="o", markersize=5, markerfacecolor="white", color=GREY, linestyle="none", zorder=2
            )  # fmt: skip
            if np.isfinite(row["conf_low"]):
                ax.plot(
                    [row["conf_low"], row["conf_high"]], [-height, -height], linewidth=1.6, color=COLOURS[0], zorder=3
                )
            ax.plot(row["estimate"], -height, marker="o", markersize=5, color=COLOURS[0], linestyle="none", zorder=4)
        ax.axvline(0.0, color=INK, linewidth=1.2, zorder=1)
        ax.set_yticks(-np.arange(len(mine)), [f"{row['site']} ({row['n']:,})" for row in mine.to_dict("records")])
        ax.set_ylim(0.5 - max(len(mine), 1), 0.5)
        ax.grid(axis="y", visible=False)
        ax.grid(axis="x", visible=True)
        fit_rows(ax, head=_HEAD)
    axes[0].set_xlabel(facts["axis"], loc="left")
    for ax, arm in zip(axes, arms, strict=False):
        ax.annotate(
            _named(released, arm), (0, 1), (0, 6), xycoords="axes fraction", textcoords="offset points", size=10, weight="bold", color=INK,
            annotation_clip=False,
        ).set_in_layout(False)  # fmt: skip
    headed(axes[0], released.title, facts["said"], above=_ABOVE, across=axes[1:])


def _named(released: Released, arm: str) -> str:
    icc = released.facts["icc"][arm]
    if not np.isfinite(icc):
        return f"{arm}: cannot be told"
    return f"{arm}: ICC {icc:.3f}" if icc > 0 else f"{arm}: no variation found (ICC 0)"


def caterpillar_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    facts, frame, parts = released.facts, caterpillar_data(released), []
    for arm in _drawn(released):
        mine = frame[frame["arm"] == arm] if len(frame) else frame
        if not len(mine):
            parts.append(f"{_named(released, arm)}, nothing is drawn")
            continue
        ends = [
            f"{row['site']} {signed(row['estimate'], 1)} (observed {signed(row['observed'], 1)})"
            for row in (mine.iloc[0], mine.iloc[-1])
        ]
        parts.append(f"{_named(released, arm)}; {len(mine):,} {facts['named']} from {ends[0]} to {ends[1]}")
    return f"Points with intervals, one panel an arm; axis: {facts['axis']}. {facts['said']}. {'; '.join(parts)}."
