"""Observed values against imputed ones, and the way of the chains: whether what was imputed is believable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.disclosure.releasing import Released
from outcomes.figures.fitting import headed
from outcomes.figures.styling import COLOURS, GREY, INK, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["imputed_axes", "imputed_data", "imputed_in_words", "paint_imputed", "size"]

_MOST = 6  # columns drawn, those with the most missing


def size(released: Released) -> tuple[float, float]:
    """Return width and height in inches."""
    return 9.6, 1.3 + 2.5 * len(_drawn(released))


def imputed_axes(figure: Figure, released: Released) -> list[Axes]:
    """Return two Axes a column: its distribution, and its chains."""
    axes = figure.subplots(len(_drawn(released)), 2, squeeze=False, gridspec_kw={"width_ratios": [1.4, 1]})
    return [ax for row in axes for ax in row]


def imputed_data(released: Released) -> pd.DataFrame:
    """Return the shares that are drawn: column, level, low, high, observed, imputed."""
    return released.frame[released.frame["column"].isin(_drawn(released))].reset_index(drop=True)


def paint_imputed(released: Released, axes: list[Axes]) -> None:
    """Draw each column's distribution and chains side by side; where there is one Axes only, the first distribution on it."""
    frame, chains, names = imputed_data(released), released.frames["chains"], _drawn(released)
    for ax, name in zip(axes[::2], names, strict=False):
        _distribution(ax, frame[frame["column"] == name])
        ax.set_title(_said(released, name), size=9.5, weight="normal", pad=6)
    for ax, name in zip(axes[1::2], names, strict=False):
        _chains(ax, chains[chains["column"] == name])
    text = f"{_said(released, names[0])} (bars: observed; outline: imputed)"
    headed(axes[0], released.title, text)
    axes[0].legend(loc="upper right", frameon=True, facecolor="white", fontsize=8.5)


def _distribution(ax: Axes, mine: pd.DataFrame) -> None:
    if mine["low"].isna().all():  # levels
        place = np.arange(len(mine))
        edges = np.append(place - 0.5, len(mine) - 0.5)
        ax.bar(place, mine["observed"], width=0.96, color=COLOURS[0], alpha=0.35, label="observed")
        ax.set_xticks(place, mine["level"])
    else:
        edges = np.append(mine["low"].to_numpy(), mine["high"].iloc[-1])
        ax.bar(
            mine["low"], mine["observed"], width=np.diff(edges), align="edge", color=COLOURS[0], alpha=0.35, edgecolor="white",
            label="observed",
        )  # fmt: skip
    ax.stairs(mine["imputed"].to_numpy(), edges, color=COLOURS[1], linewidth=2, label="imputed")
    ax.yaxis.set_major_formatter(percent)
    ax.set_ylim(bottom=0)


def _chains(ax: Axes, mine: pd.DataFrame) -> None:
    from matplotlib.ticker import MaxNLocator

    level = mine["level"].iloc[0]
    one = mine[mine["level"] == level]
    for _, chain in one.groupby("imputation", sort=False):
        alone = len(chain) == 1
        ax.plot(chain["iteration"], chain["mean"], color=GREY, linewidth=0.9, alpha=0.7, marker="o" if alone else "")
    ax.set_xlim(one["iteration"].min() - 0.5, one["iteration"].max() + 0.5)
    ax.set_xlabel("iteration", loc="left")
    ax.set_title(
        "mean of the imputed, by chain" if level == "" else f"share of {level}, by chain",
        size=9.5,
        weight="normal",
        pad=6,
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.tick_params(labelcolor=INK)


def _said(released: Released, name: str) -> str:
    return f"{name}: missing for {100 * released.facts['missing'][name]:.1f} %"


def _drawn(released: Released) -> tuple[str, ...]:
    """Return the columns drawn, those with the most missing first."""
    return tuple(list(released.facts["missing"])[:_MOST])


def imputed_in_words(released: Released) -> str:
    """Return the figure in words, from its own numbers."""
    frame, parts = imputed_data(released), []
    for name in _drawn(released):
        mine = frame[frame["column"] == name]
        apart = float((mine["observed"] - mine["imputed"]).abs().sum()) / 2
        parts.append(f"{_said(released, name)}; the two distributions differ for {100 * apart:.0f} % of their people")
    return (
        f"Distributions of observed and of imputed values, and means of the imputed over the iterations of "
        f"{released.facts['m']} chains. {'. '.join(parts)}. {released.text}"
    )
